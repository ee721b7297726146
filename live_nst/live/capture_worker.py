"""The thread that drains a source into a slot, and opens it again when it went away."""

import threading
from collections.abc import Callable

from live_nst.errors import SourceError, SourceLostError
from live_nst.live.latest_frame import LatestSlot
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import Source, SourceInfo
from live_nst.types import Frame

OpenSource = Callable[[], Source]

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = (
    0.5,
    5.0,
)  # seconds between attempts to open a lost source
STALL_NOTICE_SECONDS = 2.0  # seconds without a frame after which people are told
STALL_LIMIT_SECONDS = 15.0  # seconds after which a read is given up: the driver hangs


class CaptureWorker:
    """Keeps the newest frame of a source in `slot`, whatever the source does.

    The first opening must succeed: its error is raised by `wait_opened`. From then on a source
    that is lost is opened again, with growing pauses, and one whose driver hangs in a read is
    abandoned to its thread and opened anew.

    Args:
        open_source: Opens the source; called in the thread that reads and closes it.
        clock: Measures stalls.

    Attributes:
        slot: The newest frame. Indexes go on across re-openings.
        reopened: How often the source was opened again.
        failure: What the reading thread died of, if it did.
    """

    def __init__(self, open_source: OpenSource, clock: Clock | None = None) -> None:
        self._open_source = open_source
        self._clock = clock or SystemClock()
        self._opened = threading.Event()
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self._reader: _Reader | None = None
        self._info: SourceInfo | None = None
        self._trouble = ""
        self._last_sign = 0.0
        self._next_index = 0
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.reopened = 0
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Open the source in a thread of its own; returns at once."""
        self._last_sign = self._clock.now()
        self._reader = _Reader(self)
        self._reader.start()

    def wait_opened(self, timeout: float | None = None) -> SourceInfo | None:
        """What was granted, once the source is open; None if it takes longer than `timeout`.

        Raises:
            SourceError: It cannot be opened.
        """
        self._opened.wait(timeout)
        if self.failure is not None:
            raise self.failure
        return self._info

    def begin(self) -> None:
        """From now on frames are wanted: let a source that waits, such as a file, run.

        Other sources are read from the start, so that nothing old lies in their buffers.
        """
        self._last_sign = self._clock.now()
        self._wanted.set()

    @property
    def ended(self) -> bool:
        """Whether the source has given its last frame."""
        return self._ended.is_set()

    def check(self) -> str:
        """Look after the source: what people should know now, empty if all is well.

        Raises:
            BaseException: What the reading thread died of.
        """
        if self.failure is not None:
            raise self.failure
        silence = self._clock.now() - self._last_sign
        waiting = self._opened.is_set() and not self._ended.is_set()
        if waiting and silence > STALL_LIMIT_SECONDS:
            self._replace_reader()
            silence = 0.0  # counted anew
        if self._trouble:
            return self._trouble
        return "no picture comes" if waiting and silence > STALL_NOTICE_SECONDS else ""

    def close(self, timeout: float = 3.0) -> None:
        """Stop reading and wait until the source is closed; a hanging driver is not waited for."""
        if self._reader is not None:
            self._reader.stop.set()
            self._wanted.set()  # a reader that waits for it looks at `stop` next
            self._reader.join(timeout)

    def _replace_reader(self) -> None:
        """Leave a thread that hangs in the driver to itself and start another."""
        if self._reader is not None:
            self._reader.stop.set()
        self._last_sign = self._clock.now()
        self._trouble = "the source hangs, opening it again"
        self._reader = _Reader(self, first=False)
        self._reader.start()

    # What the reading thread reports. A thread that was replaced reports nothing any more.

    def _is_current(self, reader: "_Reader") -> bool:
        return reader is self._reader and not reader.stop.is_set()

    def _report_open(self, reader: "_Reader", source: Source) -> None:
        if self._is_current(reader):
            if self._opened.is_set():
                self.reopened += 1
            self._info = source.info
            self._last_sign = self._clock.now()
            self._opened.set()

    def _report_frame(self, reader: "_Reader", frame: Frame) -> None:
        if not self._is_current(reader):
            return
        # Sources count from 0 after every opening; a gap within one opening is kept.
        index = max(frame.index + reader.offset, self._next_index)
        self._next_index = index + 1
        self._last_sign = self._clock.now()
        self._trouble = ""
        self.slot.put(Frame(frame.image, index, frame.time))

    def _report_lost(self, reader: "_Reader", error: SourceError) -> None:
        if self._is_current(reader):
            self._last_sign = self._clock.now()  # it waits to try again: it does not hang
            self._trouble = f"reconnecting: {error.message}"

    def _report_end(self, reader: "_Reader", failure: BaseException | None) -> None:
        if self._is_current(reader):
            self.failure = failure
            self._ended.set()
            self._opened.set()


class _Reader(threading.Thread):
    """Opens, reads and closes a source, until told to stop."""

    def __init__(self, capture: CaptureWorker, *, first: bool = True) -> None:
        # A daemon, because a driver may never return from a read.
        super().__init__(name="live-nst capture", daemon=True)
        self._capture = capture
        self._may_retry = not first
        self._pause = FIRST_RETRY_SECONDS
        self.offset = 0
        self.stop = threading.Event()

    def run(self) -> None:
        failure: BaseException | None = None
        try:
            while not self.stop.is_set() and self._read_until_lost():
                self.stop.wait(self._pause)
                self._pause = min(2 * self._pause, LONGEST_RETRY_SECONDS)
        except BaseException as exc:  # handed to the thread that runs the pipeline
            failure = exc
        self._capture._report_end(self, failure)

    def _read_until_lost(self) -> bool:
        """Read one opening of the source; True if it was lost and is worth opening again."""
        capture = self._capture
        try:
            source = capture._open_source()
        except SourceError as exc:
            if not self._may_retry:
                raise
            capture._report_lost(self, exc)
            return True
        with source:
            self._may_retry = True
            self.offset = capture._next_index
            capture._report_open(self, source)
            if source.info.paused_until_read:
                capture._wanted.wait()
            while not self.stop.is_set():
                try:
                    frame = source.read()
                except SourceLostError as exc:
                    capture._report_lost(self, exc)
                    return True
                if frame is None:
                    return False
                self._pause = FIRST_RETRY_SECONDS
                capture._report_frame(self, frame)
        return False

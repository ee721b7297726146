"""The thread that reads a source into a latest-frame slot.

It reopens a source that was lost, and can go over to another source while it runs.
"""

import threading

from live_nst.errors import SourceError
from live_nst.live.capture_reader import CaptureReader, OpenSource
from live_nst.live.latest_frame import LatestSlot
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import Source, SourceInfo
from live_nst.types import Frame

STALL_NOTICE_SECONDS = 2.0  # without a frame, until the user is told
STALL_LIMIT_SECONDS = 15.0  # without a frame, until the driver is taken to hang


class CaptureWorker:
    """Keeps the newest frame of a source in a slot, whatever the source does.

    The first opening must succeed; `wait_opened` raises its error. After that, a lost source is
    reopened after growing pauses. If the driver hangs in a read, its thread is left alone and the
    source is opened in a new one.

    Args:
        open_source: Opens the source; called in the thread that also reads and closes it.
        clock: Measures stalls; None for the clock of the system.

    Attributes:
        slot: The newest frame. Indexes continue when the source is reopened.
        next_index: Index of the next frame: the number of frames so far if none was lost.
        first_time: The time of the first frame; None before it.
        skipped: Number of frames that the source left out because they were late.
        reopened: How often the source was reopened.
        failure: The error that ended the thread, if one did.
    """

    def __init__(self, open_source: OpenSource, clock: Clock | None = None) -> None:
        self._open_source = open_source
        self._clock = clock or SystemClock()
        self._opened = threading.Event()
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self._reader: CaptureReader | None = None
        self._switching = threading.Lock()  # between "is it the reader in use?" and what it gives
        self._info: SourceInfo | None = None
        self._problem = ""
        self._closing = False
        self._rest_notice = ""  # why the source is closed for a while; empty if it is not
        self._woken = False  # whether the next opening ends a rest
        self._last_event = 0.0  # when a frame came or the source was opened or lost
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.next_index = 0
        self.first_time: float | None = None
        self.skipped = 0
        self.reopened = 0
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Open the source in a thread of its own; return at once."""
        self._last_event = self._clock.now()
        self._reader = CaptureReader(self, self._open_source)
        self._reader.start()

    def wait_opened(self, timeout: float | None = None) -> SourceInfo | None:
        """Wait until the source is open.

        Args:
            timeout: Seconds to wait; None for no limit.

        Returns:
            What the source gives; None if it takes longer than `timeout`.

        Raises:
            SourceError: It cannot be opened.
        """
        self._opened.wait(timeout)
        if self.failure is not None:
            raise self.failure
        return self._info

    @property
    def info(self) -> SourceInfo | None:
        """What the source gives; None before it is open."""
        return self._info

    def change_source(self, open_source: OpenSource) -> SourceInfo:
        """Go over to another source. The one in use goes on until the other is open.

        Args:
            open_source: Opens the other source; called in the thread that also reads and closes it.

        Returns:
            What the other source gives.

        Raises:
            SourceError: It cannot be opened; the one in use goes on.
        """
        reader = CaptureReader(self, open_source, candidate=True)
        reader.start()
        if not reader.opened.wait(STALL_LIMIT_SECONDS):
            reader.end()
            raise SourceError("the source does not answer", "choose another one")
        if reader.candidate:
            raise reader.failure or SourceError("the session has ended")
        info = self._info
        assert info is not None  # the reader has set it
        return info

    def retry(self) -> None:
        """Reopen a source that was lost now, without waiting for the end of the pause."""
        if self._reader is not None:
            self._reader.wake.set()

    def begin(self) -> None:
        """Start a source that waits for its frames to be wanted, such as a file.

        Other sources are read from the start, so that no old frames stay in their buffers.
        """
        self._last_event = self._clock.now()
        self._wanted.set()

    @property
    def paused_until_read(self) -> bool:
        """Whether the source starts at `begin`, as a file does; false until it is open."""
        return self._info is not None and self._info.paused_until_read

    @property
    def dropped(self) -> int:
        """Number of frames so far that never came out of the slot: skipped, or replaced in it."""
        return self.skipped + self.slot.replaced

    @property
    def ended(self) -> bool:
        """Whether the source has given its last frame."""
        return self._ended.is_set()

    @property
    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    def rest(self, notice: str) -> None:
        """Close the source until `wake`. A source that rests already goes on doing so.

        Args:
            notice: Why, for the user.
        """
        with self._switching:
            if self._closing or self._rest_notice:
                return
            self._rest_notice = notice
            if self._reader is not None:
                self._reader.end()

    def wake(self) -> None:
        """Open a source that rests; without a rest, do nothing."""
        with self._switching:
            if self._closing or not self._rest_notice:
                return
            self._rest_notice, self._problem, self._woken = "", "", True
            self._last_event = self._clock.now()
            self._reader = CaptureReader(self, self._open_source, first=False)
            self._reader.start()

    def check(self) -> str:
        """Check the source, and replace a thread whose driver hangs.

        Returns:
            What is wrong, for the user; empty if nothing is.

        Raises:
            BaseException: The error that ended the thread.
        """
        if self.failure is not None:
            raise self.failure
        if self._rest_notice:
            return self._rest_notice
        silence = self._clock.now() - self._last_event
        expecting = self._opened.is_set() and not self._ended.is_set()
        if expecting and silence > STALL_LIMIT_SECONDS:
            self._replace_reader()
            silence = 0.0
        if self._problem:
            return self._problem
        return "no frames arrive" if expecting and silence > STALL_NOTICE_SECONDS else ""

    def close(self, timeout: float = 3.0) -> None:
        """Stop reading, and wait until the source is closed.

        Args:
            timeout: Seconds to wait for a driver that hangs.
        """
        with self._switching:
            self._closing = True
            reader = self._reader
            if reader is not None:
                reader.end()
            self._wanted.set()  # a thread that waits for it then sees `stop`
        if reader is not None:
            reader.join(timeout)

    def _replace_reader(self) -> None:
        """Leave a thread alone that hangs in the driver, and start another one."""
        with self._switching:
            if self._reader is not None:
                self._reader.end()
            self._last_event = self._clock.now()
            self._problem = "the source hangs, reopening it"
            self._reader = CaptureReader(self, self._open_source, first=False)
        self._reader.start()

    # Called by the thread that reads. A thread that was replaced changes nothing any more.

    def wait_wanted(self) -> None:
        """See `ReaderOwner`."""
        self._wanted.wait()

    def _is_current(self, reader: CaptureReader) -> bool:
        return reader is self._reader and not reader.stop.is_set()

    def on_open(self, reader: CaptureReader, source: Source) -> None:
        """See `ReaderOwner`."""
        with self._switching:
            if reader.candidate and not self._take_over(reader):
                return
            if self._is_current(reader):
                if self._opened.is_set() and not reader.candidate and not self._woken:
                    self.reopened += 1
                reader.candidate = self._woken = False
                reader.offset = self.next_index
                self._info = source.info
                self._last_event = self._clock.now()
                self._opened.set()

    def _take_over(self, reader: CaptureReader) -> bool:
        """Let a reader that has opened another source replace the one in use."""
        if self.closing or self.ended or reader.stop.is_set():
            reader.end()
            return False
        if self._reader is not None:
            self._reader.end()
        self._reader, self._open_source, self._problem = reader, reader.open_source, ""
        self._rest_notice = ""
        return True

    def on_frame(self, reader: CaptureReader, frame: Frame) -> None:
        """See `ReaderOwner`."""
        with self._switching:
            if not self._is_current(reader):
                return
            # Sources count from 0 whenever they are opened. A gap after that is kept.
            index = max(frame.index + reader.offset, self.next_index)
            self.skipped += index - self.next_index
            self.next_index = index + 1
            if self.first_time is None:
                self.first_time = frame.time
            self._last_event = self._clock.now()
            self._problem = ""
            self.slot.put(Frame(frame.image, index, frame.time))

    def on_lost(self, reader: CaptureReader, error: SourceError) -> None:
        """See `ReaderOwner`."""
        if self._is_current(reader):
            self._last_event = self._clock.now()  # it waits for the next attempt: it does not hang
            self._problem = f"reconnecting: {error.message}"

    def on_end(self, reader: CaptureReader, failure: BaseException | None) -> None:
        """See `ReaderOwner`."""
        if self._is_current(reader):
            self.failure = failure
            self._ended.set()
            self._opened.set()

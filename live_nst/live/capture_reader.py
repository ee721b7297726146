"""The thread that opens, reads and closes one source, and reopens it after it was lost."""

import threading
from collections.abc import Callable
from typing import Protocol

from live_nst.errors import SourceError, SourceLostError
from live_nst.sources.base import InterruptibleSource, Source
from live_nst.types import Frame

OpenSource = Callable[[], Source]

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 5.0  # between attempts to reopen a lost source


class ReaderOwner(Protocol):
    """Is told what a reader does, in the thread of the reader. `CaptureWorker` is one."""

    def wait_wanted(self) -> None:
        """Wait until the frames of a source that waits, such as a file, are wanted."""
        ...

    def on_open(self, reader: "CaptureReader", source: Source) -> None:
        """Take notice that the source is open; a candidate replaces the reader in use."""
        ...

    def on_frame(self, reader: "CaptureReader", frame: Frame) -> None:
        """Take a frame."""
        ...

    def on_lost(self, reader: "CaptureReader", error: SourceError) -> None:
        """Take notice that the source was lost; it is opened again after a pause."""
        ...

    def on_end(self, reader: "CaptureReader", failure: BaseException | None) -> None:
        """Take notice that the reader has ended, with the error that ended it."""
        ...


class CaptureReader(threading.Thread):
    """Opens, reads and closes a source until `stop` is set.

    Args:
        owner: Gets the frames.
        open_source: Opens the source.
        first: Whether an error of the first opening ends the thread.
        candidate: Whether it replaces the owner's reader once its source is open.

    Attributes:
        offset: What is added to the indexes of the source.
        stop: Set when it is to end.
        wake: Set when a pause is to end.
        opened: Set when a candidate's source is open, or cannot be opened.
        failure: The error that ended it, if one did.
    """

    def __init__(
        self,
        owner: ReaderOwner,
        open_source: OpenSource,
        *,
        first: bool = True,
        candidate: bool = False,
    ) -> None:
        # A daemon, because a driver may never return from a read.
        super().__init__(name="live-nst capture", daemon=True)
        self._owner = owner
        self.open_source = open_source
        self.candidate = candidate
        self._may_retry = not first
        self._pause = FIRST_RETRY_SECONDS
        self._source: Source | None = None
        self.offset = 0
        self.stop = threading.Event()
        self.wake = threading.Event()
        self.opened = threading.Event()
        self.failure: BaseException | None = None

    def end(self) -> None:
        """Ask the thread to end soon."""
        self.stop.set()
        self.wake.set()
        source = self._source  # it is set before `stop` is looked at
        if isinstance(source, InterruptibleSource):
            source.interrupt()

    def run(self) -> None:
        """Read until `end`, the last frame, or an error; this is the thread."""
        failure: BaseException | None = None
        try:
            while not self.stop.is_set() and self._read_until_lost():
                self.wake.wait(self._pause)
                if not self.stop.is_set():
                    self.wake.clear()
                self._pause = min(2 * self._pause, LONGEST_RETRY_SECONDS)
        except BaseException as exc:  # kept for the thread that runs the pipeline
            failure = exc
        self.failure = failure
        self.opened.set()
        self._owner.on_end(self, failure)

    def _read_until_lost(self) -> bool:
        """Open and read the source; return whether it was lost and should be reopened."""
        owner = self._owner
        try:
            source = self.open_source()
        except SourceError as exc:
            if not self._may_retry:
                raise
            owner.on_lost(self, exc)
            return True
        self._source = source
        with source:
            self._may_retry = True
            owner.on_open(self, source)
            self.opened.set()
            if source.info.paused_until_read:
                owner.wait_wanted()
            while not self.stop.is_set():
                try:
                    frame = source.read()
                except SourceLostError as exc:
                    owner.on_lost(self, exc)
                    return True
                if frame is None:
                    return False
                self._pause = FIRST_RETRY_SECONDS
                owner.on_frame(self, frame)
        return False

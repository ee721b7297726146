"""Frames made ready for the network: in the thread that runs it, or in a thread beside it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from live_nst.engines.base import DeviceImage
from live_nst.live.latest_frame import LatestSlot
from live_nst.types import Frame, Image

_POLL_SECONDS = 0.05  # how late a close may be noticed

WaitForNewer = Callable[[Frame], float]
"""Returns for how many seconds a newer frame is waited for; see `LatestSlot.take`."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame, ready for the network.

    Attributes:
        frame: The frame as it was captured.
        content: Its image, mirrored if asked for.
        prefetched: `content` in the engine's own form; None if the engine makes it later.
    """

    frame: Frame
    content: Image
    prefetched: DeviceImage | None = None


class FrameInput:
    """Prepares the newest frame when it is taken.

    This is best where the network runs on the same processor.

    Args:
        source: Where captured frames appear.
        prepare: Prepares one frame.
    """

    def __init__(
        self, source: LatestSlot[Frame], prepare: Callable[[Frame], PreparedFrame]
    ) -> None:
        self._source = source
        self._prepare = prepare

    @property
    def empty(self) -> bool:
        """Whether no frame waits or is being prepared."""
        return self._source.empty

    @property
    def replaced(self) -> int:
        """Number of prepared frames that were replaced by newer ones before they were taken."""
        return 0

    def take(self, timeout: float, wait_for_newer: WaitForNewer) -> PreparedFrame | None:
        """Take the newest frame; return None if there was none within `timeout` seconds."""
        frame = self._source.take(timeout, wait_for_newer)
        return None if frame is None else self._prepare(frame)

    def close(self, timeout: float) -> None:
        """Prepare no more frames; wait up to `timeout` seconds for the one being prepared."""


class FramePrefetcher(FrameInput):
    """Prepares the newest frame in a thread of its own, while a GPU computes the one before.

    Args:
        source: Where captured frames appear.
        prepare: Prepares one frame; called in the thread.
        on_failure: Called in the thread with the error that ended it.
    """

    def __init__(
        self,
        source: LatestSlot[Frame],
        prepare: Callable[[Frame], PreparedFrame],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        super().__init__(source, prepare)
        self._on_failure = on_failure
        self._ready: LatestSlot[PreparedFrame] = LatestSlot()
        self._changed = threading.Condition()
        self._busy = False
        self._prepared = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="live-nst prefetch", daemon=True)
        self._thread.start()

    @property
    def empty(self) -> bool:
        """Whether no frame waits, is being prepared or is ready."""
        return self._is_idle() and self._ready.empty

    @property
    def replaced(self) -> int:
        """Number of prepared frames that were replaced by newer ones before they were taken."""
        return self._ready.replaced

    def take(self, timeout: float, wait_for_newer: WaitForNewer) -> PreparedFrame | None:
        """Take the newest frame; one that is captured but not ready yet is waited for."""
        # At most two: a source that is faster than this thread always has another one.
        with self._changed:
            enough = self._prepared + 2
            self._changed.wait_for(
                lambda: self._is_idle() or self._prepared >= enough or self._closed, timeout
            )
        return self._ready.take(timeout, lambda prepared: wait_for_newer(prepared.frame))

    def close(self, timeout: float) -> None:
        """Prepare no more frames; wait up to `timeout` seconds for the one being prepared."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _is_idle(self) -> bool:
        # The order matters: `_busy` is set before a frame leaves the source.
        return self._source.empty and not self._busy

    def _run(self) -> None:
        try:
            while not self._closed:
                if self._source.wait(_POLL_SECONDS):
                    self._prepare_next()
        except BaseException as exc:
            self._on_failure(exc)

    def _prepare_next(self) -> None:
        self._busy = True
        try:
            frame = self._source.take(0.0)
            if frame is not None:
                self._ready.put(self._prepare(frame))
        finally:
            with self._changed:
                self._busy = False
                self._prepared += 1
                self._changed.notify_all()

"""Frames are made ready beside the network: there, too, the newest wins and nothing queues."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from live_nst.engines.base import DeviceImage
from live_nst.live.latest_frame import LatestSlot
from live_nst.types import Frame, Image

_WAIT = 0.05  # seconds; how long a close may go unnoticed


@dataclass(frozen=True, slots=True)
class PrefetchedFrame:
    """A frame of which all is done that needs no device.

    Attributes:
        frame: As it was captured.
        content: Its picture as it is to be seen, mirrored or not.
        prefetched: `content` as the engine staged it; None if it does not.
    """

    frame: Frame
    content: Image
    prefetched: DeviceImage | None = None


class FramePrefetcher:
    """Makes the newest frame ready, again and again, in a thread of its own.

    Args:
        source: Where captured frames appear.
        make_ready: Called in the thread.
        died: Called in the thread with what it died of.
    """

    def __init__(
        self,
        source: LatestSlot[Frame],
        make_ready: Callable[[Frame], PrefetchedFrame],
        died: Callable[[BaseException], None],
    ) -> None:
        self._source = source
        self._make_ready = make_ready
        self._died = died
        self._ready: LatestSlot[PrefetchedFrame] = LatestSlot()
        self._changed = threading.Condition()
        self._in_hand = False
        self._made = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="live-nst staging", daemon=True)
        self._thread.start()

    @property
    def replaced(self) -> int:
        """How many frames were made ready in vain, as a newer one came."""
        return self._ready.replaced

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken, nor is captured or in hand."""
        return self._settled() and self._ready.empty

    def take(
        self, timeout: float, patience: Callable[[PrefetchedFrame], float] | None = None
    ) -> PrefetchedFrame | None:
        """The newest frame, as `Slot.take` gives it.

        One that was captured already is waited for, as it is younger than what is ready.
        """
        with self._changed:
            # The one in hand, and the one that was captured meanwhile: of a source that is faster
            # than this thread there is always another.
            enough = self._made + 2
            self._changed.wait_for(
                lambda: self._settled() or self._made >= enough or self._closed, timeout
            )
        return self._ready.take(timeout, patience)

    def close(self, timeout: float) -> None:
        """Make nothing more ready."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _settled(self) -> bool:
        # In this order: a frame is in hand before it has left the source.
        return self._source.empty and not self._in_hand

    def _run(self) -> None:
        try:
            while not self._closed:
                if self._source.wait(_WAIT):
                    self._work()
        except BaseException as exc:
            self._died(exc)

    def _work(self) -> None:
        self._in_hand = True
        try:
            frame = self._source.take(0.0)
            if frame is not None:
                self._ready.put(self._make_ready(frame))
        finally:
            with self._changed:
                self._in_hand = False
                self._made += 1
                self._changed.notify_all()


class SingleSlotExecutor:
    """Does jobs in a thread of its own, in order. One is in work, none waits.

    Args:
        name: The thread's.
        died: Called in the thread with what a job raised; no job is done after it.
    """

    def __init__(self, name: str, died: Callable[[BaseException], None]) -> None:
        self._died = died
        self._changed = threading.Condition()
        self._job: Callable[[], None] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def hand_over(self, job: Callable[[], None]) -> None:
        """Have `job` done; waits until the one before it is. Once closed it does nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._job is None or self._closed)
            if not self._closed:
                self._job = job
                self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Finish the job in work and take no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._job is not None or self._closed)
                job = self._job
            if job is None:
                return
            try:
                job()
            except BaseException as exc:
                self._died(exc)
                with self._changed:
                    self._closed = True
            with self._changed:
                self._job = None
                self._changed.notify_all()

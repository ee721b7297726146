"""The latest-frame slot between two threads, and the policy by which frames are skipped."""

import threading
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Generic, TypeVar

from live_nst.types import Frame

MAX_LOAD = 1.25  # frame intervals; with a larger median time per frame, no frame is skipped
MAX_WAIT = 1.25  # frame intervals after a capture; wait no longer for the next frame

_HISTORY = 16  # frames: half a second
_MIN_FRAMES = 4

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds the newest item until it is taken. A newer item replaces it, so `put` never blocks.

    This keeps the latency of live video low: a slow reader loses frames, but sees no old ones.

        slot: LatestSlot[Frame] = LatestSlot()
        slot.put(frame)                 # in the thread that captures
        newest = slot.take(timeout=1)   # in the thread that stylizes

    Attributes:
        replaced: Number of items that were replaced before they were taken.
    """

    def __init__(self) -> None:
        self._item: T | None = None
        self._changed = threading.Condition()
        self.replaced = 0

    def put(self, item: T) -> None:
        """Store an item in place of the one before it."""
        with self._changed:
            if self._item is not None:
                self.replaced += 1
            self._item = item
            self._changed.notify()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take."""
        return self._item is None

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for an item; return whether one is there to take."""
        with self._changed:
            return self._changed.wait_for(lambda: self._item is not None, timeout)

    def take(self, timeout: float, wait_for_newer: Callable[[T], float] | None = None) -> T | None:
        """Take the newest item.

        Args:
            timeout: Seconds to wait for an item.
            wait_for_newer: Returns, for the item that is there, for how many seconds to wait for a
                newer one in its place.

        Returns:
            The item; None if there was none in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None, timeout)
            item = self._item
            if item is not None and wait_for_newer and (seconds := wait_for_newer(item)) > 0:
                self._changed.wait_for(lambda: self._item is not item, seconds)
            item, self._item = self._item, None
            return item


class FrameSkipPolicy:
    """Decides whether to stylize a frame that has waited, or to wait for the next one.

    A worker that takes 30 ms for frames that come every 33 ms makes up for a delay by 3 ms per
    frame: after one slow frame, the next twenty are late. So a frame that is older than half an
    interval is skipped for the next one. One frame is lost, but the delay is gone.

    A worker that is slower than its source never waits: it would lose many frames for little.
    """

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None  # index and time
        self._intervals: deque[float] = deque(maxlen=_HISTORY)
        self._costs: deque[float] = deque(maxlen=_HISTORY)

    def add(self, frame: Frame, seconds: float) -> None:
        """Learn from a frame that took the worker so many seconds."""
        if self._last is not None and frame.index > self._last[0]:
            index, time = self._last
            self._intervals.append((frame.time - time) / (frame.index - index))
        self._last = (frame.index, frame.time)
        self._costs.append(seconds)

    def seconds_to_wait(self, age: float) -> float:
        """Return for how many seconds to wait for a newer frame.

        Args:
            age: Seconds since the newest frame was captured.
        """
        if len(self._intervals) < _MIN_FRAMES:
            return 0.0
        interval = median(self._intervals)
        if age <= interval / 2 or median(self._costs) > MAX_LOAD * interval:
            return 0.0
        return max(0.0, MAX_WAIT * interval - age)

"""One place for the newest thing: what makes live video live."""

import threading
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Generic, TypeVar

from live_nst.types import Frame

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds the newest item until it is taken; a newer one replaces it. `put` never blocks.

    Attributes:
        replaced: How many items were replaced before anybody took them.
    """

    def __init__(self) -> None:
        self._item: T | None = None
        self._changed = threading.Condition()
        self.replaced = 0

    def put(self, item: T) -> None:
        """Offer an item."""
        with self._changed:
            if self._item is not None:
                self.replaced += 1
            self._item = item
            self._changed.notify()

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return self._item is None

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for an item, and leave it there; whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: self._item is not None, timeout)

    def take(self, timeout: float, patience: Callable[[T], float] | None = None) -> T | None:
        """The newest item, waiting up to `timeout` seconds for one; None if none came.

        Args:
            timeout: Seconds.
            patience: For how many seconds a newer item is worth waiting for, given the one there.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None, timeout)
            item = self._item
            if item is not None and patience is not None and (seconds := patience(item)) > 0:
                self._changed.wait_for(lambda: self._item is not item, seconds)
            item, self._item = self._item, None
            return item


KEEPS_UP = 1.25  # intervals that a frame may take, in the median, of a painter that keeps up
LATEST = 1.25  # intervals after a frame, at which the next one is no longer waited for

_KEPT = 16  # frames that are looked back: half a second
_FEWEST = 4


class FrameSkipPolicy:
    """Keeps a painter that is about as fast as its source from lagging behind it.

    A painter that takes 30 ms for frames that come every 33 ms works off 3 ms of a delay with
    every frame: one slow frame makes the twenty after it late. So a frame that is more than half
    an interval old is passed over for the next, which is nearer: at the price of one frame the
    delay is gone. What is seen on the screen is younger for it, in the mean, too.

    A painter that does not keep up with its source waits for nothing: it would lose more frames
    than it wins time.
    """

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None  # index and time
        self._intervals: deque[float] = deque(maxlen=_KEPT)
        self._costs: deque[float] = deque(maxlen=_KEPT)

    def add(self, frame: Frame, seconds: float) -> None:
        """Learn from a frame that the painter was busy with for so long."""
        if self._last is not None and frame.index > self._last[0]:
            index, time = self._last
            self._intervals.append((frame.time - time) / (frame.index - index))
        self._last = (frame.index, frame.time)
        self._costs.append(seconds)

    def patience(self, age: float) -> float:
        """For how many seconds the next frame is worth waiting for.

        Args:
            age: Seconds since the newest frame was captured.
        """
        if len(self._intervals) < _FEWEST:
            return 0.0
        interval = median(self._intervals)
        if age <= interval / 2 or median(self._costs) > KEEPS_UP * interval:
            return 0.0
        return max(0.0, LATEST * interval - age)

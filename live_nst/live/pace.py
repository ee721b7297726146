"""Whether a frame that has waited is worth painting, or the next one is nearer."""

from collections import deque
from statistics import median

from live_nst.frames import Frame

KEEPS_UP = 1.25  # intervals that a frame may take, in the median, of a painter that keeps up
LATEST = 1.25  # intervals after a frame, at which the next one is no longer waited for

_KEPT = 16  # frames that are looked back: half a second
_FEWEST = 4


class Pace:
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

"""Which processing size holds a frame rate: decided from measured times alone.

A frame costs a + b * pixels seconds of the painter's time, both multiplied by whatever else the
machine does. The load is not known, but it is in the newest measurement, so the cost of another
size follows from it in proportion:

    cost(other) = cost(now) * (overhead + pixels(other)) / (overhead + pixels(now))

with the overhead a / b counted in pixels. It is fitted to the costs before and after each change
of size.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

TARGET_SHARE = 0.85  # a size is chosen if its frames take at most this share of the time there is
MAX_SHARE = 0.97  # and left if they take more than this: between the two nothing is changed
REACT_SECONDS = 0.5  # too slow for this long: something must change
CALM_SECONDS = 1.5  # fast enough for this long: something may change
MAX_GROWTH = 3.0  # in pixels, at once; further than that no prediction is trusted
PROBATION_SECONDS = 8.0  # seconds after a growth in which having to shrink calls it a mistake
FIRST_GROWTH_PAUSE, LONGEST_GROWTH_PAUSE = (
    4.0,
    120.0,
)  # seconds without growth after the first, later mistakes
WARM_UP_SECONDS = 1.5  # slow frames are put down to a preparation for no longer than this

_FEWEST = 4  # measurements that a decision rests on
_RATE_WINDOW = 1.0  # seconds over which the source's rate is counted
_RATE_WINDOWS = 3  # of which the best counts: a hiccup is no slow source
_SLOW_SOURCE = 0.9  # of the wanted rate; nearer to it, it is the wanted rate
_OVERHEAD = 20_000.0  # pixels, before anything was measured
_TRUST = 0.02  # weight of that first guess: about that of one change by one step
_CHANGES = 8  # of size, of which the costs are kept


class SourceRate:
    """How many frames a second a source really gives, from the frames that were taken of it.

    Indexes tell of the frames between. The best of the last seconds counts.
    """

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._last = 0.0
        self._rates: deque[float] = deque(maxlen=_RATE_WINDOWS)

    def add(self, index: int, captured: float) -> None:
        """Count the frame `index`, captured at that time in seconds."""
        if self._first is None or captured - self._last > _RATE_WINDOW:  # it had gone away
            self._first = (index, captured)
        elif captured - self._first[1] >= _RATE_WINDOW:
            self._rates.append((index - self._first[0]) / (captured - self._first[1]))
            self._first = (index, captured)
        self._last = captured

    def rate(self) -> float | None:
        """Frames per second; None until it has been watched for long enough."""
        return max(self._rates) if len(self._rates) == _RATE_WINDOWS else None


class SizeDecision(NamedTuple):
    """What to do now.

    Attributes:
        size: Long side, in pixels, to paint at from the next frame on; it is ready.
        prepare: Sizes that should be made ready, the most urgent first.
    """

    size: int
    prepare: tuple[int, ...]


class AdaptiveSize:
    """Chooses the largest processing size that holds a frame rate.

    It shrinks within half a second of too slow frames, to a size that it predicts to be fast
    enough, and grows when frames were fast for a while. Growth that has to be taken back makes it
    wait, longer each time. It knows no clock: time is that of the frames it is told of.

    Args:
        fps: The wanted frames per second. From a source that gives fewer, those are wanted.
        sizes: To choose from, in ascending order.
        size: In use at first; need not be one of `sizes`.
        pixels: How many pixels the network sees at a size.

    Attributes:
        size: In use now.
    """

    def __init__(
        self, fps: float, sizes: Sequence[int], size: int, pixels: Callable[[int], int]
    ) -> None:
        self._fps = fps
        self._source = SourceRate()
        self._ladder = list(sizes)
        self._pixels = pixels
        self._changes: deque[tuple[float, float]] = deque(maxlen=_CHANGES)
        self._costs: deque[tuple[float, float]] = deque()  # (when, seconds), oldest first
        self._since: float | None = None
        self._before: tuple[int, float] | None = None  # pixels and cost before the last change
        self._now = 0.0
        self._preparing_since: float | None = None
        self._grown = self._no_growth_before = -math.inf
        self._taken_back = False  # the last growth
        self._pause = 0.0
        self.reset(size)

    def reset(self, size: int) -> None:
        """Begin anew with `size`, or with another camera: `pixels` is asked again."""
        self.size = size
        # Sizes beyond the camera's are all the camera's: of those the first is enough.
        by_pixels = {self._pixels(step): step for step in reversed(self._ladder)}
        self._sizes = sorted(by_pixels.values())
        self._begin()

    def exclude(self, size: int) -> None:
        """Never choose `size`: the network cannot run at it."""
        self._ladder = [step for step in self._ladder if step != size]
        self._sizes = [step for step in self._sizes if step != size]

    @property
    def seconds(self) -> float:
        """The time that there is for a frame."""
        source = self._source.rate()
        if source is not None and source < _SLOW_SOURCE * self._fps:
            return 1.0 / source
        return 1.0 / self._fps

    @property
    def overhead(self) -> float:
        """What a frame costs whatever its size, as the pixels that cost as much: a / b."""
        squares = _TRUST + sum(x * x for x, _ in self._changes)
        return max(0.0, (_TRUST * _OVERHEAD + sum(x * y for x, y in self._changes)) / squares)

    def predict(self, size: int, cost: float) -> float:
        """Seconds for a frame of `size` while one of the size in use takes `cost`."""
        ratio = (self.overhead + self._pixels(size)) / (self.overhead + self._pixels(self.size))
        return cost * ratio

    def add(
        self, index: int, captured: float, started: float, finished: float, *, pixels: int,
        preparing: bool,
    ) -> None:  # fmt: skip
        """Learn from a painted frame.

        Args:
            index: Of the frame.
            captured: When it was captured; all times in seconds on one clock.
            started: When the painter began with it.
            finished: When the painter could begin with the next one.
            pixels: How many the network saw.
            preparing: Whether something was made ready beside it, which slows it.
        """
        self._source.add(index, captured)
        self._now = finished
        if not preparing:
            self._preparing_since = None
        elif self._preparing_since is None:
            self._preparing_since = started
        disturbed = (
            self._preparing_since is not None and finished - self._preparing_since < WARM_UP_SECONDS
        )
        if disturbed or pixels != self._pixels(self.size):  # the latter: begun before a change
            return
        if self._since is None:
            self._since = finished  # the first frame after a change is not like the others
            return
        self._costs.append((finished, finished - started))
        while self._costs[0][0] < finished - self._window and len(self._costs) > _FEWEST:
            self._costs.popleft()
        self._learn_overhead()

    def choose(self, ready: Callable[[int], bool]) -> SizeDecision:
        """What to do now, given which sizes are ready."""
        wanted = self._wanted()
        if wanted == self.size:
            return SizeDecision(self.size, self._ahead(ready))
        use = self.size
        if ready(wanted):
            use = wanted
        elif wanted < self.size:
            use = self._makeshift(wanted, ready)
        if use != self.size:
            self._change(use)
        return SizeDecision(use, () if use == wanted else (wanted,))

    def _wanted(self) -> int:
        """The size that should be in use, ready or not."""
        if len(self._costs) < _FEWEST:
            return self.size
        cost = self._recent()
        if cost > MAX_SHARE * self.seconds:
            smaller = [size for size in self._sizes if size < self.size]
            return self._largest_within(smaller, cost) or min(smaller, default=self.size)
        if self._is_calm() and self._now >= self._no_growth_before:
            most = MAX_GROWTH * self._pixels(self.size)
            larger = [s for s in self._sizes if s > self.size and self._pixels(s) <= most]
            return self._largest_within(larger, self._high()) or self.size
        return self.size

    def _largest_within(self, sizes: Sequence[int], cost: float) -> int | None:
        fitting = [s for s in sizes if self.predict(s, cost) <= TARGET_SHARE * self.seconds]
        return max(fitting, default=None)

    def _makeshift(self, wanted: int, ready: Callable[[int], bool]) -> int:
        """What is ready and helps until `wanted` is: a bit smaller, else a bit larger than it."""
        below = [size for size in self._sizes if size < wanted and ready(size)]
        between = [size for size in self._sizes if wanted < size < self.size and ready(size)]
        return max(below, default=min(between, default=self.size))

    def _ahead(self, ready: Callable[[int], bool]) -> tuple[int, ...]:
        """What may be wanted soon: half the pixels, a step up if it is near, a step down."""
        if not self._is_calm():
            return ()
        half = 0.5 * self._pixels(self.size)
        smaller = [size for size in self._sizes if size < self.size]
        larger = [size for size in self._sizes if size > self.size][:1]
        candidates = [
            *[size for size in smaller if self._pixels(size) <= half][-1:],
            *[size for size in larger if self.predict(size, self._high()) <= self.seconds],
            *smaller[-1:],
        ]
        return tuple(size for size in dict.fromkeys(candidates) if not ready(size))

    def _change(self, size: int) -> None:
        cost = self._recent()
        if size > self.size:
            self._grown, self._taken_back = self._now, False
        else:
            if self._now - self._grown >= PROBATION_SECONDS:
                self._pause = 0.0
            elif not self._taken_back:  # a load that needs several steps down is one mistake
                self._pause = min(2 * self._pause or FIRST_GROWTH_PAUSE, LONGEST_GROWTH_PAUSE)
                self._taken_back = True
            self._no_growth_before = self._now + self._pause
        before = (self._pixels(self.size), cost)
        self.size = size
        self._begin()
        self._before = before

    def _begin(self) -> None:
        """Forget what was measured at another size."""
        self._costs.clear()
        self._since = None
        self._before = None

    @property
    def _window(self) -> float:
        """Seconds that are looked back: a few frames, if frames take long."""
        return max(CALM_SECONDS, 1.5 * _FEWEST * self.seconds)

    def _is_calm(self) -> bool:
        """Whether it was measured for long enough, and lately, for a change without need."""
        if len(self._costs) < _FEWEST:
            return False
        first, last = self._costs[0][0], self._costs[-1][0]
        return last == self._now and last - first >= 0.9 * self._window

    def _recent(self) -> float:
        """The cost of a frame now."""
        recent = [cost for moment, cost in self._costs if moment > self._now - REACT_SECONDS]
        if len(recent) < _FEWEST:
            recent = [cost for _, cost in self._costs][-_FEWEST:]
        return median(recent)

    def _high(self) -> float:
        """The cost of a frame as it may well be: three quarters are cheaper."""
        return sorted(cost for _, cost in self._costs)[3 * len(self._costs) // 4]

    def _learn_overhead(self) -> None:
        """Once the first frames after a change were measured, compare them with those before."""
        if self._before is None or len(self._costs) < _FEWEST:
            return
        (pixels1, cost1), self._before = self._before, None
        pixels2, cost2 = self._pixels(self.size), self._recent()
        # cost1 * (overhead + pixels2) = cost2 * (overhead + pixels1), as overhead * x = y.
        x = (cost1 - cost2) / (cost1 + cost2)
        y = (cost2 * pixels1 - cost1 * pixels2) / (cost1 + cost2)
        if x * (pixels1 - pixels2) > 0:  # else the load changed more than the size
            self._changes.append((x, y))

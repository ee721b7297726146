"""Choose the processing size that holds a frame rate, from measured times alone.

A frame takes a + b * pixels seconds, multiplied by a factor for what other programs do to the
machine. That factor is not known, but it is part of the newest measurement. So the cost of another
size follows in proportion:

    cost(other) = cost(now) * (overhead + pixels(other)) / (overhead + pixels(now))

The overhead is a / b, counted in pixels. It is fitted to the costs before and after each change of
the size.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

TARGET_SHARE = 0.85  # of the time per frame: a size is chosen if its frames take at most this
MAX_SHARE = 0.97  # of the time per frame: a size is given up if its frames take more than this
REACT_SECONDS = 0.5  # of frames that are too slow, before the size shrinks
CALM_SECONDS = 1.5  # of frames that are fast enough, before the size may grow
MAX_GROWTH = 3.0  # factor in pixels at once; predictions further away are not reliable
PROBATION_SECONDS = 8.0  # after a growth: if the size has to shrink again, growing was a mistake
FIRST_GROWTH_PAUSE = 4.0  # seconds without growth after the first mistake; doubled by each other
LONGEST_GROWTH_PAUSE = 120.0
WARM_UP_SECONDS = 1.5  # frames beside a compilation are not measured for at most this long

_MIN_SAMPLES = 4  # measurements needed for a decision
_RECENT_SAMPLES = 8  # measurements that count at least, if there are so many: noise is no load
_CALM_SAMPLES = 20  # frames at the wanted rate that are measured at least before the size may grow
_RATE_WINDOW = 1.0  # seconds over which the rate of the source is counted
_RATE_WINDOWS = 3  # the best of them counts: one late frame does not make a source slow
_SLOW_SOURCE = 0.9  # share of the wanted rate below which the rate of the source is wanted instead
_OVERHEAD = 20_000.0  # pixels; assumed before anything was measured
_PRIOR_WEIGHT = 0.02  # of that assumption: about that of one change by one step
_HISTORY = 8  # changes of the size that the overhead is fitted to


class SourceRate:
    """Measures the frame rate of a source from the frames that were taken from it.

    Frames between two of them are counted by their indexes. The best of the last seconds counts.
    """

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._last = 0.0
        self._rates: deque[float] = deque(maxlen=_RATE_WINDOWS)

    def add(self, index: int, captured: float) -> None:
        """Count a frame by its index and the time of its capture in seconds."""
        if self._first is None or captured - self._last > _RATE_WINDOW:  # it was lost
            self._first = (index, captured)
        elif captured - self._first[1] >= _RATE_WINDOW:
            self._rates.append((index - self._first[0]) / (captured - self._first[1]))
            self._first = (index, captured)
        self._last = captured

    def rate(self) -> float | None:
        """Return frames per second; None until it was measured for long enough."""
        return max(self._rates) if len(self._rates) == _RATE_WINDOWS else None


class SizeDecision(NamedTuple):
    """The sizes to use and to compile.

    Attributes:
        size: Longer side, in pixels, for the next frames. The network is compiled for it.
        prepare: Sizes to compile, the most urgent first.
    """

    size: int
    prepare: tuple[int, ...]


class AdaptiveSize:
    """Chooses the largest processing size that holds a frame rate.

    After half a second of frames that are too slow, it shrinks to a size that is predicted to be
    fast enough. When frames were fast for a while, it grows. If a growth has to be undone, it waits
    before the next one, longer each time. It has no clock: time is that of the frames it is given.

    Args:
        fps: The wanted frame rate. If the source is slower, the rate of the source is wanted.
        sizes: Sizes to choose from, in ascending order.
        size: The size at first; it need not be one of `sizes`.
        pixels: Returns how many pixels the network sees at a size.

    Attributes:
        size: The size in use.
    """

    def __init__(
        self, fps: float, sizes: Sequence[int], size: int, pixels: Callable[[int], int]
    ) -> None:
        self._fps = fps
        self._source = SourceRate()
        self._steps = list(sizes)
        self._sizes: list[int] = []
        self._pixels = pixels
        self._changes: deque[tuple[float, float]] = deque(maxlen=_HISTORY)
        self._costs: deque[tuple[float, float]] = deque()  # (time, seconds), oldest first
        self._since: float | None = None
        self._before: tuple[int, float] | None = None  # pixels and cost before the last change
        self._now = 0.0
        self._preparing_since: float | None = None
        self._grown = self._no_growth_before = -math.inf
        self._undone = False  # the last growth
        self._pause = 0.0
        self.reset(size)

    def reset(self, size: int) -> None:
        """Start again with a size, or after the size of the camera changed."""
        self.size = size
        self.choose_from(self._steps)
        self._begin()

    def exclude(self, size: int) -> None:
        """Never choose a size: the network cannot run at it."""
        self._steps = [step for step in self._steps if step != size]
        self._sizes = [step for step in self._sizes if step != size]

    def choose_from(self, sizes: Sequence[int]) -> None:
        """Choose from other sizes, in ascending order, from now on; the one in use stays in use."""
        self._steps = list(sizes)
        # Sizes beyond that of the camera all give as many pixels: the first of them is enough.
        by_pixels = {self._pixels(step): step for step in reversed(self._steps)}
        self._sizes = sorted(by_pixels.values())

    @property
    def seconds(self) -> float:
        """Seconds that there are for a frame."""
        source = self._source.rate()
        if source is not None and source < _SLOW_SOURCE * self._fps:
            return 1.0 / source
        return 1.0 / self._fps

    @property
    def overhead(self) -> float:
        """Cost of a frame apart from its pixels, in pixels that cost as much: a / b."""
        squares = _PRIOR_WEIGHT + sum(x * x for x, _ in self._changes)
        products = _PRIOR_WEIGHT * _OVERHEAD + sum(x * y for x, y in self._changes)
        return max(0.0, products / squares)

    def predict(self, size: int, cost: float) -> float:
        """Return the seconds that a frame takes at a size if it takes `cost` at the present one."""
        ratio = (self.overhead + self._pixels(size)) / (self.overhead + self._pixels(self.size))
        return cost * ratio

    def add(
        self,
        index: int,
        captured: float,
        started: float,
        finished: float,
        *,
        pixels: int,
        preparing: bool,
    ) -> None:
        """Learn from a stylized frame. All times are in seconds on one clock.

        Args:
            index: Index of the frame.
            captured: When it was captured.
            started: When the worker began with it.
            finished: When the worker could begin with the next one.
            pixels: How many pixels the network saw.
            preparing: Whether another size was being compiled, which slows frames.
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
        if disturbed or pixels != self._pixels(self.size):  # the latter: started before a change
            return
        if self._since is None:
            self._since = finished  # the first frame after a change is not like the others
            return
        self._costs.append((finished, finished - started))
        while self._costs[0][0] < finished - self._window and len(self._costs) > _MIN_SAMPLES:
            self._costs.popleft()
        self._learn_overhead()

    def choose(self, ready: Callable[[int], bool]) -> SizeDecision:
        """Decide on the size, given the function that tells which sizes are compiled."""
        wanted = self._wanted()
        if wanted == self.size:
            return SizeDecision(self.size, self._sizes_to_prepare(ready))
        use = self.size
        if ready(wanted):
            use = wanted
        elif wanted < self.size:
            use = self._substitute(wanted, ready)
        if use != self.size:
            self._change(use)
        return SizeDecision(use, () if use == wanted else (wanted,))

    def _wanted(self) -> int:
        """Return the size that should be in use, compiled or not."""
        if len(self._costs) < _MIN_SAMPLES:
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

    def _substitute(self, wanted: int, ready: Callable[[int], bool]) -> int:
        """Return the nearest compiled size until `wanted` is: a smaller one, else a larger one."""
        below = [size for size in self._sizes if size < wanted and ready(size)]
        between = [size for size in self._sizes if wanted < size < self.size and ready(size)]
        return max(below, default=min(between, default=self.size))

    def _sizes_to_prepare(self, ready: Callable[[int], bool]) -> tuple[int, ...]:
        """Return what may be wanted soon: half the pixels, a step up if it is near, a step down."""
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
            self._grown, self._undone = self._now, False
        else:
            if self._now - self._grown >= PROBATION_SECONDS:
                self._pause = 0.0
            elif not self._undone:  # several steps down for one load are one mistake
                self._pause = min(2 * self._pause or FIRST_GROWTH_PAUSE, LONGEST_GROWTH_PAUSE)
                self._undone = True
            self._no_growth_before = self._now + self._pause
        before = (self._pixels(self.size), cost)
        self.size = size
        self._begin()
        self._before = before

    def _begin(self) -> None:
        """Forget the measurements at another size."""
        self._costs.clear()
        self._since = None
        self._before = None

    @property
    def _window(self) -> float:
        """Seconds of measurements that count; more if frames take long."""
        return max(CALM_SECONDS, _CALM_SAMPLES * self.seconds)

    def _is_calm(self) -> bool:
        """Return whether enough was measured, up to now, for a change that is not urgent."""
        if len(self._costs) < _MIN_SAMPLES:
            return False
        first, last = self._costs[0][0], self._costs[-1][0]
        return last == self._now and last - first >= 0.9 * self._window

    def _recent(self) -> float:
        """Return the cost of a frame now."""
        recent = [cost for moment, cost in self._costs if moment > self._now - REACT_SECONDS]
        if len(recent) < _RECENT_SAMPLES:
            recent = [cost for _, cost in self._costs][-_RECENT_SAMPLES:]
        return median(recent)

    def _high(self) -> float:
        """Return the cost that three quarters of the frames stay below."""
        return sorted(cost for _, cost in self._costs)[3 * len(self._costs) // 4]

    def _learn_overhead(self) -> None:
        """Compare the first frames after a change of the size with those before it."""
        if self._before is None or len(self._costs) < _MIN_SAMPLES:
            return
        (pixels1, cost1), self._before = self._before, None
        pixels2, cost2 = self._pixels(self.size), self._recent()
        # cost1 * (overhead + pixels2) = cost2 * (overhead + pixels1), as overhead * x = y.
        x = (cost1 - cost2) / (cost1 + cost2)
        y = (cost2 * pixels1 - cost1 * pixels2) / (cost1 + cost2)
        if x * (pixels1 - pixels2) > 0:  # otherwise the load has changed more than the size
            self._changes.append((x, y))

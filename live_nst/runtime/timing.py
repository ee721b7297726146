"""Clocks, rates and percentiles. Times are in seconds unless a name says otherwise."""

import bisect
import itertools
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Clock(Protocol):
    """Gives the time and waits. Tests replace it, so that they need not sleep."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; return at once if that is zero or negative."""
        ...


class SystemClock:
    """The monotonic clock of the system."""

    def now(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        if seconds > 0:
            time.sleep(seconds)


class PreciseClock(SystemClock):
    """The finest clock of the system. On Windows the monotonic one ticks only 64 times a second."""

    def now(self) -> float:
        """Return seconds since some fixed moment."""
        return time.perf_counter()


class RateMeter:
    """Counts events per second over the last seconds.

    Args:
        window: How many seconds back events count.
    """

    def __init__(self, window: float = 2.0) -> None:
        self._window = window
        self._times: deque[float] = deque()

    def tick(self, now: float) -> None:
        """Count one event at the time `now`."""
        self._times.append(now)
        while self._times[0] < now - self._window:
            self._times.popleft()

    def rate(self) -> float:
        """Return events per second; 0 until there are two."""
        if len(self._times) < 2 or self._times[-1] == self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])


class RollingPercentiles:
    """Percentiles of the latest measurements.

    Args:
        capacity: How many measurements are kept. 20,000 are eleven minutes at 30 per second.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._values: deque[float] = deque(maxlen=capacity)

    def add(self, value: float) -> None:
        """Add one measurement."""
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    def percentile(self, percent: float) -> float:
        """Return the value that `percent` of 100 measurements do not exceed; 0.0 without any."""
        values = tuple(self._values)
        return float(np.percentile(values, percent)) if values else 0.0


class Histogram:
    """Counts measurements by their size. One thread adds, others may read.

    Args:
        bounds: Upper bounds of the buckets, growing; one more bucket takes what is larger.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count one measurement."""
        self._counts[bisect.bisect_left(self.bounds, value)] += 1
        self._total += value

    def cumulative(self) -> tuple[list[int], float]:
        """Return how many measurements do not exceed each bound, and their sum.

        The last of the numbers is that of all measurements.
        """
        return list(itertools.accumulate(self._counts)), self._total

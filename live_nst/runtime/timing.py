"""Clocks, rates and percentiles. Times are seconds unless a name says otherwise."""

import time
from collections import deque
from typing import Protocol

import numpy as np


class Clock(Protocol):
    """Time and waiting, injected so that tests need not sleep."""

    def now(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block for `seconds`; not at all if it is zero or negative."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for `seconds`."""
        if seconds > 0:
            time.sleep(seconds)


class RateMeter:
    """Events per second over the last `window` seconds."""

    def __init__(self, window: float = 2.0) -> None:
        self._window = window
        self._times: deque[float] = deque()

    def tick(self, now: float) -> None:
        """Count one event at time `now`."""
        self._times.append(now)
        while self._times[0] < now - self._window:
            self._times.popleft()

    def rate(self) -> float:
        """Events per second; 0 until there are two."""
        if len(self._times) < 2 or self._times[-1] == self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])


class RollingPercentiles:
    """Percentiles of the most recent measurements, in memory that does not grow.

    Args:
        capacity: How many measurements are kept. 20,000 are eleven minutes at 30 per second.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._values: deque[float] = deque(maxlen=capacity)

    def add(self, value: float) -> None:
        """Keep one measurement."""
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    def percentile(self, percent: float) -> float:
        """The value that `percent` of 100 measurements do not exceed; 0.0 when there are none."""
        values = tuple(self._values)
        return float(np.percentile(values, percent)) if values else 0.0

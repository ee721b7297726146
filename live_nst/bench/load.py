"""How much of the machine other programs take while something is measured."""

from collections.abc import Callable
from typing import NamedTuple

import psutil

from live_nst.timing import Clock, SystemClock

BUSY = 0.15
"""The share of all cores that other programs may take before a measurement is worth nothing."""


class Usage(NamedTuple):
    """Seconds of processor time, summed over all cores, since some fixed moments.

    Attributes:
        busy: What every program, and another virtual machine on the same cores, took.
        own: What this process and those of its children that have ended took.
    """

    busy: float
    own: float


def read_usage() -> Usage:
    """The machine's counters."""
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return Usage(sum(times) - idle, sum(own[:4]))


class OtherLoad:
    """The share of the machine that other programs took since this was made.

    Args:
        read: The counters.
        clock: Time.
        cores: Of the machine.
    """

    def __init__(
        self,
        read: Callable[[], Usage] = read_usage,
        clock: Clock | None = None,
        cores: int | None = None,
    ) -> None:
        self._read = read
        self._clock = clock or SystemClock()
        self._cores = cores or psutil.cpu_count() or 1
        self._start = self._clock.now()
        self._before = read()

    def share(self) -> float:
        """0..1 of all cores; 0.0 as long as no time has passed."""
        seconds = self._clock.now() - self._start
        if seconds <= 0:
            return 0.0
        after = self._read()
        others = (after.busy - self._before.busy) - (after.own - self._before.own)
        return min(1.0, max(0.0, others / (seconds * self._cores)))

"""Timing on a shared machine: short blocks in turn, in rounds, and a meter of other programs' load.

The speed of a shared machine drifts by a fifth within minutes, and other programs may halve it. So
what is compared runs in short blocks, one after the other, again and again. Ratios are taken within
a round, rounds on a busy machine are discarded, and the median over the rounds counts.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import psutil

from live_nst.runtime.timing import Clock, PreciseClock, SystemClock

Result = TypeVar("Result")

MAX_BACKGROUND_LOAD = 0.15
"""Share of all cores that other programs may take while a round counts."""

_SETTLE_SECONDS = 0.02
"""Before each block: the idle threads of the block before still spin for some milliseconds."""


class CpuUsage(NamedTuple):
    """CPU time in seconds, summed over all cores, since some fixed moments.

    Attributes:
        busy: Of all programs, and of other virtual machines on the same cores.
        own: Of this process and of its children that have ended.
    """

    busy: float
    own: float


def read_cpu_usage() -> CpuUsage:
    """Read the counters of this machine."""
    own = sum(os.times()[:4])
    try:
        times = psutil.cpu_times()
    except OSError:  # no /proc: other programs cannot be seen
        return CpuUsage(own, own)
    return CpuUsage(sum(times) - times.idle - getattr(times, "iowait", 0.0), own)


class BackgroundLoadMeter:
    """Measures the share of the machine that other programs take, from its construction on.

    Args:
        read: Reads the counters.
        clock: Gives the time.
        cores: Number of cores; None for this machine's.
    """

    def __init__(
        self,
        read: Callable[[], CpuUsage] = read_cpu_usage,
        clock: Clock | None = None,
        cores: int | None = None,
    ) -> None:
        self._read = read
        self._clock = clock or SystemClock()
        self._cores = cores or psutil.cpu_count() or 1
        self._start = self._clock.now()
        self._before = read()

    def share(self) -> float:
        """Return the share of all cores, 0..1; 0.0 if no time has passed."""
        seconds = self._clock.now() - self._start
        if seconds <= 0:
            return 0.0
        after = self._read()
        others = (after.busy - self._before.busy) - (after.own - self._before.own)
        return min(1.0, max(0.0, others / (seconds * self._cores)))


@dataclass
class MeasurementRounds(Generic[Result]):
    """Rounds of a measurement, repeated until enough of them were on a quiet machine.

    Attributes:
        wanted: The number of quiet rounds that is enough.
        results: The result of every round, in order.
        loads: The background load in every round, 0..1.
    """

    wanted: int
    results: list[Result] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)

    @property
    def quiet(self) -> list[Result]:
        """The results of the rounds on a quiet machine."""
        rounds = zip(self.results, self.loads, strict=True)
        return [result for result, load in rounds if load <= MAX_BACKGROUND_LOAD]

    @property
    def discarded(self) -> int:
        """The number of rounds on a busy machine."""
        return len(self.results) - len(self.quiet)

    @property
    def complete(self) -> bool:
        """Whether there are as many quiet rounds as wanted."""
        return len(self.quiet) >= self.wanted

    def run(
        self,
        measure: Callable[[], Result],
        *,
        attempts: int | None = None,
        deadline: float | None = None,
        on_load: Callable[[float], None] = lambda load: None,
        meter: Callable[[], BackgroundLoadMeter] = BackgroundLoadMeter,
        clock: Clock | None = None,
    ) -> None:
        """Run rounds until enough of them were quiet.

        Args:
            measure: Runs one round and returns its result.
            attempts: Most rounds to run; None for three times `wanted`.
            deadline: Time of `clock` after which no further round begins.
            on_load: Called after each round with its background load.
            meter: Starts to measure the background load.
            clock: Gives the time.
        """
        clock = clock or PreciseClock()
        while len(self.results) < (attempts or 3 * self.wanted) and not self.complete:
            load = meter()
            result = measure()
            self.loads.append(load.share())
            self.results.append(result)
            on_load(self.loads[-1])
            if deadline is not None and clock.now() >= deadline:
                break


def time_calls(
    calls: Mapping[str, Callable[[], object]],
    *,
    seconds: float,
    turns: int = 1,
    least: int = 3,
    clock: Clock | None = None,
) -> dict[str, list[float]]:
    """Run one block of each call in turn, and return the seconds of every single call.

    The first call of a block is not counted: it still meets the caches of the block before.

    Args:
        calls: What to time, by name. A call returns when its result is there.
        seconds: Length of a block.
        turns: Number of blocks of each. Many short blocks compare better than few long ones,
            because other virtual machines share memory and caches, and no counter shows that.
        least: Number of calls to count in a block even if they take longer.
        clock: Gives the time.
    """
    clock = clock or PreciseClock()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            times[name] += _time_block(call, seconds, least, clock)
    return times


def block_seconds(calls: Sequence[float], seconds: float, least: int = 3) -> float:
    """Return the length of blocks with which one block of each call takes `seconds` in all.

    Args:
        calls: Seconds of a single call of each.
        seconds: For all blocks together.
        least: As for `time_calls`. Slow calls overrun their block; the others get shorter ones.

    Returns:
        Seconds; zero or less if even the least number of calls takes longer.
    """
    # The first call of a block is not counted; the last one overruns it by half on average.
    left = seconds - sum(1.5 * call + _SETTLE_SECONDS for call in calls)
    slowest = sorted((least * call for call in calls), reverse=True)
    while len(slowest) > 1 and slowest[0] > left / len(slowest):
        left -= slowest.pop(0)
    return left / len(slowest)


def _time_block(
    call: Callable[[], object], seconds: float, least: int, clock: Clock
) -> list[float]:
    clock.sleep(_SETTLE_SECONDS)
    call()
    taken: list[float] = []
    begin = now = clock.now()
    while len(taken) < least or now - begin < seconds:
        start = clock.now()
        call()
        now = clock.now()
        taken.append(now - start)
    return taken

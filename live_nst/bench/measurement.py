"""How much of the machine other programs take while something is measured."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import psutil

from live_nst.runtime.timing import Clock, SystemClock

MAX_BACKGROUND_LOAD = 0.15
"""The share of all cores that other programs may take before a measurement is worth nothing."""


class CpuUsage(NamedTuple):
    """Seconds of processor time, summed over all cores, since some fixed moments.

    Attributes:
        busy: What every program, and another virtual machine on the same cores, took.
        own: What this process and those of its children that have ended took.
    """

    busy: float
    own: float


def read_cpu_usage() -> CpuUsage:
    """The machine's counters."""
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return CpuUsage(sum(times) - idle, sum(own[:4]))


class BackgroundLoadMeter:
    """The share of the machine that other programs took since this was made.

    Args:
        read: The counters.
        clock: Time.
        cores: Of the machine.
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
        """0..1 of all cores; 0.0 as long as no time has passed."""
        seconds = self._clock.now() - self._start
        if seconds <= 0:
            return 0.0
        after = self._read()
        others = (after.busy - self._before.busy) - (after.own - self._before.own)
        return min(1.0, max(0.0, others / (seconds * self._cores)))


Result = TypeVar("Result")

_SETTLE = 0.02
"""Seconds before a block: idle threads of the block before spin for some milliseconds."""


class PreciseClock(SystemClock):
    """The finest clock of the machine; Windows' monotonic one ticks 64 times a second."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.perf_counter()


class LoadMeter(Protocol):
    """Tells what share of the machine others took since it was made."""

    def share(self) -> float:
        """0..1 of all cores."""
        ...


@dataclass
class MeasurementRounds(Generic[Result]):
    """Rounds that were played.

    Attributes:
        wanted: How many in a quiet machine are enough.
        results: What every round gave, in order.
        loads: The share of the machine that others took in each, 0..1.
    """

    wanted: int
    results: list[Result] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)

    @property
    def quiet(self) -> list[Result]:
        """The rounds in which the machine was ours."""
        return [
            r
            for r, load in zip(self.results, self.loads, strict=True)
            if load <= MAX_BACKGROUND_LOAD
        ]

    @property
    def discarded(self) -> int:
        """How many were played in a busy machine."""
        return len(self.results) - len(self.quiet)

    @property
    def complete(self) -> bool:
        """Whether the machine was quiet in as many rounds as were wanted."""
        return len(self.quiet) >= self.wanted

    def play(
        self,
        play: Callable[[], Result],
        *,
        attempts: int | None = None,
        deadline: float | None = None,
        tell: Callable[[float], None] = lambda load: None,
        meter: Callable[[], LoadMeter] = BackgroundLoadMeter,
        clock: Clock | None = None,
    ) -> None:
        """Play rounds until enough of them found the machine quiet.

        Args:
            play: Plays one round, and gives what it measured.
            attempts: How many are played at most; three times `wanted` by default.
            deadline: The moment, on `clock`, after which no further round begins.
            tell: Called after each with the load in it.
            meter: Begins to measure what others take.
            clock: Time.
        """
        clock = clock or PreciseClock()
        while len(self.results) < (attempts or 3 * self.wanted) and not self.complete:
            load = meter()
            result = play()
            self.loads.append(load.share())
            self.results.append(result)
            tell(self.loads[-1])
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
    """Blocks of each call, in turn: the seconds that each single call took.

    The first call of a block is not counted: caches and threads belong to what ran before.

    Args:
        calls: What is timed, by name; each ends when its result is there, on the host.
        seconds: How long a block lasts.
        turns: How many blocks of each there are. Many short ones compare better than few long
            ones: memory and caches are shared with other virtual machines, whose load nothing
            tells.
        least: How many calls of a block are counted even if they take longer.
        clock: Time.
    """
    clock = clock or PreciseClock()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            times[name] += _block(call, seconds, least, clock)
    return times


def block_seconds(calls: Sequence[float], seconds: float, least: int = 3) -> float:
    """How long the blocks of `time_calls` may last so that one of each takes `seconds` in all.

    Args:
        calls: Seconds that a single call of each takes.
        seconds: For all of them together.
        least: As for `time_calls`: what slow calls take beyond a block, the others lack.

    Returns:
        Seconds; zero or less if even the least number of calls takes longer.
    """
    # The first call of a block is not counted; the last one goes on beyond it, by half in the mean.
    left = seconds - sum(1.5 * call + _SETTLE for call in calls)
    slowest = sorted((least * call for call in calls), reverse=True)
    while len(slowest) > 1 and slowest[0] > left / len(slowest):
        left -= slowest.pop(0)
    return left / len(slowest)


def _block(call: Callable[[], object], seconds: float, least: int, clock: Clock) -> list[float]:
    clock.sleep(_SETTLE)
    call()
    taken: list[float] = []
    begin = now = clock.now()
    while len(taken) < least or now - begin < seconds:
        start = clock.now()
        call()
        now = clock.now()
        taken.append(now - start)
    return taken

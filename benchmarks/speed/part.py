"""A part of the speed benchmark: measure in rounds, and check promises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.stats import SampleStats
from live_nst.bench.measurement import MAX_BACKGROUND_LOAD, MeasurementRounds

_MAX_BUSY_STREAK = 5
"""Number of consecutive busy rounds after which a part is given up."""

Values = dict[str, float]
"""Results of one round by name: milliseconds, frames per second, shares."""

Summary = Mapping[str, Mapping[str, float]]
"""`SampleStats.as_dict` of every value, over the rounds."""


class NotMeasuredError(Exception):
    """A part cannot be measured on this machine."""


class TooBusyError(Exception):
    """Other programs use too much of the processor for a measurement."""


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    Attributes:
        rounds: Quiet rounds of each part; None for the part's default.
        trial: Run one round on a busy machine, too, to check that everything works.
        folder: Folder for images of the page.
    """

    rounds: int | None = None
    trial: bool = False
    folder: Path = Path("benchmarks/speed")


@dataclass(frozen=True)
class Promise:
    """A limit that a measured value must keep.

    Attributes:
        text: The promise, including its limit.
        value: The measured value; None if it was not measured.
        bound: The minimum, or the maximum unless `at_least`.
        at_least: Whether `bound` is the minimum.
        value_format: Format of the value.
        stretch: A stretch goal: missing it is not a failure.
    """

    text: str
    value: float | None
    bound: float
    at_least: bool = True
    value_format: str = "{:.2f}"
    stretch: bool = False

    @property
    def kept(self) -> bool:
        """Return whether the value was measured and keeps the limit."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def broken(self) -> bool:
        """Return whether the value was measured and misses the limit; never for stretch goals."""
        return self.value is not None and not self.kept and not self.stretch

    @property
    def verdict(self) -> str:
        """Return the result for the table."""
        if self.value is None:
            return "not measured"
        if self.kept:
            return "kept"
        return "not reached" if self.stretch else "BROKEN"

    @property
    def value_text(self) -> str:
        """Return the formatted value; "" if it was not measured."""
        return "" if self.value is None else self.value_format.format(self.value)


@dataclass(frozen=True)
class Part:
    """One part of the benchmark.

    Attributes:
        name: Name for `--only`.
        title: Heading.
        measure: Return a result for JSON with "summary" and "rounds"; may raise
            NotMeasuredError or TooBusyError.
        promises: Return the promises for a result of `measure`.
        tables: Return Markdown for a result of `measure`.
    """

    name: str
    title: str
    measure: Callable[[Settings], dict[str, Any]]
    promises: Callable[[dict[str, Any]], list[Promise]] = field(default=lambda result: [])
    tables: Callable[[dict[str, Any]], str] = field(default=lambda result: "")


def run_rounds(
    one_round: Callable[[], Values], default_rounds: int, settings: Settings, shown: str
) -> dict[str, Any]:
    """Run rounds until enough were quiet, and summarize them.

    Args:
        one_round: Measure everything once, in turn.
        default_rounds: Number of quiet rounds unless `settings` has another one.
        settings: Settings of the run.
        shown: Name of the value that is printed after each round.

    Returns:
        "summary", "rounds" and the number of "discarded" rounds.

    Raises:
        TooBusyError: Other programs used too much of the processor.
    """
    wanted = 1 if settings.trial else settings.rounds or default_rounds
    rounds: MeasurementRounds[Values] = MeasurementRounds(wanted)

    def report(load: float) -> None:
        status = f"{len(rounds.quiet)} of {wanted}"
        if settings.trial:
            status = "of a trial"
        elif load > MAX_BACKGROUND_LOAD:
            status = "discarded: busy"
        value = rounds.results[-1][shown]
        print(
            f"  round {status}; load of other programs {load:.0%}; {shown}: {value:.3g}", flush=True
        )
        if (
            len(rounds.loads) >= _MAX_BUSY_STREAK
            and min(rounds.loads[-_MAX_BUSY_STREAK:]) > MAX_BACKGROUND_LOAD
        ):
            raise TooBusyError(f"other programs were busy in {_MAX_BUSY_STREAK} consecutive rounds")

    rounds.run(one_round, attempts=1 if settings.trial else 3 * wanted, on_load=report)
    counted = rounds.results if settings.trial else rounds.quiet
    if not settings.trial and not rounds.complete:
        raise TooBusyError(
            f"other programs were busy in {rounds.discarded} of {len(rounds.results)} rounds"
        )
    return {
        "summary": summarize(counted),
        "discarded": rounds.discarded,
        "rounds": [{name: _short(value) for name, value in each.items()} for each in counted],
    }


def summarize(rounds: Sequence[Values]) -> dict[str, dict[str, float]]:
    """Return the statistics of each value over the rounds."""
    return {name: SampleStats.of([each[name] for each in rounds]).as_dict() for name in rounds[0]}


def median_of(result: Mapping[str, Any], name: str) -> float | None:
    """Return the median of a value; None if it was not measured."""
    values = result["summary"].get(name)
    return None if values is None else float(values["median"])


def _short(value: float) -> float:
    return float(f"{value:.5g}")

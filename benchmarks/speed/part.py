"""What a part of the record is: it measures something in rounds, and says what is promised."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.stats import SampleStats
from live_nst.bench.measurement import MAX_BACKGROUND_LOAD, MeasurementRounds

_PATIENCE = 5
"""Busy rounds one after the other after which no quiet one is waited for."""

Values = dict[str, float]
"""What one round gave: milliseconds, frames per second, shares; by name."""

Summary = Mapping[str, Mapping[str, float]]
"""`Spread.as_dict` of every value, over the rounds."""


class NotMeasuredError(Exception):
    """A part cannot be measured on this machine; says why."""


class TooBusyError(Exception):
    """Other programs take too much of the machine to measure on it; says how much."""


@dataclass(frozen=True)
class Settings:
    """How thoroughly is measured.

    Attributes:
        rounds: Quiet rounds of each part; None for the part's own number.
        trial: One round each, however busy the machine is: to see that everything works.
        folder: Where pictures for the page go.
    """

    rounds: int | None = None
    trial: bool = False
    folder: Path = Path("docs")


@dataclass(frozen=True)
class Promise:
    """A bound that a measured value must keep.

    Attributes:
        text: What is promised, with the bound in words.
        value: What was measured; None if it was not, or no promise is made here.
        bound: The least or, unless `at_least`, the largest value that keeps it.
        at_least: Which of the two.
        form: How a value is written.
        stretch: Hoped for, not promised: to miss it is no failure.
    """

    text: str
    value: float | None
    bound: float
    at_least: bool = True
    form: str = "{:.2f}"
    stretch: bool = False

    @property
    def kept(self) -> bool:
        """Whether it was measured and holds."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def broken(self) -> bool:
        """Whether it is a promise that was measured and does not hold."""
        return self.value is not None and not self.kept and not self.stretch

    @property
    def verdict(self) -> str:
        """A word for the table."""
        if self.value is None:
            return "not measured"
        if self.kept:
            return "kept"
        return "not reached" if self.stretch else "BROKEN"

    @property
    def measured(self) -> str:
        """The value, written out."""
        return "" if self.value is None else self.form.format(self.value)


@dataclass(frozen=True)
class Part:
    """One part of the record.

    Attributes:
        name: What `--only` calls it.
        title: Its heading.
        measure: Measures; what it returns is kept as JSON and holds "summary" and "rounds".
            Raises NotMeasuredError.
        promises: What is promised, given what `measure` returned.
        tables: Markdown, given what `measure` returned.
    """

    name: str
    title: str
    measure: Callable[[Settings], dict[str, Any]]
    promises: Callable[[dict[str, Any]], list[Promise]] = field(default=lambda result: [])
    tables: Callable[[dict[str, Any]], str] = field(default=lambda result: "")


def play(
    one_round: Callable[[], Values], wanted: int, settings: Settings, about: str
) -> dict[str, Any]:
    """Play rounds and sum them up.

    Args:
        one_round: Measures everything once, in turn.
        wanted: How many quiet rounds are enough.
        settings: May say otherwise.
        about: The value that is shown while it goes on.

    Raises:
        TooBusyError: Other programs took too much of the machine.
    """
    wanted = 1 if settings.trial else settings.rounds or wanted
    rounds: MeasurementRounds[Values] = MeasurementRounds(wanted)

    def tell(load: float) -> None:
        mark = (
            "discarded: busy" if load > MAX_BACKGROUND_LOAD else f"{len(rounds.quiet)} of {wanted}"
        )
        value = rounds.results[-1][about]
        print(f"  round {mark}; others took {load:.0%}; {about}: {value:.3g}", flush=True)
        if len(rounds.loads) >= _PATIENCE and min(rounds.loads[-_PATIENCE:]) > MAX_BACKGROUND_LOAD:
            raise TooBusyError(
                f"other programs took too much of the machine {_PATIENCE} times on end"
            )

    rounds.play(one_round, attempts=1 if settings.trial else 3 * wanted, tell=tell)
    played = rounds.results if settings.trial else rounds.quiet
    if not settings.trial and not rounds.complete:
        raise TooBusyError(
            f"other programs took too much of the machine in {rounds.discarded} of "
            f"{len(rounds.results)} rounds"
        )
    return {
        "summary": summarize(played),
        "discarded": rounds.discarded,
        "rounds": [{name: _short(value) for name, value in each.items()} for each in played],
    }


def summarize(rounds: Sequence[Values]) -> dict[str, dict[str, float]]:
    """The spread of every value over the rounds."""
    return {name: SampleStats.of([each[name] for each in rounds]).as_dict() for name in rounds[0]}


def middle(result: Mapping[str, Any], name: str) -> float | None:
    """The median of a value; None if it was not measured."""
    values = result["summary"].get(name)
    return None if values is None else float(values["median"])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(values: Mapping[str, float] | None, form: str = "{:.1f}") -> str:
    """As in "27.3 (26.9 to 28.8)": the median, the least and the largest."""
    if values is None:
        return ""
    half, low, high = (form.format(values[name]) for name in ("median", "min", "max"))
    return f"{half} ({low} to {high})"


def _short(value: float) -> float:
    return float(f"{value:.5g}")

import pytest

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed import part
from benchmarks.speed.part import (
    Promise,
    Settings,
    TooBusyError,
    median_of,
    run_rounds,
)
from live_nst.bench.measurement import MeasurementRounds
from tests.bench.fakes import Meter


@pytest.mark.parametrize(
    ("promise", "kept", "broken", "verdict"),
    [
        (Promise("fast", 60.0, 60.0), True, False, "kept"),
        (Promise("fast", 59.9, 60.0), False, True, "BROKEN"),
        (Promise("small", 599.0, 600.0, at_least=False), True, False, "kept"),
        (Promise("small", 601.0, 600.0, at_least=False), False, True, "BROKEN"),
        (Promise("stretch", 0.6, 0.7, stretch=True), False, False, "not reached"),
        (Promise("stretch", 0.7, 0.7, stretch=True), True, False, "kept"),
        (Promise("missing", None, 0.7), False, False, "not measured"),
    ],
)
def test_promise(promise: Promise, kept: bool, broken: bool, verdict: str) -> None:
    assert (promise.kept, promise.broken, promise.verdict) == (kept, broken, verdict)


def test_promise_value_text() -> None:
    assert Promise("fast", 0.876, 0.8, value_format="{:.0%}").value_text == "88%"
    assert Promise("fast", None, 0.8).value_text == ""


def run(
    patch: pytest.MonkeyPatch, loads: Meter, settings: Settings, wanted: int = 3
) -> "dict[str, object]":
    defaults = {**MeasurementRounds.run.__kwdefaults__, "meter": loads}
    patch.setattr(MeasurementRounds.run, "__kwdefaults__", defaults)
    numbers = iter(range(1, 100))
    return run_rounds(
        lambda: {"fps": float(next(numbers)), "third": 1 / 3}, wanted, settings, "fps"
    )


def test_run_rounds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(monkeypatch, Meter(0.0, 0.5, 0.0, 0.0), Settings())
    assert result["rounds"] == [{"fps": n, "third": 0.33333} for n in (1.0, 3.0, 4.0)]
    assert result["summary"] == part.summarize(result["rounds"])  # type: ignore[arg-type]
    assert result["discarded"] == 1
    assert median_of(result, "fps") == 3.0
    assert median_of(result, "latency") is None
    assert "round discarded: busy; load of other programs 50%; fps: 2" in capsys.readouterr().out


def test_run_rounds_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooBusyError, match="7 of 9 rounds"):
        run(monkeypatch, Meter(0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.5), Settings(rounds=3))


def test_run_rounds_busy_streak(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooBusyError, match="5 consecutive rounds"):
        run(monkeypatch, Meter(0.0, 0.5), Settings(rounds=7))


def test_run_rounds_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, Meter(0.5), Settings(rounds=5, trial=True))
    assert result["rounds"] == [{"fps": 1.0, "third": 0.33333}]


def test_tables() -> None:
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    values = {"median": 27.31, "min": 26.9, "max": 28.84}
    assert format_stats(values) == "27.3 (26.9 to 28.8)"
    assert format_stats(None) == ""

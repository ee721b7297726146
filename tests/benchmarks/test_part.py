import pytest

from benchmarks.speed import part
from benchmarks.speed.part import Promise, Settings, TooBusyError, middle, play, table, written
from live_nst.bench import measurement as rounds
from tests.bench.fakes import Meter


@pytest.mark.parametrize(
    ("promise", "kept", "broken", "verdict"),
    [
        (Promise("fast", 60.0, 60.0), True, False, "kept"),
        (Promise("fast", 59.9, 60.0), False, True, "BROKEN"),
        (Promise("small", 599.0, 600.0, at_least=False), True, False, "kept"),
        (Promise("small", 601.0, 600.0, at_least=False), False, True, "BROKEN"),
        (Promise("hoped", 0.6, 0.7, stretch=True), False, False, "not reached"),
        (Promise("hoped", 0.7, 0.7, stretch=True), True, False, "kept"),
        (Promise("absent", None, 0.7), False, False, "not measured"),
    ],
)
def test_promises(promise: Promise, kept: bool, broken: bool, verdict: str) -> None:
    assert (promise.kept, promise.broken, promise.verdict) == (kept, broken, verdict)


def test_what_was_measured_is_written_out() -> None:
    assert Promise("fast", 0.876, 0.8, form="{:.0%}").measured == "88%"
    assert Promise("fast", None, 0.8).measured == ""


def played(
    patch: pytest.MonkeyPatch, loads: Meter, settings: Settings, wanted: int = 3
) -> "dict[str, object]":
    patch.setattr(rounds.MeasurementRounds.play, "__kwdefaults__", {
        **rounds.MeasurementRounds.play.__kwdefaults__, "meter": loads})  # fmt: skip
    numbers = iter(range(1, 100))
    return play(lambda: {"fps": float(next(numbers)), "third": 1 / 3}, wanted, settings, "fps")


def test_quiet_rounds_are_summed_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = played(monkeypatch, Meter(0.0, 0.5, 0.0, 0.0), Settings())
    assert result["rounds"] == [{"fps": n, "third": 0.33333} for n in (1.0, 3.0, 4.0)]
    assert result["summary"] == part.summarize(result["rounds"])  # type: ignore[arg-type]
    assert result["discarded"] == 1
    assert middle(result, "fps") == 3.0
    assert middle(result, "latency") is None
    assert "round discarded: busy; others took 50%; fps: 2" in capsys.readouterr().out


def test_a_busy_machine_is_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooBusyError, match="7 of 9 rounds"):
        played(monkeypatch, Meter(0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.5), Settings(rounds=3))


def test_what_is_busy_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooBusyError, match="5 times on end"):
        played(monkeypatch, Meter(0.0, 0.5), Settings(rounds=7))


def test_a_trial_is_one_round_in_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    result = played(monkeypatch, Meter(0.5), Settings(rounds=5, trial=True))
    assert result["rounds"] == [{"fps": 1.0, "third": 0.33333}]


def test_tables() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    values = {"median": 27.31, "min": 26.9, "max": 28.84}
    assert written(values) == "27.3 (26.9 to 28.8)"
    assert written(None) == ""

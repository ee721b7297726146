import json

import pytest
import typer
from typer.testing import CliRunner

from live_nst.bench.report import EngineSetup
from live_nst.cli import bench
from live_nst.cli.app import app
from live_nst.errors import UsageError
from tests.bench.fakes import Clock, Meter, Workshop

FAST, SLOW = EngineSetup("openvino", "bfloat16"), EngineSetup("tensorflow", "float32")
Output = pytest.CaptureFixture[str]


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A machine that paints 640x360 at 43 frames per second with one engine, at 11 with another."""
    clock = Clock()
    original = bench.run_bench

    def on_simulated_time(options, workshop, **rest):  # type: ignore[no-untyped-def]
        return original(options, workshop, clock=clock, meter=Meter(0.0), **rest)

    monkeypatch.setattr(bench, "run_bench", on_simulated_time)
    return Workshop(clock, {FAST: 1e-7, SLOW: 4e-7})


def run(workshop: Workshop, **changed: object) -> None:
    usual = {"model": "auto", "device": "auto", "camera_size": "1280x720", "fps": 30.0,
             "quick": False, "as_json": False}  # fmt: skip
    bench.run(**{**usual, **changed}, workshop=workshop)  # type: ignore[arg-type]


def test_the_table_and_the_recommendation(workshop: Workshop, capsys: Output) -> None:
    run(workshop)
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert ["openvino", "bfloat16", "640", "640x360", "43.4", "23.0", "23.0", "25%"] in lines
    assert ["tensorflow", "float32", "960", "960x540", "4.8", "207.4", "207.4", "6%"] in lines
    assert "matrix products: 1000 GFLOP/s in bfloat16, 1000 GFLOP/s in float32." in out
    assert out.splitlines()[-1].strip() == "live-nst --size 640"
    assert err == ""  # no bar in a pipe


def test_json_is_all_that_stands_on_stdout(workshop: Workshop, capsys: Output) -> None:
    run(workshop, as_json=True, fps=60.0, model="hub")
    report = json.loads(capsys.readouterr().out)
    assert report["recommendation"]["command"] == "live-nst --model hub --size 384"


def test_an_interruption_shows_the_table_and_the_exit_code(
    workshop: Workshop, capsys: Output
) -> None:
    def interrupt() -> None:
        if workshop.clock.now() > 115:
            raise KeyboardInterrupt

    workshop.before_call = interrupt
    with pytest.raises(typer.Exit) as caught:
        run(workshop)
    assert caught.value.exit_code == 130
    assert "Interrupted after 1 round: take the figures with care." in capsys.readouterr().out


def test_a_busy_machine_is_told_of(
    workshop: Workshop, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meter, "share", lambda self: 0.7)
    run(workshop)
    out, err = capsys.readouterr()
    assert "Other programs took 70% of this machine all the time" in out
    assert "Other programs take 70% of this machine" in err


@pytest.mark.parametrize("changed", [{"camera_size": "huge"}, {"fps": 0.0}])
def test_wrong_usage(workshop: Workshop, changed: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        run(workshop, **changed)


def test_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr("live_nst.cli.bench.run", lambda **options: ran.append(options))
    arguments = "bench --quick --json --fps 24 --camera-size 640x480 --model hub --device cpu"
    result = CliRunner().invoke(app, arguments.split())
    assert result.exit_code == 0, result.output
    assert ran == [{"model": "hub", "device": "cpu", "camera_size": "640x480", "fps": 24.0,
                    "quick": True, "as_json": True}]  # fmt: skip


@pytest.mark.slow
def test_the_real_machine_is_measured() -> None:
    result = CliRunner().invoke(app, ["bench", "--quick", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {row["size"] for row in report["rows"]} >= {256, 384}
    assert all(0.0 < row["share_of_peak"] < 1.0 for row in report["rows"])
    assert report["recommendation"]["command"].startswith("live-nst ")

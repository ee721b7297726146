import json

import pytest
import typer
from typer.testing import CliRunner

from live_nst.bench import run as bench_run
from live_nst.bench import setups as bench_setups
from live_nst.bench.report import EngineSetup
from live_nst.cli.app import app
from live_nst.cli.bench import bench
from live_nst.errors import UsageError
from tests.bench.fakes import Clock, FakeSetups, Meter

FAST, SLOW = EngineSetup("openvino", "bfloat16"), EngineSetup("tensorflow", "float32")
Output = pytest.CaptureFixture[str]


@pytest.fixture
def setups(monkeypatch: pytest.MonkeyPatch) -> FakeSetups:
    """A machine that paints 640x360 at 43 frames per second with one engine, at 11 with another."""
    clock = Clock()
    original = bench_run.run_bench

    def on_simulated_time(options, setups, **rest):  # type: ignore[no-untyped-def]
        return original(options, setups, clock=clock, meter=Meter(0.0), **rest)

    monkeypatch.setattr(bench_run, "run_bench", on_simulated_time)
    fake = FakeSetups(clock, {FAST: 1e-7, SLOW: 4e-7})
    monkeypatch.setattr(bench_setups, "StylizerSetups", lambda *args: fake)
    return fake


def test_table_and_recommendation(setups: FakeSetups, capsys: Output) -> None:
    bench()
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert ["openvino", "bfloat16", "640", "640x360", "43.4", "23.0", "23.0", "25%"] in lines
    assert ["tensorflow", "float32", "960", "960x540", "4.8", "207.4", "207.4", "6%"] in lines
    assert "matrix products: 1000 GFLOP/s in bfloat16, 1000 GFLOP/s in float32." in out
    assert out.splitlines()[-1].strip() == "live-nst --size 640"
    assert err == ""  # no bar in a pipe


def test_json(setups: FakeSetups, capsys: Output) -> None:
    bench(as_json=True, fps=60.0, model="hub")
    report = json.loads(capsys.readouterr().out)
    assert report["recommendation"]["command"] == "live-nst --model hub --size 384"


def test_interrupt_shows_the_table(setups: FakeSetups, capsys: Output) -> None:
    def interrupt() -> None:
        if setups.clock.now() > 115:
            raise KeyboardInterrupt

    setups.before_call = interrupt
    with pytest.raises(typer.Exit) as caught:
        bench()
    assert caught.value.exit_code == 130
    assert "Interrupted after 1 round: take the figures with care." in capsys.readouterr().out


def test_busy_machine(setups: FakeSetups, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "share", lambda self: 0.7)
    bench()
    out, err = capsys.readouterr()
    assert "Other programs took 70% of this machine all the time" in out
    assert "Other programs take 70% of this machine" in err


@pytest.mark.parametrize("changed", [{"camera_size": "huge"}, {"fps": 0.0}])
def test_invalid_options(setups: FakeSetups, changed: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        bench(**changed)  # type: ignore[arg-type]


def test_options(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr("live_nst.cli.bench.run", lambda *args, **rest: ran.append((*args, rest)))
    arguments = "bench --quick --json --fps 24 --camera-size 640x480 --model hub --device cpu"
    result = CliRunner().invoke(app, arguments.split())
    assert result.exit_code == 0, result.output
    extra = ("--model", "hub", "--device", "cpu")
    options = bench_run.BenchOptions(camera=(640, 480), fps=24.0, quick=True, extra=extra)
    assert ran == [(options, "hub", "cpu", {"as_json": True})]


@pytest.mark.slow
def test_real_machine() -> None:
    result = CliRunner().invoke(app, ["bench", "--quick", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {row["size"] for row in report["rows"]} >= {256, 384}
    assert all(0.0 < row["share_of_peak"] < 1.0 for row in report["rows"])
    assert report["recommendation"]["command"].startswith("live-nst ")

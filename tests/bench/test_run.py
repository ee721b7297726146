import json
from typing import Any

import pytest

from live_nst.bench.flops import FLOPS_PER_PIXEL
from live_nst.bench.report import BenchReport, EngineSetup
from live_nst.bench.run import QUICK_SIZES, SIZES, BenchOptions, run_bench
from live_nst.errors import DeviceError, UsageError
from tests.bench.fakes import Clock, FakeSetups, Meter

FAST, SLOW = EngineSetup("openvino", "bfloat16"), EngineSetup("tensorflow", "float32")
PER_PIXEL = {FAST: 1e-7, SLOW: 4e-7}
"""Seconds: 43 and 11 frames of 640x360 a second."""


def bench(
    seconds: dict[EngineSetup, float | None] | None = None,
    *loads: float,
    options: BenchOptions | None = None,
    ready: float = 0.1,
    **rest: Any,
) -> tuple[BenchReport, FakeSetups, Clock]:
    clock = Clock()
    setups = FakeSetups(clock, PER_PIXEL if seconds is None else seconds, ready)
    meter = Meter(*(loads or (0.0,)))
    report = run_bench(options or BenchOptions(), setups, clock=clock, meter=meter, **rest)
    return report, setups, clock


def test_sizes_up_to_too_slow() -> None:
    report, _, _ = bench()
    measured = [(row.setup, row.size) for row in report.rows]
    # 1280x720 takes a tenth of a second, or more than a third.
    assert measured == [(FAST, s) for s in SIZES] + [(SLOW, s) for s in SIZES[:5]]
    assert report.rows[3].network == (640, 360)
    assert report.rows[3].fps == pytest.approx(1 / (640 * 360e-7))
    assert report.rows[3].p50_ms == pytest.approx(0.1 * 640 * 0.36)
    assert not report.busy
    assert not report.interrupted


def test_share_of_peak() -> None:
    report, setups, _ = bench()
    assert report.peaks == pytest.approx({"bfloat16": setups.peak, "float32": setups.peak})
    for row in report.rows:
        per_second = FLOPS_PER_PIXEL["mobile"] / PER_PIXEL[row.setup]
        assert row.share == pytest.approx(per_second / setups.peak)


def test_share_of_unknown_model() -> None:
    clock = Clock()
    setups = FakeSetups(clock, PER_PIXEL)
    setups.model = "somebody/else"
    report = run_bench(BenchOptions(), setups, clock=clock, meter=Meter(0.0))
    assert {row.share for row in report.rows} == {None}


def test_takes_about_a_minute() -> None:
    _, _, clock = bench()
    assert 30 < clock.now() - 100 < 57
    # However slow most of it is: few calls of that are counted, and the others have less time.
    _, _, clock = bench(
        {FAST: 1e-7, SLOW: 6e-7, EngineSetup("openvino", "float32"): 3e-7}, ready=1.0
    )
    assert 50 < clock.now() - 100 < 57
    _, _, clock = bench(options=BenchOptions(quick=True))
    assert clock.now() - 100 < 14


def test_slow_preparation_measures_fewer_sizes() -> None:
    report, _, clock = bench(ready=12.0)
    assert clock.now() - 100 < 90
    assert {row.setup for row in report.rows} == {FAST, SLOW}
    assert len(report.rows) < len(SIZES)


def test_quick() -> None:
    report, _, _ = bench(options=BenchOptions(quick=True))
    assert [(row.setup, row.size) for row in report.rows] == [(FAST, s) for s in QUICK_SIZES]


def test_sizes_above_the_camera() -> None:
    report, _, _ = bench({FAST: 1e-8}, options=BenchOptions(camera=(640, 480)))
    assert [row.network for row in report.rows] == [(256, 192), (384, 288), (512, 384), (640, 480)]


def test_recommendation() -> None:
    assert bench()[0].recommendation.command == "live-nst --size 640"
    fast = bench(options=BenchOptions(fps=60, extra=("--device", "cpu")))[0].recommendation
    assert fast.command == "live-nst --device cpu --size 384"


def test_busy_rounds_do_not_count() -> None:
    clock, told = Clock(), []
    setups = FakeSetups(clock, {FAST: 1e-7})
    loads = Meter(0.5, 0.0)
    rounds = []
    setups.before_call = lambda: clock.sleep(1.0 if not rounds else 0.0)
    report = run_bench(
        BenchOptions(),
        setups,
        clock=clock,
        meter=loads,
        notify=lambda sentence: (told.append(sentence), rounds.append(1)),
    )
    assert told == ["Other programs take 50% of this machine: close them for true figures."]
    assert report.rows[0].fps == pytest.approx(1 / (256 * 144e-7))
    assert not report.busy


def test_always_busy() -> None:
    report, _, _ = bench(None, 0.6)
    assert report.busy
    assert report.other_load == 0.6
    assert report.rows


def test_failing_setup_is_left_out() -> None:
    told: list[str] = []
    report, _, _ = bench({FAST: 1e-7, SLOW: None}, notify=told.append)
    assert {row.setup for row in report.rows} == {FAST}
    assert told == ["tensorflow float32 is left out: it does not load"]


def test_single_failing_setup() -> None:
    with pytest.raises(DeviceError, match="it does not load"):
        bench({FAST: None})


def test_all_setups_fail() -> None:
    with pytest.raises(DeviceError, match="Nothing can be measured"):
        bench({FAST: None, SLOW: None})


def interrupted_at(seconds: float) -> tuple[BenchReport | None, FakeSetups]:
    """A quick run of two rounds, of two seconds each, with a Ctrl-C at that moment."""
    clock = Clock()
    setups = FakeSetups(clock, {FAST: 1e-6})

    def interrupt() -> None:
        if clock.now() > 100 + seconds:
            raise KeyboardInterrupt

    setups.before_call = interrupt
    try:
        return run_bench(BenchOptions(quick=True), setups, clock=clock, meter=Meter(0.0)), setups
    except KeyboardInterrupt:
        return None, setups


@pytest.mark.parametrize(("seconds", "reported"), [(0.5, False), (2.0, False), (4.5, True)])
def test_interrupt(seconds: float, reported: bool) -> None:
    report, setups = interrupted_at(seconds)
    assert (report is not None) == reported
    if report is not None:
        assert report.interrupted
        assert report.rounds == 1
        assert report.rows[0].fps == pytest.approx(1 / (256 * 144e-6))
    assert all(stylizer.closed for stylizer in setups.stylizers)


def test_progress() -> None:
    done: list[float] = []
    bench(progress=lambda share, what: done.append(share))
    assert done == sorted(done)
    assert done[0] >= 0.0 and done[-1] <= 1.0


def test_report_as_dict() -> None:
    report = json.loads(json.dumps(bench()[0].as_dict()))
    assert list(report) == [
        "machine", "model", "device", "camera", "fps", "peaks", "rows", "other_load", "busy",
        "rounds", "interrupted", "recommendation",
    ]  # fmt: skip
    row = {
        "engine": "openvino", "precision": "bfloat16", "device": "cpu", "size": 640,
        "network": [640, 360], "fps": 43.4, "p50_ms": 23.04, "p99_ms": 23.04,
        "share_of_peak": 0.251,
    }  # fmt: skip
    assert report["rows"][3] == row
    assert report["peaks"] == {"bfloat16": 1000.0, "float32": 1000.0}
    assert report["camera"] == [1280, 720]
    choice = report["recommendation"]
    assert {name: choice.pop(name) for name in row} == row
    assert set(choice) == {"enough", "sentence", "command"}


@pytest.mark.parametrize(
    "options",
    [BenchOptions(fps=0), BenchOptions(fps=1000), BenchOptions(camera=(0, 720)),
     BenchOptions(camera=(1280, 9999))],
)  # fmt: skip
def test_invalid_options(options: BenchOptions) -> None:
    clock = Clock()
    setups = FakeSetups(clock, PER_PIXEL)
    with pytest.raises(UsageError):
        run_bench(options, setups, clock=clock, meter=Meter(0.0))
    assert not setups.stylizers

import json
from typing import Any

import pytest

from live_nst.bench.flops import FLOPS_PER_PIXEL
from live_nst.bench.report import BenchReport, EngineSetup
from live_nst.bench.run import QUICK_SIZES, SIZES, BenchOptions, run_bench
from live_nst.errors import DeviceError, UsageError
from tests.bench.fakes import Clock, Meter, Workshop

FAST, SLOW = EngineSetup("openvino", "bfloat16"), EngineSetup("tensorflow", "float32")
PER_PIXEL = {FAST: 1e-7, SLOW: 4e-7}
"""Seconds: 43 and 11 frames of 640x360 a second."""


def bench(
    seconds: dict[EngineSetup, float | None] | None = None,
    *loads: float,
    options: BenchOptions | None = None,
    ready: float = 0.1,
    **rest: Any,
) -> tuple[BenchReport, Workshop, Clock]:
    clock = Clock()
    workshop = Workshop(clock, PER_PIXEL if seconds is None else seconds, ready)
    meter = Meter(*(loads or (0.0,)))
    report = run_bench(options or BenchOptions(), workshop, clock=clock, meter=meter, **rest)
    return report, workshop, clock


def test_every_setup_is_measured_from_small_to_too_slow() -> None:
    report, _, _ = bench()
    measured = [(row.setup, row.size) for row in report.rows]
    # 1280x720 takes a tenth of a second, or more than a third.
    assert measured == [(FAST, s) for s in SIZES] + [(SLOW, s) for s in SIZES[:5]]
    assert report.rows[3].network == (640, 360)
    assert report.rows[3].fps == pytest.approx(1 / (640 * 360e-7))
    assert report.rows[3].p50_ms == pytest.approx(0.1 * 640 * 0.36)
    assert not report.busy
    assert not report.interrupted


def test_shares_are_of_the_measured_peak() -> None:
    report, workshop, _ = bench()
    assert report.peaks == pytest.approx({"bfloat16": workshop.peak, "float32": workshop.peak})
    for row in report.rows:
        per_second = FLOPS_PER_PIXEL["mobile"] / PER_PIXEL[row.setup]
        assert row.share == pytest.approx(per_second / workshop.peak)


def test_models_of_unknown_cost_have_no_share() -> None:
    clock = Clock()
    workshop = Workshop(clock, PER_PIXEL)
    workshop.model = "somebody/else"
    report = run_bench(BenchOptions(), workshop, clock=clock, meter=Meter(0.0))
    assert {row.share for row in report.rows} == {None}


def test_it_takes_about_a_minute() -> None:
    _, _, clock = bench()
    assert 30 < clock.now() - 100 < 57
    # However slow most of it is: few calls of that are counted, and the others have less time.
    _, _, clock = bench(
        {FAST: 1e-7, SLOW: 6e-7, EngineSetup("openvino", "float32"): 3e-7}, ready=1.0
    )
    assert 50 < clock.now() - 100 < 57
    _, _, clock = bench(options=BenchOptions(quick=True))
    assert clock.now() - 100 < 14


def test_a_machine_that_is_slow_to_get_ready_measures_fewer_sizes() -> None:
    report, _, clock = bench(ready=12.0)
    assert clock.now() - 100 < 90
    assert {row.setup for row in report.rows} == {FAST, SLOW}
    assert len(report.rows) < len(SIZES)


def test_quick_measures_what_would_be_picked() -> None:
    report, _, _ = bench(options=BenchOptions(quick=True))
    assert [(row.setup, row.size) for row in report.rows] == [(FAST, s) for s in QUICK_SIZES]


def test_sizes_beyond_the_camera_are_left_out() -> None:
    report, _, _ = bench({FAST: 1e-8}, options=BenchOptions(camera=(640, 480)))
    assert [row.network for row in report.rows] == [(256, 192), (384, 288), (512, 384), (640, 480)]


def test_the_recommendation_is_for_the_wanted_rate() -> None:
    assert bench()[0].recommendation.command == "live-nst --size 640"
    fast = bench(options=BenchOptions(fps=60, extra=("--device", "cpu")))[0].recommendation
    assert fast.command == "live-nst --device cpu --size 384"


def test_rounds_in_a_busy_machine_do_not_count() -> None:
    clock, told = Clock(), []
    workshop = Workshop(clock, {FAST: 1e-7})
    loads = Meter(0.5, 0.0)
    rounds = []
    workshop.before_call = lambda: clock.sleep(1.0 if not rounds else 0.0)
    report = run_bench(
        BenchOptions(),
        workshop,
        clock=clock,
        meter=loads,
        notify=lambda sentence: (told.append(sentence), rounds.append(1)),
    )
    assert told == ["Other programs take 50% of this machine: close them for true figures."]
    assert report.rows[0].fps == pytest.approx(1 / (256 * 144e-7))
    assert not report.busy


def test_a_machine_that_is_always_busy_is_told_of() -> None:
    report, _, _ = bench(None, 0.6)
    assert report.busy
    assert report.other_load == 0.6
    assert report.rows


def test_a_setup_that_fails_is_left_out() -> None:
    told: list[str] = []
    report, _, _ = bench({FAST: 1e-7, SLOW: None}, notify=told.append)
    assert {row.setup for row in report.rows} == {FAST}
    assert told == ["tensorflow float32 is left out: it does not load"]


def test_a_single_setup_that_fails_says_why_itself() -> None:
    with pytest.raises(DeviceError, match="it does not load"):
        bench({FAST: None})


def test_nothing_that_works_is_an_error() -> None:
    with pytest.raises(DeviceError, match="Nothing can be measured"):
        bench({FAST: None, SLOW: None})


def interrupted_at(seconds: float) -> tuple[BenchReport | None, Workshop]:
    """A quick run of two rounds, of two seconds each, with a Ctrl-C at that moment."""
    clock = Clock()
    workshop = Workshop(clock, {FAST: 1e-6})

    def interrupt() -> None:
        if clock.now() > 100 + seconds:
            raise KeyboardInterrupt

    workshop.before_call = interrupt
    try:
        return run_bench(
            BenchOptions(quick=True), workshop, clock=clock, meter=Meter(0.0)
        ), workshop
    except KeyboardInterrupt:
        return None, workshop


@pytest.mark.parametrize(("seconds", "reported"), [(0.5, False), (2.0, False), (4.5, True)])
def test_an_interruption_reports_what_was_measured(seconds: float, reported: bool) -> None:
    report, workshop = interrupted_at(seconds)
    assert (report is not None) == reported
    if report is not None:
        assert report.interrupted
        assert report.rounds == 1
        assert report.rows[0].fps == pytest.approx(1 / (256 * 144e-6))
    assert all(painter.closed for painter in workshop.painters)


def test_progress_only_grows() -> None:
    done: list[float] = []
    bench(progress=lambda share, what: done.append(share))
    assert done == sorted(done)
    assert done[0] >= 0.0 and done[-1] <= 1.0


def test_the_json_has_one_form() -> None:
    report = json.loads(json.dumps(bench()[0].as_dict()))
    assert list(report) == [
        "machine", "model", "device", "camera", "fps", "peaks", "rows", "other_load", "busy",
        "rounds", "interrupted", "recommendation",
    ]  # fmt: skip
    row = {
        "engine": "openvino", "precision": "bfloat16", "size": 640, "network": [640, 360],
        "fps": 43.4, "p50_ms": 23.04, "p99_ms": 23.04, "share_of_peak": 0.251,
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
def test_what_cannot_be_meant_is_refused_before_anything_runs(options: BenchOptions) -> None:
    clock = Clock()
    workshop = Workshop(clock, PER_PIXEL)
    with pytest.raises(UsageError):
        run_bench(options, workshop, clock=clock, meter=Meter(0.0))
    assert not workshop.painters

"""Test how the times of frames become values."""

import pytest

from benchmarks.speed.parts.adaptive import (
    Shown,
    TimingSink,
    background_load,
    phase_values,
    timeline,
)


def session(lost: float, back: float) -> list[Shown]:
    """30 fps but for `lost` seconds at 10 after the load came; its small size until `back`."""
    shown, time = [], 0.0
    while time < 50.0:
        small = 15.0 + lost <= time < 30.0 + back
        shown.append(Shown(time, (256, 144) if small else (512, 288)))
        time += 1 / 10 if 15.0 <= time < 15.0 + lost else 1 / 30
    return shown


@pytest.mark.parametrize(("lost", "back"), [(1.0, 2.0), (3.0, 12.0)])
def test_phase_values(lost: float, back: float) -> None:
    values = phase_values(session(lost, back))
    # A tenth of the frames of two seconds may be missing: 0.3 s at a third of the rate.
    assert values["absorbed after"] == pytest.approx(lost - 0.3, abs=0.11)
    assert values["undone after"] == pytest.approx(back, abs=0.05)
    assert (values["calm size"], values["busy size"], values["idle size"]) == (512, 256, 512)
    assert (values["calm fps"], values["idle fps"]) == pytest.approx((30, 30), abs=0.3)
    assert values["busy fps"] == pytest.approx(30 - 20 * max(0, lost - 2) / 13, abs=0.3)


def test_phase_values_without_recovery() -> None:
    values = phase_values(session(15.0, 20.0))
    assert values["absorbed after"] == 15.0
    assert values["undone after"] == 20.0


def test_timeline() -> None:
    values = timeline(session(1.0, 2.0))
    assert len(values["fps"]) == len(values["side"]) == 100
    assert values["fps"][:30] == pytest.approx([30.0] * 30, abs=2.1)
    assert values["fps"][30] == pytest.approx(10.0, abs=2.1)
    assert (values["side"][31], values["side"][32], values["side"][63], values["side"][64]) == (
        512, 256, 256, 512,
    )  # fmt: skip
    assert timeline([])["side"] == [0] * 100


def test_gaps() -> None:
    sink = TimingSink()
    sink.shown = [Shown(time, (1, 1)) for time in (0.0, 0.5, 0.7, 1.5)]
    assert sink.gaps(0.4, 2.0) == pytest.approx([0.2, 0.8])


def test_background_load_ends_its_processes() -> None:
    import psutil

    before = set(psutil.Process().children())
    with background_load(60.0, 1.0):
        workers = set(psutil.Process().children()) - before
        assert len(workers) == psutil.cpu_count()
    assert not any(worker.is_running() for worker in workers)

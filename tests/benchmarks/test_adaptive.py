"""What the part makes of the moments at which frames came."""

import pytest

from benchmarks.speed.parts.adaptive import Shown, Watch, course, figures, half_the_machine


def session(lost: float, back: float) -> list[Shown]:
    """30 fps but for `lost` seconds at 10 after the load came; its small size until `back`."""
    shown, time = [], 0.0
    while time < 50.0:
        small = 15.0 + lost <= time < 30.0 + back
        shown.append(Shown(time, (256, 144) if small else (512, 288)))
        time += 1 / 10 if 15.0 <= time < 15.0 + lost else 1 / 30
    return shown


@pytest.mark.parametrize(("lost", "back"), [(1.0, 2.0), (3.0, 12.0)])
def test_how_long_a_load_is_felt(lost: float, back: float) -> None:
    values = figures(session(lost, back))
    # A tenth of the frames of two seconds may be missing: 0.3 s at a third of the rate.
    assert values["absorbed after"] == pytest.approx(lost - 0.3, abs=0.11)
    assert values["undone after"] == pytest.approx(back, abs=0.05)
    assert (values["calm size"], values["busy size"], values["idle size"]) == (512, 256, 512)
    assert (values["calm fps"], values["idle fps"]) == pytest.approx((30, 30), abs=0.3)
    assert values["busy fps"] == pytest.approx(30 - 20 * max(0, lost - 2) / 13, abs=0.3)


def test_what_is_never_undone_or_absorbed_takes_all_the_time_there_is() -> None:
    values = figures(session(15.0, 20.0))
    assert values["absorbed after"] == 15.0
    assert values["undone after"] == 20.0


def test_the_course_in_half_seconds() -> None:
    told = course(session(1.0, 2.0))
    assert len(told["fps"]) == len(told["side"]) == 100
    assert told["fps"][:30] == pytest.approx([30.0] * 30, abs=2.1)
    assert told["fps"][30] == pytest.approx(10.0, abs=2.1)
    assert (told["side"][31], told["side"][32], told["side"][63], told["side"][64]) == (
        512, 256, 256, 512,
    )  # fmt: skip
    assert course([])["side"] == [0] * 100


def test_gaps_between_frames() -> None:
    watch = Watch()
    watch.shown = [Shown(time, (1, 1)) for time in (0.0, 0.5, 0.7, 1.5)]
    assert watch.gaps(0.4, 2.0) == pytest.approx([0.2, 0.8])


def test_the_other_processes_are_gone_in_the_end() -> None:
    import psutil

    before = set(psutil.Process().children())
    with half_the_machine(60.0, 1.0):
        workers = set(psutil.Process().children()) - before
        assert len(workers) == psutil.cpu_count()
    assert not any(worker.is_running() for worker in workers)

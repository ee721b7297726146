import pytest

from live_nst.live.pace import Pace
from tests.live.fakes import frame


def paced(cost: float, *, interval: float = 0.04, count: int = 20, step: int = 1) -> Pace:
    """One that saw frames at an interval, each of which took `cost` seconds."""
    pace = Pace()
    for number in range(0, count * step, step):
        pace.add(frame(number, 5.0 + number * interval), cost)
    return pace


@pytest.mark.parametrize(
    ("age", "patience"),
    [
        (0.0, 0.0),
        (0.019, 0.0),  # nearer than the next one
        (0.021, 0.029),  # until a quarter of an interval after the next one is due
        (0.039, 0.011),
        (0.045, 0.005),  # it is late, but may still come
        (0.051, 0.0),  # it did not come
        (9.0, 0.0),
        (-1.0, 0.0),
    ],
)
def test_the_nearer_frame_is_painted(age: float, patience: float) -> None:
    assert paced(0.038).patience(age) == pytest.approx(patience, abs=1e-9)


def test_dropped_frames_do_not_lengthen_the_interval() -> None:
    assert paced(0.048, step=2).patience(0.03) == pytest.approx(0.02)


def test_who_does_not_keep_up_waits_for_nothing() -> None:
    assert paced(0.049).patience(0.03) > 0
    assert paced(0.051).patience(0.03) == 0


def test_a_single_slow_frame_is_no_falling_behind() -> None:
    pace = paced(0.030)
    pace.add(frame(20, 5.8), 0.5)
    assert pace.patience(0.03) > 0


def test_nothing_is_known_at_first() -> None:
    assert Pace().patience(0.03) == 0
    assert paced(0.03, count=4).patience(0.03) == 0
    assert paced(0.03, count=5).patience(0.03) > 0


def test_a_source_that_was_away_or_counts_anew_changes_nothing() -> None:
    pace = paced(0.030)
    pace.add(frame(20, 500.0), 0.03)
    pace.add(frame(0, 500.04), 0.03)
    assert pace.patience(0.03) == pytest.approx(0.02)


def test_it_follows_a_source_that_slows_down() -> None:
    pace = paced(0.030)
    for number in range(16):
        pace.add(frame(20 + number, 10.0 + 0.08 * number), 0.03)
    assert pace.patience(0.03) == 0
    assert pace.patience(0.05) == pytest.approx(0.05)

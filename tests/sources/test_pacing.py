import pytest

from live_nst.sources.pacing import FrameSchedule
from tests.sources.fakes import FakeClock


def test_frames_are_waited_for() -> None:
    clock = FakeClock()
    schedule = FrameSchedule(20, clock)
    assert [schedule.wait() for _ in range(4)] == [0, 1, 2, 3]
    assert clock.time == pytest.approx(100 + 3 / 20)


def test_late_frames_are_left_out() -> None:
    clock = FakeClock()
    schedule = FrameSchedule(20, clock)
    schedule.wait()
    clock.time += 0.26  # frame 5 is due since 0.01 seconds
    before = clock.time
    assert schedule.wait() == 5
    assert clock.time == before
    assert schedule.wait() == 6

import pytest

from live_nst.sources.playback import PlaybackClock, SteadyPositions
from tests.sources.fakes import FakeClock


def positions(times: list[float | None], *, jumps_ahead: bool = True) -> list[float]:
    steady = SteadyPositions(0.04, jumps_ahead=jumps_ahead)
    return [steady.next(time) for time in times]


def test_positions_are_times() -> None:
    assert positions([5.0, 5.1, 5.15, 9.0]) == [5.0, 5.1, 5.15, 9.0]


@pytest.mark.parametrize("restart", [0.0, -20.0, 5.0])
def test_positions_where_the_clock_restarts(restart: float) -> None:
    found = positions([7.0, 7.1, 7.2, restart, restart + 0.1, restart + 0.2])
    assert found == pytest.approx([7.0, 7.1, 7.2, 7.3, 7.4, 7.5])


def test_positions_where_the_clock_jumps_ahead() -> None:
    times: list[float | None] = [0.0, 0.1, 3600.0, 3600.1]
    assert positions(times) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert positions(times, jumps_ahead=False) == times


def test_positions_after_several_jumps() -> None:
    found = positions([0.0, 0.1, 50.0, 50.1, 2.0, 2.1, 0.0])
    assert found == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def test_positions_of_frames_in_a_wrong_order() -> None:
    times: list[float | None] = [0.0, 0.08, 0.04, 0.12]
    assert positions(times) == times


def test_positions_without_times() -> None:
    assert positions([None, None, None]) == pytest.approx([0.0, 0.04, 0.08])
    assert positions([1.0, 1.1, None, 1.3]) == pytest.approx([1.0, 1.1, 1.2, 1.3])


def test_wait_for_the_due_time() -> None:
    clock = FakeClock()
    playback = PlaybackClock(clock)
    assert playback.wait_for(7.0)
    assert clock.time == 100.0
    assert playback.wait_for(7.5)
    assert clock.time == 100.5


def test_wait_for_skips_what_is_late() -> None:
    clock = FakeClock()
    playback = PlaybackClock(clock)
    playback.wait_for(0.0)
    clock.time += 0.2
    assert not playback.wait_for(0.1)
    assert playback.wait_for(0.2)
    assert clock.time == 100.2

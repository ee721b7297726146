import threading
import time

import pytest

from live_nst.live.latest_frame import FrameSkipPolicy, LatestSlot
from tests.live.fakes import frame


def test_the_newest_item_wins_and_the_others_are_counted() -> None:
    slot: LatestSlot[int] = LatestSlot()
    for item in range(5):
        slot.put(item)
    assert slot.take(0) == 4
    assert slot.replaced == 4


def test_an_item_is_taken_once() -> None:
    slot: LatestSlot[str] = LatestSlot()
    assert slot.empty
    slot.put("a")
    assert not slot.empty
    assert slot.take(0) == "a"
    assert slot.empty
    assert slot.take(0) is None
    slot.put("b")
    assert slot.replaced == 0


def test_taking_gives_up_after_the_time_out() -> None:
    start = time.monotonic()
    assert LatestSlot[int]().take(0.02) is None
    assert 0.02 <= time.monotonic() - start < 5


def test_who_waits_is_woken_at_once() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60)))
    thread.start()
    slot.put(7)
    thread.join(10)
    assert taken == [7]


def test_an_item_waits_for_a_newer_one_as_long_as_that_is_worth() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    asked: list[int] = []

    def patience(item: int) -> float:
        asked.append(item)
        threading.Timer(0.01, slot.put, [2]).start()
        return 60.0

    assert slot.take(0, patience) == 2
    assert asked == [1]
    assert slot.replaced == 1
    assert slot.empty


def test_without_a_newer_one_the_item_is_taken_after_all() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    start = time.monotonic()
    assert slot.take(0, lambda item: 0.02) == 1
    assert 0.02 <= time.monotonic() - start < 5
    assert slot.empty and slot.replaced == 0


def test_nothing_is_lost_or_doubled_between_two_threads() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int] = []

    def take_until_the_last() -> None:
        while not taken or taken[-1] != 4999:
            item = slot.take(10)
            assert item is not None
            taken.append(item)

    taker = threading.Thread(target=take_until_the_last)
    taker.start()
    for item in range(5000):
        slot.put(item)
    taker.join(20)
    assert not taker.is_alive()
    assert taken == sorted(set(taken))
    assert len(taken) + slot.replaced == 5000


def test_an_item_that_is_waited_for_stays() -> None:
    slot: LatestSlot[int] = LatestSlot()
    assert not slot.wait(0.0)
    slot.put(7)
    assert slot.wait(0.0)
    assert slot.take(0) == 7


def paced(
    cost: float, *, interval: float = 0.04, count: int = 20, step: int = 1
) -> FrameSkipPolicy:
    """One that saw frames at an interval, each of which took `cost` seconds."""
    pace = FrameSkipPolicy()
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
    assert FrameSkipPolicy().patience(0.03) == 0
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

import threading
import time

from live_nst.live.slot import Slot


def test_the_newest_item_wins_and_the_others_are_counted() -> None:
    slot: Slot[int] = Slot()
    for item in range(5):
        slot.put(item)
    assert slot.take(0) == 4
    assert slot.replaced == 4


def test_an_item_is_taken_once() -> None:
    slot: Slot[str] = Slot()
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
    assert Slot[int]().take(0.02) is None
    assert 0.02 <= time.monotonic() - start < 5


def test_who_waits_is_woken_at_once() -> None:
    slot: Slot[int] = Slot()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60)))
    thread.start()
    slot.put(7)
    thread.join(10)
    assert taken == [7]


def test_an_item_waits_for_a_newer_one_as_long_as_that_is_worth() -> None:
    slot: Slot[int] = Slot()
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
    slot: Slot[int] = Slot()
    slot.put(1)
    start = time.monotonic()
    assert slot.take(0, lambda item: 0.02) == 1
    assert 0.02 <= time.monotonic() - start < 5
    assert slot.empty and slot.replaced == 0


def test_nothing_is_lost_or_doubled_between_two_threads() -> None:
    slot: Slot[int] = Slot()
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
    slot: Slot[int] = Slot()
    assert not slot.wait(0.0)
    slot.put(7)
    assert slot.wait(0.0)
    assert slot.take(0) == 7

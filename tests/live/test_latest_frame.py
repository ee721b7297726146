"""The latest-frame slot and the frame skipping policy."""

import threading
import time

import pytest

from live_nst.live.latest_frame import FrameSkipPolicy, LatestSlot
from tests.live.fakes import frame


def test_put_replaces_and_counts() -> None:
    slot: LatestSlot[int] = LatestSlot()
    for item in range(5):
        slot.put(item)
    assert slot.take(0) == 4
    assert slot.replaced == 4


def test_take_once() -> None:
    slot: LatestSlot[str] = LatestSlot()
    assert slot.empty
    slot.put("a")
    assert not slot.empty
    assert slot.take(0) == "a"
    assert slot.empty
    assert slot.take(0) is None
    slot.put("b")
    assert slot.replaced == 0


def test_take_timeout() -> None:
    start = time.monotonic()
    assert LatestSlot[int]().take(0.02) is None
    assert 0.02 <= time.monotonic() - start < 5


def test_put_wakes_take() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60)))
    thread.start()
    slot.put(7)
    thread.join(10)
    assert taken == [7]


def test_take_wait_for_newer() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    asked: list[int] = []

    def wait_for_newer(item: int) -> float:
        asked.append(item)
        threading.Timer(0.01, slot.put, [2]).start()
        return 60.0

    assert slot.take(0, wait_for_newer) == 2
    assert asked == [1]
    assert slot.replaced == 1
    assert slot.empty


def test_take_wait_for_newer_timeout() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    start = time.monotonic()
    assert slot.take(0, lambda item: 0.02) == 1
    assert 0.02 <= time.monotonic() - start < 5
    assert slot.empty and slot.replaced == 0


def test_two_threads_lose_and_double_nothing() -> None:
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


def test_wait() -> None:
    slot: LatestSlot[int] = LatestSlot()
    assert not slot.wait(0.0)
    slot.put(7)
    assert slot.wait(0.0)
    assert slot.take(0) == 7


def trained_policy(
    cost: float, *, interval: float = 0.04, count: int = 20, step: int = 1
) -> FrameSkipPolicy:
    """A policy that has seen frames at an interval, each of which took `cost` seconds."""
    policy = FrameSkipPolicy()
    for number in range(0, count * step, step):
        policy.add(frame(number, 5.0 + number * interval), cost)
    return policy


@pytest.mark.parametrize(
    ("age", "seconds"),
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
def test_seconds_to_wait(age: float, seconds: float) -> None:
    assert trained_policy(0.038).seconds_to_wait(age) == pytest.approx(seconds, abs=1e-9)


def test_dropped_frames_do_not_lengthen_the_interval() -> None:
    assert trained_policy(0.048, step=2).seconds_to_wait(0.03) == pytest.approx(0.02)


def test_slow_worker_does_not_wait() -> None:
    assert trained_policy(0.049).seconds_to_wait(0.03) > 0
    assert trained_policy(0.051).seconds_to_wait(0.03) == 0


def test_single_slow_frame() -> None:
    policy = trained_policy(0.030)
    policy.add(frame(20, 5.8), 0.5)
    assert policy.seconds_to_wait(0.03) > 0


def test_first_frames() -> None:
    assert FrameSkipPolicy().seconds_to_wait(0.03) == 0
    assert trained_policy(0.03, count=4).seconds_to_wait(0.03) == 0
    assert trained_policy(0.03, count=5).seconds_to_wait(0.03) > 0


def test_reopened_source() -> None:
    policy = trained_policy(0.030)
    policy.add(frame(20, 500.0), 0.03)
    policy.add(frame(0, 500.04), 0.03)
    assert policy.seconds_to_wait(0.03) == pytest.approx(0.02)


def test_source_that_slows_down() -> None:
    policy = trained_policy(0.030)
    for number in range(16):
        policy.add(frame(20 + number, 10.0 + 0.08 * number), 0.03)
    assert policy.seconds_to_wait(0.03) == 0
    assert policy.seconds_to_wait(0.05) == pytest.approx(0.05)

"""The thread that makes frames ready."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from live_nst.live.latest_frame import LatestSlot
from live_nst.live.overlap import FramePrefetcher, PrefetchedFrame
from live_nst.types import Frame
from tests.live.fakes import PATIENCE, frame, wait_until


class Bench:
    """A staging with a gate in front of every frame."""

    def __init__(self) -> None:
        self.source: LatestSlot[Frame] = LatestSlot()
        self.gate = threading.Event()
        self.gate.set()
        self.begun: list[int] = []
        self.threads: set[str] = set()
        self.failure: BaseException | None = None
        self.died: list[BaseException] = []
        self.then: Callable[[], None] = lambda: None
        self.staging = FramePrefetcher(self.source, self._make_ready, self.died.append)

    def _make_ready(self, frame: Frame) -> PrefetchedFrame:
        self.begun.append(frame.index)
        self.threads.add(threading.current_thread().name)
        assert self.gate.wait(PATIENCE), "nobody let it go on"
        self.then()
        if self.failure is not None:
            raise self.failure
        return PrefetchedFrame(frame, frame.image)

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.source.put(frame(number))

    def begin(self, number: int) -> None:
        """Give a frame, and wait until it is in hand."""
        self.put(number)
        wait_until(lambda: number in self.begun)

    def taken(self, timeout: float = PATIENCE) -> int | None:
        ready = self.staging.take(timeout)
        return None if ready is None else ready.frame.index


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.gate.set()
    bench.staging.close(PATIENCE)


def test_a_frame_is_made_ready_in_a_thread_of_its_own_before_anybody_asks(bench: Bench) -> None:
    bench.put(3)
    wait_until(lambda: bench.begun == [3])
    assert bench.taken() == 3
    assert bench.threads == {"live-nst staging"}
    assert bench.taken(0.0) is None


def test_the_newest_wins_before_its_turn_and_after(bench: Bench) -> None:
    bench.gate.clear()
    bench.begin(0)
    bench.put(1, 2, 3)
    bench.gate.set()
    assert bench.taken() == 3
    assert bench.begun == [0, 3]
    assert (bench.source.replaced, bench.staging.replaced) == (2, 1)


def test_what_is_in_hand_is_younger_than_what_is_ready(bench: Bench) -> None:
    bench.put(0)
    wait_until(lambda: not bench.staging._in_hand and bench.begun == [0])
    bench.gate.clear()
    bench.begin(1)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(bench.taken)
        wait_until(lambda: bench.staging._changed._waiters)  # type: ignore[attr-defined]
        assert not taken.done()
        bench.gate.set()
        assert taken.result(PATIENCE) == 1


def test_a_source_that_is_faster_than_the_thread_starves_nobody(bench: Bench) -> None:
    bench.then = lambda: bench.put(bench.begun[-1] + 1)
    bench.put(0)
    first, second = bench.taken(), bench.taken()
    assert first is not None and second is not None and first < second
    bench.then = lambda: None


def test_patience_is_that_of_a_slot(bench: Bench) -> None:
    asked: list[int] = []

    def patience(ready: PrefetchedFrame) -> float:
        asked.append(ready.frame.index)
        bench.put(1)  # a newer one comes while it is waited for
        return PATIENCE

    bench.put(0)
    ready = bench.staging.take(PATIENCE, patience)
    assert asked == [0]
    assert ready is not None and ready.frame.index == 1


def test_it_is_empty_when_nothing_is_on_the_way(bench: Bench) -> None:
    assert bench.staging.empty
    bench.gate.clear()
    bench.begin(0)
    assert bench.source.empty and not bench.staging.empty  # in hand
    bench.put(1)
    bench.gate.set()
    wait_until(lambda: bench.source.empty and not bench.staging._in_hand)
    assert not bench.staging.empty  # ready
    assert bench.taken() == 1
    assert bench.staging.empty


def test_what_it_died_of_is_told_and_nobody_waits_for_it(bench: Bench) -> None:
    bench.failure = ZeroDivisionError()
    bench.put(0)
    wait_until(lambda: bench.died)
    assert bench.died == [bench.failure]
    assert bench.taken(0.0) is None
    bench.put(1)
    assert bench.taken(0.01) is None
    assert bench.begun == [0]


def test_closing_waits_for_the_frame_in_hand_and_begins_no_other(bench: Bench) -> None:
    bench.gate.clear()
    bench.begin(0)
    bench.put(1)
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(bench.staging.close, PATIENCE)
        wait_until(lambda: bench.staging._closed)
        bench.gate.set()
        closing.result(PATIENCE)
    assert bench.begun == [0]
    assert not bench.staging._thread.is_alive()

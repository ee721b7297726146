"""The thread that prepares frames."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from live_nst.live.latest_frame import LatestSlot
from live_nst.live.prefetch import FrameInput, FramePrefetcher, PreparedFrame
from live_nst.types import Frame
from tests.live.fakes import PATIENCE, frame, own_threads, wait_until


class PrefetchHarness:
    """A prefetcher with a gate in front of every frame."""

    def __init__(self) -> None:
        self.source: LatestSlot[Frame] = LatestSlot()
        self.gate = threading.Event()
        self.gate.set()
        self.begun: list[int] = []
        self.done: list[int] = []
        self.threads: set[str] = set()
        self.failure: BaseException | None = None
        self.failures: list[BaseException] = []
        self.then: Callable[[], None] = lambda: None
        self.prefetcher = FramePrefetcher(self.source, self._prepare, self.failures.append)

    def _prepare(self, frame: Frame) -> PreparedFrame:
        self.begun.append(frame.index)
        self.threads.add(threading.current_thread().name)
        assert self.gate.wait(PATIENCE), "nobody let it go on"
        self.then()
        if self.failure is not None:
            raise self.failure
        self.done.append(frame.index)
        return PreparedFrame(frame, frame.image)

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.source.put(frame(number))

    def begin(self, number: int) -> None:
        """Put a frame, and wait until it is being prepared."""
        self.put(number)
        wait_until(lambda: number in self.begun)

    def take(self, timeout: float = PATIENCE) -> int | None:
        """Take a frame; return its index."""
        prepared = self.prefetcher.take(timeout, lambda frame: 0.0)
        return None if prepared is None else prepared.frame.index


@pytest.fixture
def harness() -> Iterator[PrefetchHarness]:
    harness = PrefetchHarness()
    yield harness
    harness.gate.set()
    harness.prefetcher.close(PATIENCE)


def test_frame_input_prepares_when_a_frame_is_taken() -> None:
    source: LatestSlot[Frame] = LatestSlot()
    frames = FrameInput(source, lambda frame: PreparedFrame(frame, frame.image))
    assert frames.empty and frames.take(0.0, lambda frame: 0.0) is None
    source.put(frame(1))
    source.put(frame(2))
    assert not frames.empty
    prepared = frames.take(0.0, lambda frame: 0.0)
    assert prepared is not None and prepared.frame.index == 2
    assert frames.empty and frames.replaced == 0
    frames.close(1.0)


def test_prepares_in_its_own_thread_before_take(harness: PrefetchHarness) -> None:
    harness.put(3)
    wait_until(lambda: harness.begun == [3])
    assert harness.take() == 3
    assert harness.threads == {"live-nst prefetch"}
    assert harness.take(0.0) is None


def test_newest_frame_replaces_others_before_and_after_preparing(harness: PrefetchHarness) -> None:
    harness.gate.clear()
    harness.begin(0)
    harness.put(1, 2, 3)
    harness.gate.set()
    assert harness.take() == 3
    assert harness.begun == [0, 3]
    assert (harness.source.replaced, harness.prefetcher.replaced) == (2, 1)


def test_take_waits_for_the_frame_in_preparation(harness: PrefetchHarness) -> None:
    harness.put(0)
    wait_until(lambda: harness.done == [0])
    harness.gate.clear()
    harness.begin(1)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(harness.take)
        time.sleep(0.02)  # for a take that does not wait
        assert not taken.done()
        harness.gate.set()
        assert taken.result(PATIENCE) == 1


def test_take_from_a_source_faster_than_the_thread(harness: PrefetchHarness) -> None:
    harness.then = lambda: harness.put(harness.begun[-1] + 1)
    harness.put(0)
    first, second = harness.take(), harness.take()
    assert first is not None and second is not None and first < second
    harness.then = lambda: None


def test_take_wait_for_newer(harness: PrefetchHarness) -> None:
    asked: list[int] = []

    def wait_for_newer(frame: Frame) -> float:
        asked.append(frame.index)
        harness.put(1)  # a newer one comes while it is waited for
        return PATIENCE

    harness.put(0)
    prepared = harness.prefetcher.take(PATIENCE, wait_for_newer)
    assert asked == [0]
    assert prepared is not None and prepared.frame.index == 1


def test_empty(harness: PrefetchHarness) -> None:
    assert harness.prefetcher.empty
    harness.gate.clear()
    harness.begin(0)
    assert harness.source.empty and not harness.prefetcher.empty  # being prepared
    harness.put(1)
    harness.gate.set()
    wait_until(lambda: harness.done == [0, 1])
    assert not harness.prefetcher.empty  # ready
    assert harness.take() == 1
    assert harness.prefetcher.empty


def test_failure_is_reported_and_take_does_not_hang(harness: PrefetchHarness) -> None:
    harness.failure = ZeroDivisionError()
    harness.put(0)
    wait_until(lambda: harness.failures)
    assert harness.failures == [harness.failure]
    assert harness.take(0.0) is None
    harness.put(1)
    assert harness.take(0.01) is None
    assert harness.begun == [0]


def test_close_finishes_the_frame_in_preparation_and_begins_no_other(
    harness: PrefetchHarness,
) -> None:
    harness.gate.clear()
    harness.begin(0)
    harness.put(1)
    harness.prefetcher.close(0.01)
    assert own_threads() == ["live-nst prefetch"]
    harness.gate.set()
    wait_until(lambda: not own_threads())
    assert harness.begun == harness.done == [0]

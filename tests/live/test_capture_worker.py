"""The thread that reads the source, and what it does when the source fails."""

import dataclasses
import threading
from types import SimpleNamespace

import pytest

from live_nst.errors import SourceError, SourceLostError
from live_nst.live import capture_reader as reader_module
from live_nst.live.capture_worker import STALL_LIMIT_SECONDS, STALL_NOTICE_SECONDS, CaptureWorker
from live_nst.types import Frame
from tests.live.fakes import (
    INFO,
    PATIENCE,
    FakeClock,
    FakeSource,
    Openings,
    frame,
    own_threads,
    wait_until,
)

LOST = SourceLostError("the camera gives no more frames", "check its cable")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that readers make, which take no time here."""
    made: list[float] = []

    class NoPause(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if timeout is None:
                return super().wait()
            made.append(timeout)
            return super().wait(0.001)

    monkeypatch.setattr(
        reader_module, "threading", SimpleNamespace(Event=NoPause, Lock=threading.Lock)
    )
    return made


def frames(count: int) -> list[object]:
    return [frame(number) for number in range(count)]


class Taken:
    """A source whose frames all reach the reader of the slot, in order."""

    def __init__(self, capture: CaptureWorker) -> None:
        self._capture = capture
        self.indexes: list[int] = []

    def take(self, count: int) -> None:
        for _ in range(count):
            got = self._capture.slot.take(10)
            assert got is not None
            self.indexes.append(got.index)


def in_lockstep(capture_of: list[CaptureWorker], items: list[object]) -> list[object]:
    """`items`, each given only when the slot is empty."""

    def after_the_last(item: object) -> object:
        def give() -> object:
            wait_until(lambda: capture_of[0].slot.empty, "nobody took the frame before")
            return item

        return give

    return [after_the_last(item) for item in items]


def test_wait_opened(clock: FakeClock) -> None:
    openings = Openings(FakeSource())
    capture = CaptureWorker(openings, clock)
    capture.start()
    assert capture.wait_opened() == INFO
    openings.release()
    capture.close()
    assert openings.opened[0].closed


def test_wait_opened_timeout(clock: FakeClock) -> None:
    may_open = threading.Event()

    def open_slowly() -> FakeSource:
        assert may_open.wait(10)
        return FakeSource([None])

    capture = CaptureWorker(open_slowly, clock)
    capture.start()
    assert capture.wait_opened(0.01) is None
    may_open.set()
    assert capture.wait_opened() == INFO
    capture.close()


@pytest.mark.parametrize(
    "error", [SourceError("no such camera", "plug it in"), ZeroDivisionError()]
)
def test_wait_opened_error(error: BaseException, clock: FakeClock) -> None:
    openings = Openings(error)
    capture = CaptureWorker(openings, clock)
    capture.start()
    with pytest.raises(type(error)) as caught:
        capture.wait_opened()
    assert caught.value is error
    capture.close()
    assert openings.count == 1


def test_source_is_used_in_one_thread(clock: FakeClock) -> None:
    source = FakeSource([*frames(3), None])
    capture = CaptureWorker(lambda: source, clock)
    capture.start()
    wait_until(lambda: capture.ended)
    capture.close()
    assert source.closed
    assert len(source.threads) == 1
    assert threading.get_ident() not in source.threads


def test_ended(clock: FakeClock) -> None:
    openings = Openings(FakeSource([*frames(3), None]))
    capture = CaptureWorker(openings, clock)
    capture.start()
    wait_until(lambda: capture.ended)
    clock.advance(10 * STALL_LIMIT_SECONDS)
    assert capture.check() == ""
    last = capture.slot.take(0)
    assert last is not None and last.index == 2
    assert capture.slot.replaced == 2
    capture.close()
    assert openings.count == 1


def test_gap_in_indexes_is_kept(clock: FakeClock) -> None:
    holder: list[CaptureWorker] = []
    capture = CaptureWorker(
        lambda: FakeSource(in_lockstep(holder, [frame(0), frame(4), None])), clock
    )
    holder.append(capture)
    taken = Taken(capture)
    capture.start()
    taken.take(2)
    capture.close()
    assert taken.indexes == [0, 4]
    assert capture.skipped == capture.dropped == 3


def test_lost_source_is_reopened(clock: FakeClock, pauses: list[float]) -> None:
    holder: list[CaptureWorker] = []
    openings = Openings(
        FakeSource(in_lockstep(holder, [*frames(3), LOST])),
        SourceError("not there"),
        SourceError("not there"),
        FakeSource(in_lockstep(holder, [*frames(2), LOST])),
        FakeSource(in_lockstep(holder, frames(2))),
    )
    capture = CaptureWorker(openings, clock)
    holder.append(capture)
    taken = Taken(capture)
    capture.start()
    taken.take(7)
    assert taken.indexes == list(range(7))
    assert capture.reopened == 2
    assert openings.count == 5
    assert openings.opened[0].closed and openings.opened[1].closed
    openings.release()
    capture.close()


def test_check_while_reconnecting(clock: FakeClock, pauses: list[float]) -> None:
    holder: list[CaptureWorker] = []
    may_open = threading.Event()

    def open_again() -> FakeSource:
        openings.count += 1
        if openings.count == 1:
            return FakeSource(in_lockstep(holder, [frame(0), LOST]))
        if not may_open.is_set():
            raise SourceError("no camera is there")
        return source

    openings = Openings()
    source = FakeSource(in_lockstep(holder, [frame(0)]))
    capture = CaptureWorker(open_again, clock)
    holder.append(capture)
    taken = Taken(capture)
    capture.start()
    taken.take(1)
    wait_until(lambda: openings.count > 3)
    assert capture.check() == "reconnecting: no camera is there"
    may_open.set()
    taken.take(1)
    assert capture.check() == ""
    assert taken.indexes == [0, 1]
    source.released.set()
    capture.close()


def test_retry_pauses_grow_and_reset(clock: FakeClock, pauses: list[float]) -> None:
    holder: list[CaptureWorker] = []
    missing = [SourceError("not there")] * 5
    openings = Openings(
        FakeSource(in_lockstep(holder, [frame(0), LOST])),
        *missing,
        FakeSource([LOST]),  # opens, but gives nothing: no reason to hurry
        FakeSource(in_lockstep(holder, [frame(0), LOST])),
        FakeSource(in_lockstep(holder, [frame(0)])),
    )
    capture = CaptureWorker(openings, clock)
    holder.append(capture)
    taken = Taken(capture)
    capture.start()
    taken.take(3)
    assert pauses == [0.5, 1, 2, 4, 5, 5, 5, 0.5]
    openings.release()
    capture.close()


def test_long_reconnecting_is_no_stall(clock: FakeClock, pauses: list[float]) -> None:
    """Else every quarter of a minute the pauses would begin anew, with one more thread."""
    holder: list[CaptureWorker] = []

    def reopen() -> FakeSource:
        openings.count += 1
        openings.threads.add(threading.get_ident())
        if openings.count == 1:
            return FakeSource(in_lockstep(holder, [frame(0), LOST]))
        clock.advance(5)
        raise SourceError("not there")

    openings = Openings()
    capture = CaptureWorker(reopen, clock)
    holder.append(capture)
    capture.start()
    Taken(capture).take(1)
    while openings.count < 30:
        assert capture.check() in ("", "reconnecting: not there", f"reconnecting: {LOST.message}")
    assert len(openings.threads) == 1
    assert pauses.count(0.5) == 1
    capture.close()


def test_check_without_frames(clock: FakeClock) -> None:
    source = FakeSource([frame(0)])
    capture = CaptureWorker(lambda: source, clock)
    capture.start()
    wait_until(lambda: not capture.slot.empty)
    assert capture.check() == ""
    clock.advance(STALL_NOTICE_SECONDS + 0.1)
    assert capture.check() == "no frames arrive"
    source.released.set()
    capture.close()


def test_check_during_a_slow_first_opening(clock: FakeClock) -> None:
    may_open = threading.Event()

    def open_slowly() -> FakeSource:
        assert may_open.wait(10)
        return FakeSource([None])

    capture = CaptureWorker(open_slowly, clock)
    capture.start()
    clock.advance(10 * STALL_LIMIT_SECONDS)
    assert capture.check() == ""
    may_open.set()
    capture.close()


def test_hanging_read_is_replaced(clock: FakeClock) -> None:
    hangs, delivers = threading.Event(), threading.Event()

    def hang() -> object:
        assert hangs.wait(10)
        return frame(99)

    def deliver() -> object:
        assert delivers.wait(10)
        return frame(0)

    stuck, fresh = FakeSource([frame(0), hang, frame(100)]), FakeSource([deliver])
    openings = Openings(stuck, fresh)
    capture = CaptureWorker(openings, clock)
    taken = Taken(capture)
    capture.start()
    taken.take(1)
    clock.advance(STALL_LIMIT_SECONDS - 0.1)
    assert capture.check() == "no frames arrive"
    assert openings.count == 1
    clock.advance(0.2)
    assert capture.check() == "the source hangs, reopening it"
    delivers.set()
    taken.take(1)
    assert taken.indexes == [0, 1]
    assert capture.check() == ""
    assert capture.reopened == 1

    hangs.set()  # the driver comes back at last: nobody listens any more
    wait_until(lambda: stuck.closed)
    assert capture.slot.empty
    assert capture.check() == ""
    fresh.released.set()
    capture.close()


def test_hanging_reopening_is_replaced(clock: FakeClock, pauses: list[float]) -> None:
    hangs = threading.Event()
    late = FakeSource(frames(1))

    def reopen() -> FakeSource:
        openings.count += 1
        if openings.count == 2:
            assert hangs.wait(10)
            return late
        return FakeSource([frame(0), LOST]) if openings.count == 1 else fresh

    openings = Openings()
    fresh = FakeSource(frames(1))
    capture = CaptureWorker(reopen, clock)
    taken = Taken(capture)
    capture.start()
    taken.take(1)
    wait_until(lambda: openings.count == 2)
    clock.advance(STALL_LIMIT_SECONDS + 0.1)
    capture.check()
    taken.take(1)
    hangs.set()
    wait_until(lambda: late.closed)
    assert taken.indexes == [0, 1]
    assert capture.slot.empty
    assert capture.reopened == 1
    assert capture.wait_opened() == INFO
    fresh.released.set()
    capture.close()


def test_replacement_retries(clock: FakeClock, pauses: list[float]) -> None:
    stuck, fresh = FakeSource(frames(1)), FakeSource(frames(1))
    openings = Openings(stuck, SourceError("busy"), SourceError("busy"), fresh)
    capture = CaptureWorker(openings, clock)
    taken = Taken(capture)
    capture.start()
    taken.take(1)
    clock.advance(STALL_LIMIT_SECONDS + 1)
    capture.check()
    taken.take(1)
    assert taken.indexes == [0, 1]
    openings.release()
    capture.close()


def test_close_with_a_hanging_driver(clock: FakeClock) -> None:
    source = FakeSource()
    capture = CaptureWorker(lambda: source, clock)
    capture.start()
    capture.wait_opened()
    capture.close(timeout=0.01)
    assert own_threads() == ["live-nst capture"]
    source.released.set()


def test_close_during_a_retry_pause(clock: FakeClock) -> None:
    openings = Openings(FakeSource([LOST]))
    capture = CaptureWorker(openings, clock)
    capture.start()
    wait_until(lambda: "reconnecting" in capture.check())
    capture.close(timeout=10)
    assert not own_threads()
    assert openings.count == 1


def test_close_before_start(clock: FakeClock) -> None:
    CaptureWorker(FakeSource, clock).close()


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), SourceError("the file is damaged")])
def test_failure_while_reopening(error: BaseException, clock: FakeClock) -> None:
    openings = Openings(FakeSource([frame(0), error]))
    capture = CaptureWorker(openings, clock)
    capture.start()
    wait_until(lambda: capture.ended)
    with pytest.raises(type(error)) as caught:
        capture.check()
    assert caught.value is error
    capture.close()
    assert openings.count == 1
    assert openings.opened[0].closed


def test_begin_starts_a_waiting_source(clock: FakeClock) -> None:
    """Else a short film would be over before the model is loaded."""
    source = FakeSource([frame(0), None], dataclasses.replace(INFO, paused_until_read=True))
    capture = CaptureWorker(lambda: source, clock)
    capture.start()
    try:
        assert capture.wait_opened() is not None
        assert capture.slot.take(0.05) is None
        capture.begin()
        assert capture.slot.take(PATIENCE) is not None
    finally:
        capture.close()


def test_close_before_begin(clock: FakeClock) -> None:
    source = FakeSource([None], dataclasses.replace(INFO, paused_until_read=True))
    capture = CaptureWorker(lambda: source, clock)
    capture.start()
    capture.wait_opened()
    capture.close()


def test_change_source() -> None:
    first, second = FakeSource(frames(3)), FakeSource([frame(0), frame(1)])
    worker = CaptureWorker(Openings(first), FakeClock())
    worker.start()
    wait_until(lambda: worker.next_index == 3, "frames were not captured")
    info = dataclasses.replace(INFO, name="other camera")
    second._info = info
    assert worker.change_source(Openings(second)) == info
    assert worker.info == info
    wait_until(lambda: worker.next_index == 5, "the other source is not read")
    first.released.set()
    wait_until(lambda: first.closed, "the first source stays open")
    assert (worker.reopened, worker.check()) == (0, "")
    second.released.set()
    worker.close()
    assert second.closed and not own_threads()


def test_source_that_cannot_be_changed_to() -> None:
    first = FakeSource(frames(3))
    worker = CaptureWorker(Openings(first), FakeClock())
    worker.start()
    error = SourceError("no such camera", "plug it in")
    with pytest.raises(SourceError, match="no such camera"):
        worker.change_source(Openings(error))
    wait_until(lambda: worker.next_index == 3, "the first source is not read any more")
    assert worker.check() == "" and not first.closed
    first.released.set()
    worker.close()
    with pytest.raises(SourceError, match="ended"):
        worker.change_source(Openings(FakeSource(frames(1))))
    assert not own_threads()


def test_lost_source_is_retried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "FIRST_RETRY_SECONDS", 3600.0)
    openings = Openings(FakeSource([LOST]), FakeSource(frames(1)))
    worker = CaptureWorker(openings, FakeClock())
    worker.start()
    wait_until(lambda: bool(worker.check()), "the source is not lost")
    worker.retry()
    wait_until(lambda: worker.next_index == 1, "the source was not reopened")
    openings.release()
    worker.close()


class WaitingSource(FakeSource):
    """A source that waits for a frame that never comes, and can be interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()

    def read(self) -> Frame | None:
        self.reading.set()
        assert self.released.wait(PATIENCE), "nobody interrupted the source"
        return None

    def interrupt(self) -> None:
        self.released.set()


@pytest.mark.parametrize("way", ["close", "change", "rest"])
def test_a_read_that_waits_is_interrupted(way: str) -> None:
    waiting, other = WaitingSource(), FakeSource()
    capture = CaptureWorker(lambda: waiting)
    capture.start()
    assert waiting.reading.wait(PATIENCE)
    if way == "close":
        capture.close(PATIENCE)
        assert waiting.closed
    elif way == "change":
        capture.change_source(lambda: other)
    else:
        capture.rest("nobody looks")
    wait_until(lambda: waiting.closed)
    other.released.set()
    capture.close()
    assert not own_threads()

"""The threads that carry frames to sinks."""

import threading

import pytest

from live_nst.errors import RecordingError
from live_nst.live.outputs import SINK_QUEUE_FRAMES, SinkWorker
from tests.live.fakes import FakeClock, FakeSink, SteppedClock, frame, own_threads, wait_until


def finish(feed: SinkWorker) -> None:
    feed.stop()
    feed.join(10)
    assert not feed.alive


def test_every_frame_is_written_once_and_in_order(clock: FakeClock) -> None:
    sink = FakeSink()
    feed = SinkWorker(sink, clock)
    for number in range(100):
        feed.put(frame(number))
        wait_until(lambda count=number + 1: len(sink.frames) == count)
    finish(feed)
    assert sink.numbers == list(range(100))
    assert feed.dropped == 0
    assert sink.closed == 1


def test_stopping_writes_what_waits_before_the_sink_is_closed(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.gate.clear()
    feed = SinkWorker(sink, clock)
    for number in range(5):
        feed.put(frame(number))
    feed.stop()
    assert feed.alive and not sink.closed
    sink.gate.set()
    feed.join(10)
    assert sink.numbers == [0, 1, 2, 3, 4]
    assert sink.closed == 1


def test_a_sink_that_hangs_stops_nobody_and_the_oldest_frames_are_dropped(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.gate.clear()
    feed = SinkWorker(sink, clock)
    feed.put(frame(0))
    assert sink.entered.acquire(timeout=10)  # it holds frame 0, and nothing waits
    for number in range(1, SINK_QUEUE_FRAMES + 4):
        feed.put(frame(number))
    assert feed.dropped == 3
    sink.gate.set()
    finish(feed)
    assert sink.numbers == [0, *range(4, SINK_QUEUE_FRAMES + 4)]


def test_the_sink_is_written_and_closed_by_one_thread(clock: FakeClock) -> None:
    sink = FakeSink("camera")
    names: set[str] = set()
    sink.on_write = lambda: names.add(threading.current_thread().name)
    feed = SinkWorker(sink, clock)
    assert own_threads() == ["live-nst camera"]
    feed.put(frame(0))
    finish(feed)
    assert names == {"live-nst camera"}


@pytest.mark.parametrize("error", [RecordingError("the disk is full"), ZeroDivisionError()])
@pytest.mark.parametrize("rate", [None, 25.0])
def test_a_failing_write_ends_the_feed_closes_the_sink_and_is_kept(
    error: BaseException, rate: float | None, clock: FakeClock
) -> None:
    sink = FakeSink(rate=rate)
    sink.fail_at, sink.failure = 0, error
    feed = SinkWorker(sink, clock)
    feed.put(frame(0))
    wait_until(lambda: not feed.alive)
    assert feed.failure is error
    assert sink.closed == 1
    feed.put(frame(1))
    feed.stop()


def test_a_failing_close_is_kept(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.close_failure = RecordingError("the end cannot be written")
    feed = SinkWorker(sink, clock)
    feed.put(frame(0))
    finish(feed)
    assert sink.numbers == [0]
    assert feed.failure is sink.close_failure


def test_the_first_failure_is_the_one_that_is_kept(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.fail_at, sink.failure = 0, RecordingError("the disk is full")
    sink.close_failure = RecordingError("the end cannot be written")
    feed = SinkWorker(sink, clock)
    feed.put(frame(0))
    wait_until(lambda: not feed.alive)
    assert feed.failure is sink.failure


@pytest.mark.parametrize("rate", [None, 30.0])
def test_a_feed_without_a_frame_closes_its_sink(rate: float | None, clock: FakeClock) -> None:
    sink = FakeSink(rate=rate)
    finish(SinkWorker(sink, clock))
    assert sink.frames == []
    assert sink.closed == 1


class RateRun:
    """A feed at 10 frames a second on a clock that moves only by its own sleeping.

    Args:
        puts: Which frame is put when the sink has been written so many times.
        delays: How long (seconds) the device takes for the write of that number.
        until: How many writes.
    """

    def __init__(
        self, puts: dict[int, int], delays: dict[int, float] | None = None, until: int = 12
    ) -> None:
        self.clock = SteppedClock()
        self.sink = FakeSink(rate=10.0)
        self.times: list[float] = []
        self._puts, self._delays, self._until = puts, delays or {}, until
        self._start = self.clock.now()
        self.sink.on_write = self._after_write
        self.feed = SinkWorker(self.sink, self.clock)
        self.feed.put(frame(0))
        self.feed.join(10)
        assert not self.feed.alive

    def _after_write(self) -> None:
        self.times.append(round(self.clock.now() - self._start, 6))
        written = len(self.times)
        self.clock.advance(self._delays.get(written - 1, 0.0))
        if written in self._puts:
            self.feed.put(frame(self._puts[written]))
        if written == self._until:
            self.feed.stop()


def test_a_sink_with_a_rate_gets_the_newest_frame_again_and_again() -> None:
    run = RateRun({4: 1, 9: 2})
    assert run.sink.numbers == [0] * 4 + [1] * 5 + [2] * 3
    assert run.times == [round(0.1 * number, 6) for number in range(12)]
    assert run.sink.closed == 1


def test_a_sink_with_a_rate_skips_frames_that_come_faster() -> None:
    sink = FakeSink(rate=10.0)
    sink.gate.clear()
    feed = SinkWorker(sink, SteppedClock())
    feed.put(frame(0))
    assert sink.entered.acquire(timeout=10)
    for number in range(1, 6):
        feed.put(frame(number))
    sink.on_write = lambda: feed.stop() if len(sink.frames) == 2 else None
    sink.gate.set()
    feed.join(10)
    assert sink.numbers == [0, 5]
    assert feed.dropped == 0  # such a sink misses nothing: it shows what is newest


def test_a_short_delay_is_made_up_for_and_the_rate_kept() -> None:
    run = RateRun({}, delays={3: 0.04})
    assert run.times == [round(0.1 * number, 6) for number in range(12)]


def test_after_a_stall_there_is_no_burst() -> None:
    run = RateRun({}, delays={3: 1.0})
    gaps = [after - before for before, after in zip(run.times, run.times[1:], strict=False)]
    assert gaps[3] == pytest.approx(1.0)
    assert gaps[4:] == pytest.approx([0.1] * 7)


def test_a_device_slower_than_the_rate_sets_the_pace() -> None:
    run = RateRun({}, delays=dict.fromkeys(range(20), 0.25))
    gaps = [after - before for before, after in zip(run.times, run.times[1:], strict=False)]
    assert gaps == pytest.approx([0.25] * 11)
    assert all(pause <= 0 for pause in run.clock.slept)

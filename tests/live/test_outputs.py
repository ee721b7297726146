"""The threads that carry frames to sinks."""

import threading

import pytest

from live_nst.errors import RecordingError
from live_nst.live.outputs import SINK_QUEUE_FRAMES, SinkWorker
from tests.live.fakes import FakeClock, FakeSink, SteppedClock, frame, own_threads, wait_until


def finish(worker: SinkWorker) -> None:
    worker.stop()
    worker.join(10)
    assert not worker.alive


def test_put_writes_every_frame_in_order(clock: FakeClock) -> None:
    sink = FakeSink()
    worker = SinkWorker(sink, clock)
    for number in range(100):
        worker.put(frame(number))
        wait_until(lambda count=number + 1: len(sink.frames) == count)
    finish(worker)
    assert sink.numbers == list(range(100))
    assert worker.dropped == 0
    assert sink.closed == 1


def test_stop_writes_queued_frames_before_close(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.gate.clear()
    worker = SinkWorker(sink, clock)
    for number in range(5):
        worker.put(frame(number))
    worker.stop()
    assert worker.alive and not sink.closed
    sink.gate.set()
    worker.join(10)
    assert sink.numbers == [0, 1, 2, 3, 4]
    assert sink.closed == 1


def test_put_drops_the_oldest_when_the_sink_hangs(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.gate.clear()
    worker = SinkWorker(sink, clock)
    worker.put(frame(0))
    assert sink.entered.acquire(timeout=10)  # it holds frame 0, and nothing waits
    for number in range(1, SINK_QUEUE_FRAMES + 4):
        worker.put(frame(number))
    assert worker.dropped == 3
    sink.gate.set()
    finish(worker)
    assert sink.numbers == [0, *range(4, SINK_QUEUE_FRAMES + 4)]


def test_one_thread_per_sink(clock: FakeClock) -> None:
    sink = FakeSink("camera")
    names: set[str] = set()
    sink.on_write = lambda: names.add(threading.current_thread().name)
    worker = SinkWorker(sink, clock)
    assert own_threads() == ["live-nst camera"]
    worker.put(frame(0))
    finish(worker)
    assert names == {"live-nst camera"}


@pytest.mark.parametrize("error", [RecordingError("the disk is full"), ZeroDivisionError()])
@pytest.mark.parametrize("rate", [None, 25.0])
def test_failing_write_closes_the_sink(
    error: BaseException, rate: float | None, clock: FakeClock
) -> None:
    sink = FakeSink(rate=rate)
    sink.fail_at, sink.failure = 0, error
    worker = SinkWorker(sink, clock)
    worker.put(frame(0))
    wait_until(lambda: not worker.alive)
    assert worker.failure is error
    assert sink.closed == 1
    worker.put(frame(1))
    worker.stop()


def test_failing_close(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.close_failure = RecordingError("the end cannot be written")
    worker = SinkWorker(sink, clock)
    worker.put(frame(0))
    finish(worker)
    assert sink.numbers == [0]
    assert worker.failure is sink.close_failure


def test_first_failure_is_kept(clock: FakeClock) -> None:
    sink = FakeSink()
    sink.fail_at, sink.failure = 0, RecordingError("the disk is full")
    sink.close_failure = RecordingError("the end cannot be written")
    worker = SinkWorker(sink, clock)
    worker.put(frame(0))
    wait_until(lambda: not worker.alive)
    assert worker.failure is sink.failure


@pytest.mark.parametrize("rate", [None, 30.0])
def test_stop_without_a_frame(rate: float | None, clock: FakeClock) -> None:
    sink = FakeSink(rate=rate)
    finish(SinkWorker(sink, clock))
    assert sink.frames == []
    assert sink.closed == 1


class RateRun:
    """A worker at 10 frames a second on a clock that moves only by its own sleeping.

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
        self.worker = SinkWorker(self.sink, self.clock)
        self.worker.put(frame(0))
        self.worker.join(10)
        assert not self.worker.alive

    def _after_write(self) -> None:
        self.times.append(round(self.clock.now() - self._start, 6))
        written = len(self.times)
        self.clock.advance(self._delays.get(written - 1, 0.0))
        if written in self._puts:
            self.worker.put(frame(self._puts[written]))
        if written == self._until:
            self.worker.stop()


def test_rate_repeats_the_newest_frame() -> None:
    run = RateRun({4: 1, 9: 2})
    assert run.sink.numbers == [0] * 4 + [1] * 5 + [2] * 3
    assert run.times == [round(0.1 * number, 6) for number in range(12)]
    assert run.sink.closed == 1


def test_rate_skips_faster_frames() -> None:
    sink = FakeSink(rate=10.0)
    sink.gate.clear()
    worker = SinkWorker(sink, SteppedClock())
    worker.put(frame(0))
    assert sink.entered.acquire(timeout=10)
    for number in range(1, 6):
        worker.put(frame(number))
    sink.on_write = lambda: worker.stop() if len(sink.frames) == 2 else None
    sink.gate.set()
    worker.join(10)
    assert sink.numbers == [0, 5]
    assert worker.dropped == 0  # such a sink misses nothing: it shows what is newest


def test_rate_is_kept_after_a_short_delay() -> None:
    run = RateRun({}, delays={3: 0.04})
    assert run.times == [round(0.1 * number, 6) for number in range(12)]


def test_no_burst_after_a_stall() -> None:
    run = RateRun({}, delays={3: 1.0})
    gaps = [after - before for before, after in zip(run.times, run.times[1:], strict=False)]
    assert gaps[3] == pytest.approx(1.0)
    assert gaps[4:] == pytest.approx([0.1] * 7)


def test_device_slower_than_the_rate() -> None:
    run = RateRun({}, delays=dict.fromkeys(range(20), 0.25))
    gaps = [after - before for before, after in zip(run.times, run.times[1:], strict=False)]
    assert gaps == pytest.approx([0.25] * 11)
    assert all(pause <= 0 for pause in run.clock.slept)

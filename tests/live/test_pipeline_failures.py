"""The pipeline when a source, the worker, the display or a sink fails."""

import threading
from typing import Any

import pytest

from live_nst.errors import DisplayError, RecordingError, SourceError
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.pipeline import LivePipeline
from tests.live.fakes import (
    FakeClock,
    FakeSink,
    FakeStylizer,
    Running,
    own_threads,
    wait_until,
)
from tests.live.harness import MakeHarness


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), SourceError("the file is damaged")])
def test_source_failure(make_harness: MakeHarness, error: BaseException, display: bool) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=display)
    with harness.running as running:
        harness.show()
        harness.feeder.put(error)
        running.wait()
    assert running.error is error
    assert not own_threads()
    assert sink.numbers == [0] and sink.closed == 1
    assert harness.display is None or harness.display.closed


def test_source_that_cannot_be_opened(clock: FakeClock) -> None:
    error = SourceError("no such camera")

    def refuse() -> Any:
        raise error

    capture = CaptureWorker(refuse, clock)
    capture.start()
    running = Running(LivePipeline(capture, FakeStylizer(), clock=clock))
    with running:
        running.wait()
    assert running.error is error


@pytest.mark.parametrize("display", [False, True])
def test_stylizer_failure(make_harness: MakeHarness, display: bool) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=display)
    with harness.running as running:
        harness.show()
        harness.stylizer.infer_failure = ZeroDivisionError("bug")
        harness.feeder.give()
        running.wait()
    assert running.error is harness.stylizer.infer_failure
    assert not own_threads()
    assert sink.numbers == [0] and sink.closed == 1


def test_unexpected_style_failure(make_harness: MakeHarness) -> None:
    harness = make_harness()
    harness.stylizer.failures["wave"] = ZeroDivisionError("bug")
    with harness.running as running:
        harness.show()
        harness.pipeline.worker.style_changer.select("wave", lambda error: None)
        running.wait()
    assert running.error is harness.stylizer.failures["wave"]


@pytest.mark.parametrize("failing", ["show", "poll"])
def test_display_failure_closes_sinks(make_harness: MakeHarness, failing: str) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=True)
    assert harness.display is not None
    error = DisplayError("the display went away")

    def fail() -> None:
        raise error

    with harness.running as running:
        harness.show()
        if failing == "show":
            harness.display.failure = error
        else:
            harness.display.on_poll = fail
        harness.feeder.give()
        running.wait()
    assert running.error is error
    assert sink.closed == 1
    assert not own_threads()


def test_unexpected_sink_failure(make_harness: MakeHarness) -> None:
    broken, whole = FakeSink("broken"), FakeSink("whole")
    broken.fail_at, broken.failure = 1, ZeroDivisionError("bug")
    harness = make_harness(broken, whole, display=True)
    with harness.running as running:
        harness.show()
        harness.feeder.give()
        running.wait()
    assert running.error is broken.failure
    assert broken.closed == whole.closed == 1
    assert not own_threads()


@pytest.mark.parametrize("left", ["display", "sink", "both"])
def test_sink_failure_is_raised_at_the_end(make_harness: MakeHarness, left: str) -> None:
    broken, whole = FakeSink("broken"), FakeSink("whole")
    broken.fail_at, broken.failure = 2, RecordingError("the disk is full", "make room")
    sinks = [broken] if left == "display" else [broken, whole]
    harness = make_harness(*sinks, display=left != "sink")
    with harness.running as running:
        harness.show(3)
        wait_until(lambda: harness.warnings)
        harness.show(5)
        assert running.alive
    assert running.error is broken.failure
    assert harness.warnings == ["the disk is full (make room)"]
    assert broken.numbers == [0, 1] and broken.closed == 1
    assert left == "display" or whole.numbers == list(range(8))
    assert harness.frames == 8


def test_last_sink_failure_without_display(make_harness: MakeHarness) -> None:
    sinks = [FakeSink("one"), FakeSink("two")]
    for number, sink in enumerate(sinks):
        sink.fail_at, sink.failure = number, RecordingError(f"{sink.name} is full")
    harness = make_harness(*sinks)
    with harness.running as running:
        harness.show()
        wait_until(lambda: harness.warnings)
        harness.feeder.give()
        running.wait()
    assert running.error is sinks[0].failure
    assert harness.warnings == ["one is full"]
    assert not own_threads()


def test_sink_close_failure(make_harness: MakeHarness) -> None:
    sink = FakeSink()
    sink.close_failure = RecordingError("the end cannot be written")
    harness = make_harness(sink)
    with harness.running as running:
        harness.show()
    assert running.error is sink.close_failure


def test_broken_sink_that_closes_slowly(make_harness: MakeHarness) -> None:
    may_close, closing = threading.Event(), threading.Event()

    class SlowToClose(FakeSink):
        def close(self) -> None:
            closing.set()
            assert may_close.wait(10)
            super().close()

    sink = SlowToClose()
    sink.fail_at, sink.failure = 0, RecordingError("the disk is full")
    harness = make_harness(sink)
    with harness.running as running:
        harness.feeder.give()
        assert closing.wait(10)
        wait_until(lambda: own_threads() == ["live-nst fake sink"])
        running.join(0.05)
        assert running.alive
        may_close.set()
        running.wait()
    assert running.error is sink.failure
    assert sink.closed == 1

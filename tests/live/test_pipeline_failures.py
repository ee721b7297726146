"""The pipeline when a source, the painter, the display or a sink fails."""

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
def test_a_failure_of_the_source_reaches_the_caller(
    stage: MakeHarness, error: BaseException, display: bool
) -> None:
    sink = FakeSink()
    it = stage(sink, display=display)
    with it.running as running:
        it.show()
        it.hand.put(error)
        running.wait()
    assert running.error is error
    assert not own_threads()
    assert sink.numbers == [0] and sink.closed == 1
    assert it.display is None or it.display.closed


def test_a_source_that_cannot_be_opened_reaches_the_caller(clock: FakeClock) -> None:
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
def test_a_failure_of_the_painter_reaches_the_caller(stage: MakeHarness, display: bool) -> None:
    sink = FakeSink()
    it = stage(sink, display=display)
    with it.running as running:
        it.show()
        it.stylizer.paint_failure = ZeroDivisionError("bug")
        it.hand.give()
        running.wait()
    assert running.error is it.stylizer.paint_failure
    assert not own_threads()
    assert sink.numbers == [0] and sink.closed == 1


def test_an_unexpected_failure_of_a_style_reaches_the_caller(stage: MakeHarness) -> None:
    it = stage()
    it.stylizer.failures["wave"] = ZeroDivisionError("bug")
    with it.running as running:
        it.show()
        it.pipeline.painter.select("wave", lambda error: None)
        running.wait()
    assert running.error is it.stylizer.failures["wave"]


@pytest.mark.parametrize("failing", ["show", "poll"])
def test_a_failure_of_the_display_reaches_the_caller_and_closes_the_sinks(
    stage: MakeHarness, failing: str
) -> None:
    sink = FakeSink()
    it = stage(sink, display=True)
    assert it.display is not None
    error = DisplayError("the display went away")

    def fail() -> None:
        raise error

    with it.running as running:
        it.show()
        if failing == "show":
            it.display.failure = error
        else:
            it.display.on_poll = fail
        it.hand.give()
        running.wait()
    assert running.error is error
    assert sink.closed == 1
    assert not own_threads()


def test_an_unexpected_failure_of_a_sink_ends_the_session_at_once(stage: MakeHarness) -> None:
    broken, whole = FakeSink("broken"), FakeSink("whole")
    broken.fail_at, broken.failure = 1, ZeroDivisionError("bug")
    it = stage(broken, whole, display=True)
    with it.running as running:
        it.show()
        it.hand.give()
        running.wait()
    assert running.error is broken.failure
    assert broken.closed == whole.closed == 1
    assert not own_threads()


@pytest.mark.parametrize("left", ["display", "sink", "both"])
def test_without_a_broken_sink_the_session_goes_on_and_says_so_at_its_end(
    stage: MakeHarness, left: str
) -> None:
    broken, whole = FakeSink("broken"), FakeSink("whole")
    broken.fail_at, broken.failure = 2, RecordingError("the disk is full", "make room")
    sinks = [broken] if left == "display" else [broken, whole]
    it = stage(*sinks, display=left != "sink")
    with it.running as running:
        it.show(3)
        wait_until(lambda: it.warnings)
        it.show(5)
        assert running.alive
    assert running.error is broken.failure
    assert it.warnings == ["the disk is full (make room)"]
    assert broken.numbers == [0, 1] and broken.closed == 1
    assert left == "display" or whole.numbers == list(range(8))
    assert it.frames == 8


def test_when_the_last_sink_breaks_and_nobody_watches_the_session_ends(stage: MakeHarness) -> None:
    sinks = [FakeSink("one"), FakeSink("two")]
    for number, sink in enumerate(sinks):
        sink.fail_at, sink.failure = number, RecordingError(f"{sink.name} is full")
    it = stage(*sinks)
    with it.running as running:
        it.show()
        wait_until(lambda: it.warnings)
        it.hand.give()
        running.wait()
    assert running.error is sinks[0].failure
    assert it.warnings == ["one is full"]
    assert not own_threads()


def test_a_sink_that_cannot_be_finished_is_told(stage: MakeHarness) -> None:
    sink = FakeSink()
    sink.close_failure = RecordingError("the end cannot be written")
    it = stage(sink)
    with it.running as running:
        it.show()
    assert running.error is sink.close_failure


def test_a_broken_sink_that_is_long_in_closing_is_waited_for(stage: MakeHarness) -> None:
    may_close, closing = threading.Event(), threading.Event()

    class SlowToClose(FakeSink):
        def close(self) -> None:
            closing.set()
            assert may_close.wait(10)
            super().close()

    sink = SlowToClose()
    sink.fail_at, sink.failure = 0, RecordingError("the disk is full")
    it = stage(sink)
    with it.running as running:
        it.hand.give()
        assert closing.wait(10)
        wait_until(lambda: own_threads() == ["live-nst fake sink"])
        running._thread.join(0.05)
        assert running.alive
        may_close.set()
        running.wait()
    assert running.error is sink.failure
    assert sink.closed == 1

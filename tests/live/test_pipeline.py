"""The pipeline with a source, a stylizer, sinks and a display that the test holds in its hand."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from live_nst.errors import DisplayError, RecordingError, SourceError, StyleError
from live_nst.live.capture import STALL_NOTICE
from live_nst.live.painter import FADE_SECONDS
from live_nst.live.pipeline import LivePipeline
from live_nst.sinks.base import Sink
from tests.live.fakes import (
    FakeClock,
    FakeDisplay,
    FakeSink,
    FakeStylizer,
    Hand,
    Running,
    own_threads,
    wait_until,
)


class Stage:
    """A pipeline with fakes around it; `with stage.running:` runs it."""

    def __init__(self, clock: FakeClock, *sinks: Sink, display: bool = False, **limits: Any):
        self.clock = clock
        self.hand = Hand(clock)
        self.stylizer = FakeStylizer()
        self.display = FakeDisplay(clock) if display else None
        self.warnings: list[str] = []
        self.pipeline = LivePipeline(
            self.hand.capture,
            self.stylizer,
            sinks=sinks,
            display=self.display,
            clock=clock,
            warn=self.warnings.append,
            **limits,
        )
        self.running = Running(self.pipeline)
        self.hand.capture.start()
        self.hand.capture.wait_opened()

    @property
    def frames(self) -> int:
        return self.pipeline.stats.frames

    def show(self, count: int = 1) -> None:
        """Have frames shown, one after the other."""
        for _ in range(count):
            shown = self.frames
            self.hand.give()
            wait_until(lambda shown=shown: self.frames > shown, "the frame was not shown")

    def give_until_it_ends(self) -> None:
        """Give frames faster than they can be painted, so that some wait when the end comes."""
        slot = self.hand.capture.slot
        while self.running.alive:
            self.hand.give(3)
            wait_until(lambda: slot.empty or not self.running.alive)


MakeStage = Callable[..., Stage]


@pytest.fixture
def stage(clock: FakeClock) -> Iterator[MakeStage]:
    made: list[Stage] = []

    def make(*sinks: Sink, **options: Any) -> Stage:
        made.append(Stage(clock, *sinks, **options))
        return made[-1]

    yield make
    for one in made:
        one.stylizer.gate.set()
        one.stylizer.loading.set()
        one.hand.capture.close()


# Frames and counts


@pytest.mark.parametrize("display", [False, True])
def test_every_frame_of_a_slow_source_is_shown_once_and_in_order(
    stage: MakeStage, display: bool
) -> None:
    sink = FakeSink()
    it = stage(sink, display=display)
    with it.running:
        it.show(30)
        it.clock.wait_for_looks(20)  # nothing new comes, so nothing is shown or counted
        assert it.frames == 30
    assert it.running.error is None
    assert sink.numbers == list(range(30))
    assert [frame.index for frame in sink.frames] == list(range(30))
    assert [number for number, _ in it.stylizer.painted] == list(range(30))
    assert it.pipeline.dropped == 0
    if it.display:
        assert [number for number, _, _ in it.display.shown] == list(range(30))


def test_of_a_fast_source_the_newest_frame_wins_and_the_others_are_counted_as_dropped(
    stage: MakeStage,
) -> None:
    sink = FakeSink()
    it = stage(sink)
    with it.running:
        for _ in range(10):
            it.stylizer.gate.clear()
            it.hand.give()  # this one is painted
            assert it.stylizer.entered.acquire(timeout=10)
            it.hand.give(4)  # of these the last one is
            it.hand.wait_captured()
            shown = it.frames
            it.stylizer.gate.set()
            assert it.stylizer.entered.acquire(timeout=10)
            wait_until(lambda shown=shown: it.frames == shown + 2)
    wanted = [number for number in range(50) if number % 5 in (0, 4)]
    assert [number for number, _ in it.stylizer.painted] == wanted
    assert sink.numbers == wanted
    assert it.frames == 20
    assert it.pipeline.dropped == 30


def test_a_slow_display_shows_the_newest_painted_frame_and_slows_no_sink(
    stage: MakeStage,
) -> None:
    sink = FakeSink()
    it = stage(sink, display=True)
    assert it.display is not None
    with it.running:
        it.show()
        it.display.gate.clear()
        for number in range(1, 20):
            it.hand.give()
            wait_until(lambda number=number: len(sink.frames) == number + 1)
        it.display.gate.set()
        wait_until(lambda: it.display is not None and it.display.shown[-1][0] == 19)
    shown = [number for number, _, _ in it.display.shown]
    assert sink.numbers == list(range(20))
    assert shown == sorted(set(shown)) and len(shown) <= 4
    assert it.frames == len(shown)


def test_what_was_replaced_before_the_session_is_not_counted_as_dropped(stage: MakeStage) -> None:
    it = stage()
    it.hand.give(10)  # while the model is loaded
    it.hand.wait_captured()
    with it.running:
        wait_until(lambda: it.frames == 1)
        assert it.pipeline.dropped == 0
    assert [number for number, _ in it.stylizer.painted] == [9]


def test_latency_is_from_capture_to_display(stage: MakeStage) -> None:
    it = stage(display=True)
    assert it.display is not None
    it.display.on_poll = lambda: it.clock.advance(0.004) if it.stylizer.painted else None
    paint = it.stylizer.paint

    def slowly(*given: Any) -> Any:
        it.clock.advance(0.030)
        return paint(*given)

    it.stylizer.paint = slowly  # type: ignore[method-assign]
    with it.running:
        it.show()
    assert it.pipeline.stats.latency_ms()["p50"] == pytest.approx(34.0)
    assert it.pipeline.stats.stage_ms() == {"stylise": 30.0, "compose": 0.0, "display": 4.0}


def test_the_newest_picture_can_be_had(stage: MakeStage) -> None:
    it = stage()
    assert it.pipeline.newest is None
    with it.running:
        it.show(3)
        assert it.pipeline.newest is not None
        assert int(it.pipeline.newest[0, 0, 0]) == 2


# Ends


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 120])
def test_the_frame_limit_is_exact_for_display_sink_and_count(
    stage: MakeStage, display: bool, limit: int
) -> None:
    sink = FakeSink()
    it = stage(sink, display=display, max_frames=limit)
    with it.running as running:
        it.give_until_it_ends()
    assert running.error is None
    assert it.frames == limit
    assert len(sink.frames) == limit
    assert len(set(sink.numbers)) == limit
    assert sink.closed == 1
    if it.display:
        shown = [number for number, _, _ in it.display.shown]
        assert len(shown) == limit and shown == sorted(set(shown))


def test_a_frame_painted_while_another_is_shown_does_not_pass_the_limit(stage: MakeStage) -> None:
    sink = FakeSink()
    it = stage(sink, display=True, max_frames=2)
    assert it.display is not None
    it.display.gate.clear()
    with it.running:
        for number in range(4):
            it.hand.give()
            wait_until(lambda number=number: len(it.stylizer.painted) == number + 1)
        it.display.gate.set()
        it.give_until_it_ends()
    assert sink.numbers == [0, 1]
    assert it.frames == len(it.display.shown) == 2


def test_the_time_limit(stage: MakeStage) -> None:
    it = stage(max_seconds=10.0)
    with it.running as running:
        it.clock.advance(4)
        it.show(2)
        it.clock.advance(5.9)
        it.show(1)
        assert running.alive
        it.clock.advance(0.2)
        running.wait()
    assert it.frames == 3


def test_the_time_limit_also_ends_a_session_without_any_picture(stage: MakeStage) -> None:
    it = stage(max_seconds=10.0)
    with it.running as running:
        it.clock.wait_for_looks()
        it.clock.advance(10.1)
        running.wait()
    assert it.frames == 0


def test_stopping_from_another_thread_finishes_the_recording(stage: MakeStage) -> None:
    sink = FakeSink()
    sink.gate.clear()
    it = stage(sink, display=True)
    with it.running as running:
        it.show(4)
        it.pipeline.stop()
        wait_until(lambda: it.display is not None and len(own_threads()) == 1)
        sink.gate.set()
        running.wait()
    assert sink.numbers == [0, 1, 2, 3]
    assert sink.closed == 1
    assert it.display is not None and it.display.closed
    assert not own_threads()


def test_what_is_painted_while_the_session_ends_is_shown_as_well_as_recorded(
    stage: MakeStage,
) -> None:
    sink = FakeSink()
    it = stage(sink, display=True)
    with it.running as running:
        it.show()
        it.stylizer.gate.clear()
        it.hand.give()
        wait_until(lambda: it.hand.capture.slot.empty and it.hand.capture._next_index == 2)
        it.pipeline.stop()
        it.stylizer.gate.set()
        running.wait()
    assert it.display is not None
    assert sink.numbers == [0, 1]
    assert [number for number, _, _ in it.display.shown] == [0, 1]
    assert it.frames == 2


def test_closing_the_window_ends_the_session(stage: MakeStage) -> None:
    it = stage(display=True)
    assert it.display is not None
    with it.running as running:
        it.show()
        it.display.closed = True
        running.wait()
    assert running.error is None
    assert not own_threads()


@pytest.mark.parametrize("display", [False, True])
def test_the_end_of_the_source_ends_the_session_after_its_last_frame(
    stage: MakeStage, display: bool
) -> None:
    sink = FakeSink()
    it = stage(sink, display=display)
    with it.running as running:
        it.show(2)
        it.stylizer.gate.clear()
        it.hand.give()
        it.hand.put(None)
        wait_until(lambda: it.hand.capture.ended)
        it.stylizer.gate.set()
        running.wait()
    assert running.error is None
    assert it.frames == 3
    assert sink.numbers == [0, 1, 2]
    assert it.hand.source.closed


def test_the_display_is_used_from_the_thread_that_runs_the_pipeline(stage: MakeStage) -> None:
    it = stage(display=True)
    with it.running as running:
        it.show(3)
        thread = running._thread.ident
    assert it.display is not None
    assert it.display.threads == {thread}


# Failures


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), SourceError("the file is damaged")])
def test_a_failure_of_the_source_reaches_the_caller(
    stage: MakeStage, error: BaseException, display: bool
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
    from live_nst.live.capture import Capture

    error = SourceError("no such camera")

    def refuse() -> Any:
        raise error

    capture = Capture(refuse, clock)
    capture.start()
    running = Running(LivePipeline(capture, FakeStylizer(), clock=clock))
    with running:
        running.wait()
    assert running.error is error


@pytest.mark.parametrize("display", [False, True])
def test_a_failure_of_the_painter_reaches_the_caller(stage: MakeStage, display: bool) -> None:
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


def test_an_unexpected_failure_of_a_style_reaches_the_caller(stage: MakeStage) -> None:
    it = stage()
    it.stylizer.failures["wave"] = ZeroDivisionError("bug")
    with it.running as running:
        it.show()
        it.pipeline.painter.select("wave", lambda error: None)
        running.wait()
    assert running.error is it.stylizer.failures["wave"]


@pytest.mark.parametrize("failing", ["show", "poll"])
def test_a_failure_of_the_display_reaches_the_caller_and_closes_the_sinks(
    stage: MakeStage, failing: str
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


def test_an_unexpected_failure_of_a_sink_ends_the_session_at_once(stage: MakeStage) -> None:
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
    stage: MakeStage, left: str
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


def test_when_the_last_sink_breaks_and_nobody_watches_the_session_ends(stage: MakeStage) -> None:
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


def test_a_sink_that_cannot_be_finished_is_told(stage: MakeStage) -> None:
    sink = FakeSink()
    sink.close_failure = RecordingError("the end cannot be written")
    it = stage(sink)
    with it.running as running:
        it.show()
    assert running.error is sink.close_failure


def test_a_broken_sink_that_is_long_in_closing_is_waited_for(stage: MakeStage) -> None:
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
        wait_until(lambda: "live-nst painter" not in own_threads())
        assert running.alive
        may_close.set()
        running.wait()
    assert running.error is sink.failure
    assert sink.closed == 1


# Sinks that come and go


def test_a_recording_can_be_begun_and_ended_while_it_runs(stage: MakeStage) -> None:
    first, second = FakeSink("first"), FakeSink("second")
    it = stage(first, display=True)
    with it.running:
        it.show(2)
        it.pipeline.add_sink(second)
        it.show(2)
        it.pipeline.remove_sink(first)
        wait_until(lambda: first.closed)
        it.show(2)
        it.pipeline.remove_sink(first)  # it is gone already
        it.show(1)
    assert first.numbers == [0, 1, 2, 3] and first.closed == 1
    assert second.numbers == [2, 3, 4, 5, 6] and second.closed == 1


def test_a_slow_sink_slows_neither_display_nor_other_sinks(stage: MakeStage) -> None:
    slow, fast = FakeSink("slow"), FakeSink("fast")
    slow.gate.clear()
    it = stage(slow, fast, display=True)
    with it.running:
        it.show(40)
        wait_until(lambda: len(fast.frames) == 40)
        slow.gate.set()
    assert it.frames == 40
    assert fast.numbers == list(range(40))
    assert slow.numbers == sorted(slow.numbers)
    assert slow.numbers[-1] == 39


def test_no_thread_is_started_for_a_session_that_is_never_run(clock: FakeClock) -> None:
    hand = Hand(clock)
    LivePipeline(hand.capture, FakeStylizer(), sinks=[FakeSink()], clock=clock)
    assert not own_threads()


# Styles, looks and notices


def test_a_slow_change_of_style_never_stalls_the_stream(stage: MakeStage) -> None:
    it = stage(display=True)
    assert it.display is not None
    it.stylizer.loading.clear()
    with it.running:
        it.show(2)
        pending = it.pipeline.painter.select("wave", lambda error: None)
        assert it.stylizer.load_entered.wait(10)
        it.show(20)
        it.clock.advance(3)
        it.stylizer.loading.set()
        pending.result(10)
        it.show(2)
    assert it.stylizer.selected == [("wave", FADE_SECONDS, it.clock.now())]
    assert [style for _, style in it.stylizer.painted] == ["starry"] * 22 + ["wave"] * 2


def test_a_style_that_fails_leaves_the_stream_alone(stage: MakeStage) -> None:
    it = stage()
    it.stylizer.failures["wave"] = StyleError("there is no such picture")
    told: list[str] = []
    with it.running as running:
        it.show()
        it.pipeline.painter.select("wave", lambda error: told.append(error.message)).result(10)
        it.show(3)
    assert running.error is None
    assert told == ["there is no such picture"]


def test_a_frozen_picture_is_painted_anew_for_a_new_style_and_not_counted(stage: MakeStage) -> None:
    sink = FakeSink()
    it = stage(sink, display=True)
    assert it.display is not None
    with it.running:
        it.show(3)
        it.pipeline.look.frozen = True
        it.pipeline.painter.look_changed()
        display = it.display
        it.pipeline.painter.select("wave", lambda error: None).result(10)
        wait_until(lambda: display.shown[-1][:2] == (2, 1), "the new style does not show")
        it.hand.give(3)
        it.clock.wait_for_looks(3)
        assert it.frames == 3
        assert {number for number, _, _ in display.shown[3:]} == {2}
        it.clock.advance(10)
        it.pipeline.look.frozen = False
        it.show()
    assert it.frames == 4
    assert sink.numbers[:3] == [0, 1, 2] and sink.numbers[-1] == 6
    assert set(sink.numbers[3:-1]) == {2}  # the recording shows what was seen


def test_a_notice_appears_over_the_last_picture_and_vanishes(stage: MakeStage) -> None:
    it = stage(display=True)
    assert it.display is not None
    display = it.display
    with it.running:
        it.show(2)
        it.clock.advance(STALL_NOTICE + 0.1)
        wait_until(
            lambda: it.clock.advance(0.02) or display.shown[-1] == (1, 0, "no picture comes")
        )
        it.show()
        it.clock.advance(0.2)
        wait_until(lambda: display.shown[-1] == (2, 0, ""))
    assert it.warnings == ["Source: no picture comes.", "Source: it is back."]
    assert it.frames == 3


def test_a_notice_vanishes_from_a_frozen_picture_too(stage: MakeStage) -> None:
    it = stage(display=True)
    assert it.display is not None
    display = it.display
    with it.running:
        it.show()
        it.pipeline.look.frozen = True
        it.clock.advance(STALL_NOTICE + 0.1)
        wait_until(lambda: it.clock.advance(0.02) or display.shown[-1][2] == "no picture comes")
        it.hand.give()  # it is back
        it.hand.wait_captured()
        wait_until(lambda: it.clock.advance(0.0002) or display.shown[-1][2] == "")


def test_the_last_picture_is_not_drawn_at_full_speed_while_nothing_comes(stage: MakeStage) -> None:
    it = stage(display=True)
    assert it.display is not None
    with it.running:
        it.show()
        it.clock.advance(STALL_NOTICE + 0.1)
        it.clock.wait_for_looks(2)
        drawn = len(it.display.shown)
        it.clock.wait_for_looks(10)
        assert len(it.display.shown) - drawn <= 1

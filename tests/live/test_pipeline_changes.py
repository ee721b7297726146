"""What changes while the pipeline runs: sinks, styles, looks and notices."""

from live_nst.errors import StyleError
from live_nst.live.capture_worker import STALL_NOTICE_SECONDS
from live_nst.live.pipeline import LivePipeline
from live_nst.live.stylize_worker import FADE_SECONDS
from tests.live.fakes import (
    FakeClock,
    FakeSink,
    FakeStylizer,
    Hand,
    own_threads,
    wait_until,
)
from tests.live.harness import MakeHarness


def test_a_recording_can_be_begun_and_ended_while_it_runs(stage: MakeHarness) -> None:
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


def test_a_slow_sink_slows_neither_display_nor_other_sinks(stage: MakeHarness) -> None:
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


def test_a_slow_change_of_style_never_stalls_the_stream(stage: MakeHarness) -> None:
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


def test_a_style_that_fails_leaves_the_stream_alone(stage: MakeHarness) -> None:
    it = stage()
    it.stylizer.failures["wave"] = StyleError("there is no such picture")
    told: list[str] = []
    with it.running as running:
        it.show()
        it.pipeline.painter.select("wave", lambda error: told.append(error.message)).result(10)
        it.show(3)
    assert running.error is None
    assert told == ["there is no such picture"]


def test_a_frozen_picture_is_painted_anew_for_a_new_style_and_not_counted(
    stage: MakeHarness,
) -> None:
    sink = FakeSink()
    it = stage(sink, display=True)
    assert it.display is not None
    with it.running:
        it.show(3)
        it.pipeline.view.frozen = True
        it.pipeline.painter.look_changed()
        display = it.display
        it.pipeline.painter.select("wave", lambda error: None).result(10)
        wait_until(lambda: display.shown[-1][:2] == (2, 1), "the new style does not show")
        it.hand.give(3)
        it.clock.wait_for_looks(3)
        assert it.frames == 3
        assert {number for number, _, _ in display.shown[3:]} == {2}
        it.clock.advance(10)
        it.pipeline.view.frozen = False
        it.show()
    assert it.frames == 4
    assert sink.numbers[:3] == [0, 1, 2] and sink.numbers[-1] == 6
    assert set(sink.numbers[3:-1]) == {2}  # the recording shows what was seen


def test_a_notice_appears_over_the_last_picture_and_vanishes(stage: MakeHarness) -> None:
    it = stage(display=True)
    assert it.display is not None
    display = it.display
    with it.running:
        it.show(2)
        it.clock.advance(STALL_NOTICE_SECONDS + 0.1)
        wait_until(
            lambda: it.clock.advance(0.02) or display.shown[-1] == (1, 0, "no picture comes")
        )
        it.show()
        it.clock.advance(0.2)
        wait_until(lambda: display.shown[-1] == (2, 0, ""))
    assert it.warnings == ["Source: no picture comes.", "Source: it is back."]
    assert it.frames == 3


def test_a_notice_vanishes_from_a_frozen_picture_too(stage: MakeHarness) -> None:
    it = stage(display=True)
    assert it.display is not None
    display = it.display
    with it.running:
        it.show()
        it.pipeline.view.frozen = True
        it.clock.advance(STALL_NOTICE_SECONDS + 0.1)
        wait_until(lambda: it.clock.advance(0.02) or display.shown[-1][2] == "no picture comes")
        it.hand.give()  # it is back
        it.hand.wait_captured()
        wait_until(lambda: it.clock.advance(0.0002) or display.shown[-1][2] == "")


def test_the_last_picture_is_not_drawn_at_full_speed_while_nothing_comes(
    stage: MakeHarness,
) -> None:
    it = stage(display=True)
    assert it.display is not None
    with it.running:
        it.show()
        it.clock.advance(STALL_NOTICE_SECONDS + 0.1)
        it.clock.wait_for_looks(2)
        drawn = len(it.display.shown)
        it.clock.wait_for_looks(10)
        assert len(it.display.shown) - drawn <= 1

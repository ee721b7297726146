"""What changes while the pipeline runs: sinks, styles, looks and notices."""

from live_nst.errors import StyleError
from live_nst.live.background import FADE_SECONDS
from live_nst.live.capture_worker import STALL_NOTICE_SECONDS
from live_nst.live.pipeline import LivePipeline
from tests.live.fakes import (
    FakeClock,
    FakeSink,
    FakeStylizer,
    FrameFeeder,
    own_threads,
    wait_until,
)
from tests.live.harness import MakeHarness


def test_add_sink_and_remove_sink(make_harness: MakeHarness) -> None:
    first, second = FakeSink("first"), FakeSink("second")
    harness = make_harness(first, display=True)
    with harness.running:
        harness.show(2)
        harness.pipeline.add_sink(second)
        harness.show(2)
        harness.pipeline.remove_sink(first)
        wait_until(lambda: first.closed)
        harness.show(2)
        harness.pipeline.remove_sink(first)  # it is gone already
        harness.show(1)
    assert first.numbers == [0, 1, 2, 3] and first.closed == 1
    assert second.numbers == [2, 3, 4, 5, 6] and second.closed == 1


def test_slow_sink_slows_nothing_else(make_harness: MakeHarness) -> None:
    slow, fast = FakeSink("slow"), FakeSink("fast")
    slow.gate.clear()
    harness = make_harness(slow, fast, display=True)
    with harness.running:
        harness.show(40)
        wait_until(lambda: len(fast.frames) == 40)
        slow.gate.set()
    assert harness.frames == 40
    assert fast.numbers == list(range(40))
    assert slow.numbers == sorted(slow.numbers)
    assert slow.numbers[-1] == 39


def test_no_thread_before_run(clock: FakeClock) -> None:
    feeder = FrameFeeder(clock)
    LivePipeline(feeder.capture, FakeStylizer(), sinks=[FakeSink()], clock=clock)
    assert not own_threads()


def test_slow_select_does_not_stall(make_harness: MakeHarness) -> None:
    harness = make_harness(display=True)
    assert harness.display is not None
    harness.stylizer.loading.clear()
    with harness.running:
        harness.show(2)
        pending = harness.pipeline.worker.style_changer.select("wave", lambda error: None)
        assert harness.stylizer.load_entered.wait(10)
        harness.show(20)
        harness.clock.advance(3)
        harness.stylizer.loading.set()
        pending.result(10)
        harness.show(2)
    assert harness.stylizer.selected == [("wave", FADE_SECONDS, harness.clock.now())]
    assert [style for _, style in harness.stylizer.stylized] == ["starry"] * 22 + ["wave"] * 2


def test_select_error(make_harness: MakeHarness) -> None:
    harness = make_harness()
    harness.stylizer.failures["wave"] = StyleError("there is no such picture")
    messages: list[str] = []
    with harness.running as running:
        harness.show()
        harness.pipeline.worker.style_changer.select(
            "wave", lambda error: messages.append(error.message)
        ).result(10)
        harness.show(3)
    assert running.error is None
    assert messages == ["there is no such picture"]


def test_frozen_frame_is_redrawn_but_not_counted(
    make_harness: MakeHarness,
) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=True)
    assert harness.display is not None
    with harness.running:
        harness.show(3)
        harness.pipeline.view.frozen = True
        harness.pipeline.worker.look_changed()
        display = harness.display
        harness.pipeline.worker.style_changer.select("wave", lambda error: None).result(10)
        wait_until(lambda: display.shown[-1][:2] == (2, 1), "the new style does not show")
        harness.feeder.give(3)
        harness.clock.wait_for_looks(3)
        assert harness.frames == 3
        assert {number for number, _, _ in display.shown[3:]} == {2}
        harness.clock.advance(10)
        harness.pipeline.view.frozen = False
        harness.show()
    assert harness.frames == 4
    assert sink.numbers[:3] == [0, 1, 2] and sink.numbers[-1] == 6
    assert set(sink.numbers[3:-1]) == {2}  # the recording shows what was seen


def test_notice_over_the_last_frame(make_harness: MakeHarness) -> None:
    harness = make_harness(display=True)
    assert harness.display is not None
    display = harness.display
    with harness.running:
        harness.show(2)
        harness.clock.advance(STALL_NOTICE_SECONDS + 0.1)
        wait_until(
            lambda: harness.clock.advance(0.02) or display.shown[-1] == (1, 0, "no frames arrive")
        )
        harness.show()
        harness.clock.advance(0.2)
        wait_until(lambda: display.shown[-1] == (2, 0, ""))
    assert harness.warnings == ["Source: no frames arrive.", "Source: it is back."]
    assert harness.frames == 3


def test_notice_over_a_frozen_frame(make_harness: MakeHarness) -> None:
    harness = make_harness(display=True)
    assert harness.display is not None
    display = harness.display
    with harness.running:
        harness.show()
        harness.pipeline.view.frozen = True
        harness.clock.advance(STALL_NOTICE_SECONDS + 0.1)
        wait_until(
            lambda: harness.clock.advance(0.02) or display.shown[-1][2] == "no frames arrive"
        )
        harness.feeder.give()  # it is back
        harness.feeder.wait_captured()
        wait_until(lambda: harness.clock.advance(0.0002) or display.shown[-1][2] == "")


def test_redraw_interval_without_frames(
    make_harness: MakeHarness,
) -> None:
    harness = make_harness(display=True)
    assert harness.display is not None
    with harness.running:
        harness.show()
        harness.clock.advance(STALL_NOTICE_SECONDS + 0.1)
        harness.clock.wait_for_looks(2)
        drawn = len(harness.display.shown)
        harness.clock.wait_for_looks(10)
        assert len(harness.display.shown) - drawn <= 1

"""The pipeline: which frames are shown and counted, and how a session ends."""

from typing import Any

import pytest

from tests.live.fakes import (
    FakeSink,
    own_threads,
    wait_until,
)
from tests.live.harness import MakeHarness


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("display", [False, True])
def test_every_frame_of_a_slow_source_is_shown_once_and_in_order(
    stage: MakeHarness, display: bool, overlap: bool
) -> None:
    sink = FakeSink()
    it = stage(sink, display=display, overlap=overlap)
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


@pytest.mark.parametrize("overlap", [False, True])
def test_of_a_fast_source_the_newest_frame_wins_and_the_others_are_counted_as_dropped(
    stage: MakeHarness, overlap: bool
) -> None:
    sink = FakeSink()
    it = stage(sink, overlap=overlap)
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


def test_the_last_frame_of_a_source_is_painted_though_it_is_still_being_staged(
    stage: MakeHarness,
) -> None:
    sink = FakeSink()
    it = stage(sink, overlap=True)
    with it.running:
        it.show(3)
        it.stylizer.staging.clear()
        it.hand.give()
        wait_until(lambda: it.stylizer.prefetched[-1][0] == 3)
        it.hand.put(None)
        wait_until(lambda: it.hand.capture.ended)
        it.clock.wait_for_looks(5)
        assert it.running.alive
        it.stylizer.staging.set()
        it.running.wait()
    assert it.running.error is None
    assert sink.numbers == [0, 1, 2, 3]
    assert own_threads() == []


def test_a_slow_display_shows_the_newest_painted_frame_and_slows_no_sink(
    stage: MakeHarness,
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


def test_what_was_replaced_before_the_session_is_not_counted_as_dropped(stage: MakeHarness) -> None:
    it = stage()
    it.hand.give(10)  # while the model is loaded
    it.hand.wait_captured()
    with it.running:
        wait_until(lambda: it.frames == 1)
        assert it.pipeline.dropped == 0
    assert [number for number, _ in it.stylizer.painted] == [9]


def test_latency_is_from_capture_to_display(stage: MakeHarness) -> None:
    it = stage(display=True)
    assert it.display is not None
    it.display.on_poll = lambda: it.clock.advance(0.004) if it.stylizer.painted else None
    paint = it.stylizer.network

    def slowly(*given: Any) -> Any:
        it.clock.advance(0.030)
        return paint(*given)

    it.stylizer.network = slowly  # type: ignore[method-assign]
    with it.running:
        it.show()
    assert it.pipeline.stats.latency_ms()["p50"] == pytest.approx(34.0)
    assert it.pipeline.stats.stage_ms() == {
        "wait": 0.0, "stylize": 30.0, "compose": 0.0, "display": 4.0,
    }  # fmt: skip


def test_the_newest_picture_can_be_had(stage: MakeHarness) -> None:
    it = stage()
    assert it.pipeline.newest is None
    with it.running:
        it.show(3)
        assert it.pipeline.newest is not None
        assert int(it.pipeline.newest[0, 0, 0]) == 2


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 120])
def test_the_frame_limit_is_exact_for_display_sink_and_count(
    stage: MakeHarness, display: bool, limit: int
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


def test_a_frame_painted_while_another_is_shown_does_not_pass_the_limit(stage: MakeHarness) -> None:
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


def test_the_time_limit(stage: MakeHarness) -> None:
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


def test_the_time_limit_also_ends_a_session_without_any_picture(stage: MakeHarness) -> None:
    it = stage(max_seconds=10.0)
    with it.running as running:
        it.clock.wait_for_looks()
        it.clock.advance(10.1)
        running.wait()
    assert it.frames == 0


def test_stopping_from_another_thread_finishes_the_recording(stage: MakeHarness) -> None:
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
    stage: MakeHarness,
) -> None:
    sink = FakeSink()
    it = stage(sink, display=True)
    with it.running as running:
        it.show()
        it.stylizer.gate.clear()
        it.hand.give()
        wait_until(lambda: it.hand.capture.slot.empty and it.hand.capture._next_index == 2)
        it.pipeline.stop()
        wait_until(it.pipeline.painter._stop.is_set)  # it waits for the painter now
        it.stylizer.gate.set()
        running.wait()
    assert it.display is not None
    assert sink.numbers == [0, 1]
    assert [number for number, _, _ in it.display.shown] == [0, 1]
    assert it.frames == 2


def test_closing_the_window_ends_the_session(stage: MakeHarness) -> None:
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
    stage: MakeHarness, display: bool
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


def test_the_display_is_used_from_the_thread_that_runs_the_pipeline(stage: MakeHarness) -> None:
    it = stage(display=True)
    with it.running as running:
        it.show(3)
        thread = running._thread.ident
    assert it.display is not None
    assert it.display.threads == {thread}

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
def test_slow_source_every_frame_is_shown_once(
    make_harness: MakeHarness, display: bool, overlap: bool
) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=display, overlap=overlap)
    with harness.running:
        harness.show(30)
        harness.clock.wait_for_looks(20)  # nothing new comes, so nothing is shown or counted
        assert harness.frames == 30
    assert harness.running.error is None
    assert sink.numbers == list(range(30))
    assert [frame.index for frame in sink.frames] == list(range(30))
    assert [number for number, _ in harness.stylizer.stylized] == list(range(30))
    assert harness.pipeline.dropped == 0
    if harness.display:
        assert [number for number, _, _ in harness.display.shown] == list(range(30))


@pytest.mark.parametrize("overlap", [False, True])
def test_fast_source_newest_frame_wins(make_harness: MakeHarness, overlap: bool) -> None:
    sink = FakeSink()
    harness = make_harness(sink, overlap=overlap)
    with harness.running:
        for _ in range(10):
            harness.stylizer.gate.clear()
            harness.feeder.give()  # this one is stylized
            assert harness.stylizer.entered.acquire(timeout=10)
            harness.feeder.give(4)  # of these the last one is
            harness.feeder.wait_captured()
            shown = harness.frames
            harness.stylizer.gate.set()
            assert harness.stylizer.entered.acquire(timeout=10)
            wait_until(lambda shown=shown: harness.frames == shown + 2)
    wanted = [number for number in range(50) if number % 5 in (0, 4)]
    assert [number for number, _ in harness.stylizer.stylized] == wanted
    assert sink.numbers == wanted
    assert harness.frames == 20
    assert harness.pipeline.dropped == 30


def test_last_frame_in_preparation_is_stylized(
    make_harness: MakeHarness,
) -> None:
    sink = FakeSink()
    harness = make_harness(sink, overlap=True)
    with harness.running:
        harness.show(3)
        harness.stylizer.prefetching.clear()
        harness.feeder.give()
        wait_until(lambda: harness.stylizer.prefetched[-1][0] == 3)
        harness.feeder.put(None)
        wait_until(lambda: harness.feeder.capture.ended)
        harness.clock.wait_for_looks(5)
        assert harness.running.alive
        harness.stylizer.prefetching.set()
        harness.running.wait()
    assert harness.running.error is None
    assert sink.numbers == [0, 1, 2, 3]
    assert own_threads() == []


def test_slow_display_does_not_slow_sinks(
    make_harness: MakeHarness,
) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=True)
    assert harness.display is not None
    with harness.running:
        harness.show()
        harness.display.gate.clear()
        for number in range(1, 20):
            harness.feeder.give()
            wait_until(lambda number=number: len(sink.frames) == number + 1)
        harness.display.gate.set()
        wait_until(lambda: harness.display is not None and harness.display.shown[-1][0] == 19)
    shown = [number for number, _, _ in harness.display.shown]
    assert sink.numbers == list(range(20))
    assert shown == sorted(set(shown)) and len(shown) <= 4
    assert harness.frames == len(shown)


def test_dropped_counts_from_run(make_harness: MakeHarness) -> None:
    harness = make_harness()
    harness.feeder.give(10)  # while the model is loaded
    harness.feeder.wait_captured()
    with harness.running:
        wait_until(lambda: harness.frames == 1)
        assert harness.pipeline.dropped == 0
    assert [number for number, _ in harness.stylizer.stylized] == [9]


def test_dropped_counts_what_the_source_skipped(make_harness: MakeHarness) -> None:
    harness = make_harness()
    with harness.running:
        harness.show(2)
        harness.feeder.given += 5  # the next frame has an index that is higher by 5
        harness.show(1)
    assert harness.frames == 3
    assert harness.pipeline.dropped == 5


def test_latency(make_harness: MakeHarness) -> None:
    harness = make_harness(display=True)
    assert harness.display is not None
    harness.display.on_poll = lambda: (
        harness.clock.advance(0.004) if harness.stylizer.stylized else None
    )
    infer = harness.stylizer.infer

    def slowly(*given: Any) -> Any:
        harness.clock.advance(0.030)
        return infer(*given)

    harness.stylizer.infer = slowly  # type: ignore[method-assign]
    with harness.running:
        harness.show()
    assert harness.pipeline.stats.latency_ms()["p50"] == pytest.approx(34.0)
    assert harness.pipeline.stats.stage_ms() == {
        "wait": 0.0, "stylize": 30.0, "compose": 0.0, "display": 4.0,
    }  # fmt: skip


def test_newest(make_harness: MakeHarness) -> None:
    harness = make_harness()
    assert harness.pipeline.newest is None
    with harness.running:
        harness.show(3)
        assert harness.pipeline.newest is not None
        assert int(harness.pipeline.newest[0, 0, 0]) == 2


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 120])
def test_max_frames(make_harness: MakeHarness, display: bool, limit: int) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=display, max_frames=limit)
    with harness.running as running:
        harness.give_until_it_ends()
    assert running.error is None
    assert harness.frames == limit
    assert len(sink.frames) == limit
    assert len({frame.index for frame in sink.frames}) == limit
    assert sink.closed == 1
    if harness.display:
        shown = harness.display.indices  # a picture's number has 16 bits, which do not suffice
        assert len(shown) == limit and shown == sorted(set(shown))


def test_max_frames_with_a_slow_display(make_harness: MakeHarness) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=True, max_frames=2)
    assert harness.display is not None
    harness.display.gate.clear()
    with harness.running:
        for number in range(4):
            harness.feeder.give()
            wait_until(lambda number=number: len(harness.stylizer.stylized) == number + 1)
        harness.display.gate.set()
        harness.give_until_it_ends()
    assert sink.numbers == [0, 1]
    assert harness.frames == len(harness.display.shown) == 2


def test_max_seconds(make_harness: MakeHarness) -> None:
    harness = make_harness(max_seconds=10.0)
    with harness.running as running:
        harness.clock.advance(4)
        harness.show(2)
        harness.clock.advance(5.9)
        harness.show(1)
        assert running.alive
        harness.clock.advance(0.2)
        running.wait()
    assert harness.frames == 3


def test_max_seconds_without_frames(make_harness: MakeHarness) -> None:
    harness = make_harness(max_seconds=10.0)
    with harness.running as running:
        harness.clock.wait_for_looks()
        harness.clock.advance(10.1)
        running.wait()
    assert harness.frames == 0


def test_stop_finishes_sinks(make_harness: MakeHarness) -> None:
    sink = FakeSink()
    sink.gate.clear()
    harness = make_harness(sink, display=True)
    with harness.running as running:
        harness.show(4)
        harness.pipeline.stop()
        wait_until(lambda: harness.display is not None and len(own_threads()) == 1)
        sink.gate.set()
        running.wait()
    assert sink.numbers == [0, 1, 2, 3]
    assert sink.closed == 1
    assert harness.display is not None and harness.display.closed
    assert not own_threads()


def test_frame_stylized_during_stop_is_shown(
    make_harness: MakeHarness,
) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=True)
    with harness.running as running:
        harness.show()
        harness.stylizer.gate.clear()
        harness.feeder.give()
        wait_until(
            lambda: harness.feeder.capture.slot.empty and harness.feeder.capture.next_index == 2
        )
        harness.pipeline.stop()
        wait_until(lambda: harness.pipeline.worker.stopping)  # it waits for the worker now
        harness.stylizer.gate.set()
        running.wait()
    assert harness.display is not None
    assert sink.numbers == [0, 1]
    assert [number for number, _, _ in harness.display.shown] == [0, 1]
    assert harness.frames == 2


def test_closed_display(make_harness: MakeHarness) -> None:
    harness = make_harness(display=True)
    assert harness.display is not None
    with harness.running as running:
        harness.show()
        harness.display.closed = True
        running.wait()
    assert running.error is None
    assert not own_threads()


@pytest.mark.parametrize("display", [False, True])
def test_end_of_the_source(make_harness: MakeHarness, display: bool) -> None:
    sink = FakeSink()
    harness = make_harness(sink, display=display)
    with harness.running as running:
        harness.show(2)
        harness.stylizer.gate.clear()
        harness.feeder.give()
        harness.feeder.put(None)
        wait_until(lambda: harness.feeder.capture.ended)
        harness.stylizer.gate.set()
        running.wait()
    assert running.error is None
    assert harness.frames == 3
    assert sink.numbers == [0, 1, 2]
    assert harness.feeder.source.closed


def test_display_is_used_in_the_thread_of_run(make_harness: MakeHarness) -> None:
    harness = make_harness(display=True)
    with harness.running as running:
        harness.show(3)
        thread = running.thread_id
    assert harness.display is not None
    assert harness.display.threads == {thread}

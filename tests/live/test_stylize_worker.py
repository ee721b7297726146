"""The thread that stylizes."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.errors import LiveNstError, StyleError, UsageError
from live_nst.live.background import FADE_SECONDS
from live_nst.live.latest_frame import LatestSlot
from live_nst.live.options import PipelineOptions, ViewState
from live_nst.live.stats import LiveStats
from live_nst.live.stylize_worker import StylizeWorker
from live_nst.stabilizer.static_scene import REFRESH_INTERVAL, SETTLED_FRAMES
from live_nst.stylizer.look import Look
from live_nst.types import Frame
from tests.live.fakes import (
    FakeClock,
    FakeStylizer,
    Prefetched,
    frame,
    number_of,
    picture,
    wait_until,
)


class WorkerHarness:
    """A stylize worker with fakes around it."""

    def __init__(self, clock: FakeClock, **options: Any) -> None:
        self.clock = clock
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.stylizer = FakeStylizer()
        self.view = ViewState()
        self.stats = LiveStats()
        self.delivered: list[tuple[Frame, bool]] = []
        self.errors: list[LiveNstError] = []
        self.worker = StylizeWorker(
            self.slot,
            self.stylizer,
            self.view,
            self.stats,
            clock,
            lambda stylized, fresh: self.delivered.append((stylized, fresh)),
            PipelineOptions(**options),
        )
        self.worker.start()

    def close(self) -> None:
        stylizer = self.stylizer
        for gate in (stylizer.gate, stylizer.loading, stylizer.composing, stylizer.prefetching):
            gate.set()
        self.worker.close(10)

    @property
    def replaced(self) -> int:
        return self.slot.replaced + self.worker.replaced

    def wait_taken(self) -> None:
        """Wait until the worker has taken what there is."""
        wait_until(lambda: not self.worker.has_waiting_frame)

    @property
    def numbers(self) -> list[int]:
        return [number_of(stylized.image) for stylized, _ in self.delivered]

    def stylize(self, *numbers: int) -> None:
        """Have frames stylized, one after the other."""
        for number in numbers:
            count = len(self.delivered)
            self.slot.put(frame(number, self.clock.now()))
            wait_until(lambda count=count: len(self.delivered) > count, "it was not stylized")

    def freeze(self) -> None:
        """Freeze, and let the time pass in which the frozen frame is stylized."""
        count = len(self.delivered)
        self.view.frozen = True
        self.worker.look_changed()
        wait_until(lambda: len(self.delivered) > count, "the frozen frame was not stylized again")
        self.settle()

    def settle(self) -> None:
        """Let the time for redrawing pass, until the worker has noticed."""
        self.clock.advance(10)
        self.slot.put(frame(9999))
        self.wait_taken()
        count = len(self.delivered)
        self.slot.put(frame(9999))
        self.wait_taken()
        assert len(self.delivered) <= count + 1
        self.delivered.clear()


@pytest.fixture(params=[False, True], ids=["one thread", "overlapping"])
def harness(clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[WorkerHarness]:
    harness = WorkerHarness(clock, overlap=request.param)
    yield harness
    harness.close()


@pytest.fixture
def overlapping(clock: FakeClock) -> Iterator[WorkerHarness]:
    harness = WorkerHarness(clock, overlap=True)
    yield harness
    harness.close()


def test_deliver_keeps_index_time_and_size(harness: WorkerHarness) -> None:
    harness.slot.put(Frame(frame(5).image, 7, 123.5))
    wait_until(lambda: harness.delivered)
    stylized, fresh = harness.delivered[0]
    assert (stylized.index, stylized.time, stylized.size, fresh) == (7, 123.5, (64, 48), True)
    assert harness.worker.network_size == (64, 48)
    assert number_of(stylized.image) == 5


def test_newest_frame_is_stylized_once(harness: WorkerHarness) -> None:
    harness.stylizer.gate.clear()
    harness.slot.put(frame(0))
    assert harness.stylizer.entered.acquire(timeout=10)
    for number in range(1, 6):
        harness.slot.put(frame(number))
    harness.stylizer.gate.set()
    wait_until(lambda: len(harness.delivered) == 2)
    harness.stylize(6, 7)
    assert harness.numbers == [0, 5, 6, 7]
    assert harness.replaced == 4


def test_look_and_view_apply_to_the_next_frame(harness: WorkerHarness) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 50:] = 200

    def stylized() -> np.ndarray:
        count = len(harness.delivered)
        harness.slot.put(Frame(image, 0, 0.0))
        wait_until(lambda: len(harness.delivered) > count)
        return harness.delivered[-1][0].image

    harness.stylizer.style = "mosaic"  # the fake makes red = 2
    assert (stylized()[..., 2] == 2).all()
    harness.stylizer.look = replace(harness.stylizer.look, strength=0.0)
    np.testing.assert_array_equal(stylized(), image)
    harness.view.mirror = True
    np.testing.assert_array_equal(stylized(), image[:, ::-1])
    harness.stylizer.look = replace(harness.stylizer.look, strength=1.0)
    harness.view.mirror, harness.view.split = False, True
    halves = stylized()
    np.testing.assert_array_equal(halves[:, :30], image[:, :30])
    assert (halves[:, 34:, 2] == 2).all()
    assert not image[:, :50].any()  # nobody wrote into the camera's picture


def test_stage_times(harness: WorkerHarness) -> None:
    infer = harness.stylizer.infer

    def slowly(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        harness.clock.advance(0.040)
        return infer(image, time, prefetched)

    harness.stylizer.infer = slowly  # type: ignore[method-assign]
    harness.stylize(0, 1)
    assert harness.stats.stage_ms() == {"wait": 0.0, "stylize": 40.0, "compose": 0.0}


def test_frozen_frame_is_stylized_again_only_after_a_change(harness: WorkerHarness) -> None:
    harness.stylize(1)
    harness.freeze()
    for number in range(2, 6):  # newer frames come, and nothing changes
        harness.slot.put(frame(number))
        harness.wait_taken()
    assert harness.delivered == []
    harness.stylizer.style = "wave"
    harness.worker.look_changed()
    wait_until(lambda: harness.delivered)
    stylized, fresh = harness.delivered[0]
    assert not fresh
    assert number_of(stylized.image) == 1  # the one held when it froze
    assert stylized.image[0, 0, 2] == 1  # in the new style
    assert stylized.time == harness.clock.now()


def test_redraws_while_frozen_are_of_one_frame(harness: WorkerHarness) -> None:
    harness.stylize(1)
    harness.freeze()
    for _ in range(3):
        harness.worker.look_changed()
        wait_until(lambda: harness.delivered)
        harness.slot.put(frame(7))
    assert set(harness.numbers) == {1}
    harness.view.frozen = False
    harness.stylize(8)
    wait_until(lambda: harness.numbers[-1] == 8)  # a 7 may have waited when the freeze ended
    assert harness.delivered[-1][1]


def test_freeze_without_newer_frames(harness: WorkerHarness) -> None:
    harness.stylize(3)
    harness.view.frozen = True
    wait_until(lambda: len(harness.delivered) > 1)
    assert harness.numbers[1] == 3
    assert not harness.delivered[1][1]


def test_freeze_before_the_first_frame(harness: WorkerHarness) -> None:
    harness.view.frozen = True
    harness.stylize(4)
    assert harness.delivered[0][1] is False
    assert harness.numbers[0] == 4


def test_select_loads_beside_the_stream_then_fades(harness: WorkerHarness) -> None:
    harness.stylizer.loading.clear()
    pending = harness.worker.style_changer.select("wave", harness.errors.append)
    assert harness.stylizer.load_entered.wait(10)
    harness.stylize(0, 1, 2, 3)
    assert {style for _, style in harness.stylizer.stylized} == {"starry"}
    harness.clock.advance(5)  # it takes longer than the fade lasts
    harness.stylizer.loading.set()
    pending.result(10)
    # The fade begins when the style is ready, else there would be none.
    assert harness.stylizer.selected == [("wave", FADE_SECONDS, harness.clock.now())]
    harness.stylize(4)
    assert harness.stylizer.stylized[-1] == (4, "wave")
    assert harness.stylizer.times[-1] == harness.clock.now()
    assert harness.errors == []


def test_select_several_the_last_one_stays(harness: WorkerHarness) -> None:
    harness.stylizer.loading.clear()
    names = ("wave", "mosaic", "wave", "starry", "mosaic")
    pending = [harness.worker.style_changer.select(name, harness.errors.append) for name in names]
    harness.stylizer.loading.set()
    for one in pending:
        one.result(10)
    assert harness.stylizer.style == "mosaic"


def test_select_fades_a_frozen_frame_to_the_end(harness: WorkerHarness) -> None:
    harness.stylize(1)
    harness.freeze()
    harness.worker.style_changer.select("wave", harness.errors.append).result(10)
    harness.worker.look_changed()  # the redraw of a key must not cut the fade short
    harness.clock.advance(FADE_SECONDS)
    harness.delivered.clear()
    wait_until(lambda: len(harness.delivered) >= 2, "it stopped in the middle of the fade")
    assert not any(fresh for _, fresh in harness.delivered)


def test_select_mask_loads_beside_the_stream(harness: WorkerHarness) -> None:
    harness.stylizer.loading.clear()
    pending = harness.worker.style_changer.select_mask("person", harness.errors.append)
    harness.stylize(0, 1)
    assert harness.stylizer.look == Look()
    harness.stylizer.look = replace(harness.stylizer.look, strength=0.4)  # meanwhile
    harness.stylizer.loading.set()
    pending.result(10)
    assert harness.stylizer.look == Look(strength=0.4, only="person")


def test_select_mask_error(harness: WorkerHarness) -> None:
    error = UsageError("the mask cannot be used")
    harness.stylizer.failures["mask.png"] = error
    harness.worker.style_changer.select_mask("mask.png", harness.errors.append).result(10)
    assert harness.errors == [error]
    assert harness.stylizer.look == Look()


def test_select_error(harness: WorkerHarness) -> None:
    error = StyleError("there is no such picture")
    harness.stylizer.failures["wave"] = error
    harness.worker.style_changer.select("wave", harness.errors.append).result(10)
    assert harness.errors == [error]
    assert harness.stylizer.selected == []
    assert harness.worker.failure is None
    harness.stylize(0)


def test_select_unexpected_failure(harness: WorkerHarness) -> None:
    error = ZeroDivisionError()
    harness.stylizer.failures["wave"] = error
    harness.worker.style_changer.select("wave", harness.errors.append).result(10)
    assert harness.worker.failure is error
    assert harness.errors == []


def test_size_by_hand_shows_in_a_frozen_frame(harness: WorkerHarness) -> None:
    harness.stylize(0)
    harness.freeze()
    harness.worker.size_controller.use(512, harness.errors.append).result(10)
    wait_until(lambda: harness.delivered, "the frozen frame was not stylized again")
    assert harness.stylizer.prepared == [((64, 48), 512)]


def test_size_unexpected_failure(harness: WorkerHarness) -> None:
    harness.stylize(0)
    error = ZeroDivisionError()
    harness.stylizer.failures["512"] = error
    harness.worker.size_controller.use(512, harness.errors.append).result(10)
    assert harness.worker.failure is error
    assert harness.stylizer.size == 384


def test_change_of_the_camera_size_does_not_stall(harness: WorkerHarness) -> None:
    harness.stylize(0)
    harness.stylizer.preparing.clear()
    wide = picture(7, (96, 40))
    for count in range(2, 5):  # as many frames as come until the network is ready for it
        harness.slot.put(Frame(wide, count, 0.0))
        wait_until(lambda count=count: len(harness.delivered) == count)
        assert harness.delivered[-1][0].size == (96, 40)
    harness.stylizer.preparing.set()
    wait_until(lambda: harness.stylizer.prepared == [((96, 40), 384)])
    harness.slot.put(Frame(wide, 5, 0.0))
    wait_until(lambda: len(harness.delivered) == 5)
    assert harness.worker.network_size == (96, 40)
    assert harness.stylizer.compiled_in_place == [((64, 48), 384)]  # the very first


def test_infer_failure(harness: WorkerHarness) -> None:
    harness.stylizer.infer_failure = ZeroDivisionError()
    harness.slot.put(frame(0))
    wait_until(lambda: harness.worker.failure is not None)
    assert harness.worker.failure is harness.stylizer.infer_failure
    assert harness.delivered == []


def test_close_finishes_the_current_frame_and_drops_pending_styles(harness: WorkerHarness) -> None:
    harness.stylizer.gate.clear()
    harness.stylizer.loading.clear()
    harness.slot.put(frame(0))
    assert harness.stylizer.entered.acquire(timeout=10)
    first = harness.worker.style_changer.select("wave", harness.errors.append)
    assert harness.stylizer.load_entered.wait(10)
    second = harness.worker.style_changer.select("mosaic", harness.errors.append)
    harness.slot.put(frame(1))
    harness.worker.stop()
    harness.stylizer.gate.set()
    harness.stylizer.loading.set()
    harness.worker.close(10)
    assert harness.numbers == [0]
    assert first.done() and second.done()


def test_overlap_composes_one_frame_beside_the_network(overlapping: WorkerHarness) -> None:
    stylizer = overlapping.stylizer
    stylizer.composing.clear()
    for number in range(4):
        overlapping.slot.put(frame(number))
        if number < 2:
            wait_until(lambda number=number: len(stylizer.stylized) == number + 1)
    assert overlapping.delivered == []
    assert [number for number, _ in stylizer.stylized] == [0, 1]  # the second waits
    stylizer.composing.set()
    wait_until(lambda: len(overlapping.delivered) == 3)
    assert overlapping.numbers == [0, 1, 3]  # the newest of those that came meanwhile
    assert overlapping.replaced == 1


class Far:
    """A picture on a device; its fetching is written down."""

    def __init__(self, image: np.ndarray, fetched_by: list[str]) -> None:
        self._image, self._fetched_by = image, fetched_by
        self.shape = image.shape

    def numpy(self) -> np.ndarray:
        self._fetched_by.append(threading.current_thread().name)
        return self._image


def test_overlap_fetches_each_image_once_in_the_compose_thread(overlapping: WorkerHarness) -> None:
    near, fetched_by = overlapping.stylizer.infer, []

    def infer(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        return StylizedFrame(*(Far(picture, fetched_by) for picture in near(image, time)))

    overlapping.stylizer.infer = infer  # type: ignore[method-assign]
    overlapping.stylize(0, 1, 2)
    assert set(fetched_by) == {"live-nst compose_0"}
    assert len(fetched_by) <= 3 * 2
    assert overlapping.numbers == [0, 1, 2]
    assert overlapping.worker.network_size == (64, 48)


def test_compose_failure(harness: WorkerHarness) -> None:
    harness.stylizer.compose_failure = ZeroDivisionError()
    for number in range(4):
        harness.slot.put(frame(number))
    wait_until(lambda: harness.worker.failure is not None)
    harness.worker.close(10)
    assert harness.worker.failure is harness.stylizer.compose_failure
    assert harness.delivered == [] and harness.stylizer.composed == []


def test_close_finishes_stylized_and_composed_frames(overlapping: WorkerHarness) -> None:
    stylizer = overlapping.stylizer
    stylizer.composing.clear()
    for number in range(2):
        overlapping.slot.put(frame(number))
        wait_until(lambda number=number: len(stylizer.stylized) == number + 1)
    overlapping.worker.stop()
    stylizer.composing.set()
    overlapping.worker.close(10)
    assert overlapping.numbers == [0, 1]


def test_overlap_prefetches_the_newest_frame(overlapping: WorkerHarness) -> None:
    stylizer = overlapping.stylizer
    stylizer.gate.clear()
    overlapping.slot.put(frame(0))
    assert stylizer.entered.acquire(timeout=10)
    for number in (1, 2):
        overlapping.slot.put(frame(number))
        wait_until(lambda number=number: stylizer.prefetched[-1][0] == number)
    assert stylizer.stylized == []
    stylizer.gate.set()
    wait_until(lambda: len(overlapping.delivered) == 2)
    assert overlapping.numbers == [0, 2]
    assert stylizer.given == [0, 2]
    assert {thread for _, thread in stylizer.prefetched} == {"live-nst prefetch"}
    assert overlapping.replaced == 1


def test_without_overlap_nothing_is_prefetched(clock: FakeClock) -> None:
    harness = WorkerHarness(clock)
    harness.stylize(0, 1)
    harness.close()
    assert harness.stylizer.prefetched == []
    assert harness.stylizer.given == [None, None]


def test_prefetched_image_is_the_stylized_one(overlapping: WorkerHarness) -> None:
    """Mirrored or not. A frame that is resized first is not used as it was prefetched."""
    stylizer, near, pairs = overlapping.stylizer, overlapping.stylizer.infer, []

    def infer(image: np.ndarray, time: float, prefetched: Prefetched | None) -> StylizedFrame:
        pairs.append((image, prefetched))
        return near(image, time, prefetched)

    stylizer.infer = infer  # type: ignore[method-assign]
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for mirror in (False, True):
        overlapping.view.mirror = mirror
        count = len(overlapping.delivered)
        overlapping.slot.put(Frame(image, 0, 0.0))
        wait_until(lambda count=count: len(overlapping.delivered) > count)
        seen, prefetched = pairs[-1]
        np.testing.assert_array_equal(seen, image[:, ::-1] if mirror else image)
        np.testing.assert_array_equal(prefetched.image, seen)
    stylizer.preparing.clear()
    overlapping.slot.put(Frame(picture(7, (96, 40)), 1, 0.0))
    wait_until(lambda: len(pairs) == 3)
    assert pairs[-1][0].shape == (48, 64, 3)
    assert pairs[-1][1] is None
    stylizer.preparing.set()


def test_frozen_frame_is_not_prefetched_again(overlapping: WorkerHarness) -> None:
    overlapping.stylize(1)
    overlapping.freeze()
    overlapping.stylizer.given.clear()
    overlapping.worker.look_changed()
    wait_until(lambda: overlapping.delivered)
    assert set(overlapping.stylizer.given) == {None}


def test_prefetch_failure(overlapping: WorkerHarness) -> None:
    overlapping.stylizer.prefetch_failure = ZeroDivisionError()
    overlapping.slot.put(frame(0))
    wait_until(lambda: overlapping.worker.failure is not None)
    overlapping.worker.close(10)
    assert overlapping.worker.failure is overlapping.stylizer.prefetch_failure
    assert overlapping.delivered == []


def test_infer_waits_for_the_fetch_of_the_frame_before(
    overlapping: WorkerHarness,
) -> None:
    """On the device's queue their fetching would stand behind it."""
    near, events = overlapping.stylizer.infer, []
    gate, fetching = threading.Event(), threading.Event()

    class Slow(Far):
        def numpy(self) -> np.ndarray:
            fetching.set()
            assert gate.wait(10)
            events.append("fetched")
            return super().numpy()

    def infer(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        events.append("begun")
        content, stylized = near(image, time)
        return StylizedFrame(content, Slow(stylized, []))

    overlapping.stylizer.infer = infer  # type: ignore[method-assign]
    overlapping.slot.put(frame(0))
    assert fetching.wait(10)
    overlapping.slot.put(frame(1))
    overlapping.wait_taken()
    time.sleep(0.02)  # for a worker that does not wait
    assert events == ["begun"]
    gate.set()
    wait_until(lambda: len(overlapping.delivered) == 2)
    assert events == ["begun", "fetched", "begun", "fetched"]


def test_fetch_failure(overlapping: WorkerHarness) -> None:
    error = OSError("the device is gone")

    class Broken(Far):
        def numpy(self) -> np.ndarray:
            raise error

    def infer(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        return StylizedFrame(image, Broken(image, []))

    overlapping.stylizer.infer = infer  # type: ignore[method-assign]
    for number in range(3):
        overlapping.slot.put(frame(number))
    wait_until(lambda: overlapping.worker.failure is not None)
    overlapping.worker.close(10)
    assert overlapping.worker.failure is error
    assert overlapping.delivered == []


@pytest.fixture(params=[False, True], ids=["one thread", "overlapping"])
def reusing(clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[WorkerHarness]:
    harness = WorkerHarness(clock, overlap=request.param, reuse_static=True)
    yield harness
    harness.close()


def show_static_scene(harness: WorkerHarness, count: int, number: int = 7) -> None:
    """Have so many frames of a static scene stylized."""
    for _ in range(count):
        delivered = len(harness.delivered)
        harness.clock.advance(1 / 30)
        harness.slot.put(Frame(picture(number), delivered, harness.clock.now()))
        wait_until(lambda count=delivered: len(harness.delivered) > count, "it was not stylized")


def test_reuse_static_skips_the_network(reusing: WorkerHarness) -> None:
    show_static_scene(reusing, SETTLED_FRAMES)
    assert not reusing.worker.is_static
    show_static_scene(reusing, 1 + 3 * REFRESH_INTERVAL)
    assert reusing.worker.is_static
    assert len(reusing.stylizer.stylized) == 1 + SETTLED_FRAMES + 3
    assert reusing.stats.repeated == 3 * (REFRESH_INTERVAL - 1)
    # Everybody gets every frame all the same, with its own time.
    frames = [stylized for stylized, fresh in reusing.delivered if fresh]
    assert [stylized.index for stylized in frames] == list(
        range(1 + SETTLED_FRAMES + 3 * REFRESH_INTERVAL)
    )
    assert len({stylized.time for stylized in frames}) == len(frames)
    assert reusing.worker.size_controller.frames_by_size == {(64, 48): 1 + SETTLED_FRAMES + 3}


def test_reuse_static_ends_with_motion(reusing: WorkerHarness) -> None:
    show_static_scene(reusing, SETTLED_FRAMES + 4)
    reusing.stylize(200)
    assert not reusing.worker.is_static
    assert reusing.stylizer.stylized[-1][0] == 200
    assert reusing.numbers[-1] == 200


def test_reuse_static_pauses_while_the_look_changes(reusing: WorkerHarness) -> None:
    show_static_scene(reusing, SETTLED_FRAMES + 4)
    reusing.worker.style_changer.select("wave", reusing.errors.append).result(10)
    before = len(reusing.stylizer.stylized)
    show_static_scene(reusing, 20)
    assert len(reusing.stylizer.stylized) == before + 20
    assert FADE_SECONDS < 20 / 30


def test_reuse_static_composes_every_frame(reusing: WorkerHarness) -> None:
    show_static_scene(reusing, SETTLED_FRAMES + 4)
    reusing.stylizer.look = replace(reusing.stylizer.look, strength=0.0)
    faint = picture(7)
    faint[10, 10] += 1
    reusing.slot.put(Frame(faint, 99, reusing.clock.now()))
    wait_until(lambda: reusing.delivered[-1][0].index == 99)
    assert reusing.worker.is_static
    np.testing.assert_array_equal(reusing.delivered[-1][0].image, faint)


def test_without_reuse_static_every_frame_is_stylized(harness: WorkerHarness) -> None:
    show_static_scene(harness, SETTLED_FRAMES + 10)
    assert len(harness.stylizer.stylized) == SETTLED_FRAMES + 10
    assert harness.stats.repeated == 0 and not harness.worker.is_static

"""The thread that paints."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.errors import LiveNstError, StyleError, UsageError
from live_nst.live.keys import ViewState
from live_nst.live.latest_frame import LatestSlot
from live_nst.live.stats import LiveStats
from live_nst.live.stylize_worker import FADE_SECONDS, StylizeWorker
from live_nst.stabilizer.static_scene import REFRESH_INTERVAL, SETTLED_FRAMES
from live_nst.stylizer.look import Look
from live_nst.types import Frame
from tests.live.fakes import (
    FakeClock,
    FakeStylizer,
    Staged,
    frame,
    number_of,
    picture,
    wait_until,
)


class Studio:
    """A painter with fakes around it."""

    def __init__(self, clock: FakeClock, *, overlap: bool = False, repeat: bool = False) -> None:
        self.clock = clock
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.stylizer = FakeStylizer()
        self.view = ViewState()
        self.stats = LiveStats()
        self.delivered: list[tuple[Frame, bool]] = []
        self.failed: list[LiveNstError] = []
        self.painter = StylizeWorker(
            self.slot,
            self.stylizer,
            self.view,
            self.stats,
            clock,
            lambda painted, fresh: self.delivered.append((painted, fresh)),
            fps=30.0,
            automatic_size=False,
            overlap=overlap,
            repeat=repeat,
        )
        self.painter.start()

    def close(self) -> None:
        stylizer = self.stylizer
        for gate in (stylizer.gate, stylizer.loading, stylizer.finishing, stylizer.staging):
            gate.set()
        self.painter.close(10)

    @property
    def replaced(self) -> int:
        return self.slot.replaced + self.painter.replaced

    def wait_taken(self) -> None:
        """Wait until the painter has taken what there is."""
        wait_until(lambda: not self.painter.waiting)

    @property
    def numbers(self) -> list[int]:
        return [number_of(painted.image) for painted, _ in self.delivered]

    def paint(self, *numbers: int) -> None:
        """Have frames painted, one after the other."""
        for number in numbers:
            count = len(self.delivered)
            self.slot.put(frame(number, self.clock.now()))
            wait_until(lambda count=count: len(self.delivered) > count, "it was not painted")

    def freeze(self) -> None:
        """Freeze, and let the time pass in which the held frame is painted."""
        count = len(self.delivered)
        self.view.frozen = True
        self.painter.look_changed()
        wait_until(lambda: len(self.delivered) > count, "the held frame was not painted")
        self.settle()

    def settle(self) -> None:
        """Let the time for repainting pass, until the painter has seen that it has."""
        self.clock.advance(10)
        self.slot.put(frame(9999))
        self.wait_taken()
        count = len(self.delivered)
        self.slot.put(frame(9999))
        self.wait_taken()
        assert len(self.delivered) <= count + 1
        self.delivered.clear()


@pytest.fixture(params=[False, True], ids=["one thread", "overlapping"])
def studio(clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Studio]:
    studio = Studio(clock, overlap=request.param)
    yield studio
    studio.close()


@pytest.fixture
def overlapping(clock: FakeClock) -> Iterator[Studio]:
    studio = Studio(clock, overlap=True)
    yield studio
    studio.close()


def test_a_painted_frame_keeps_index_time_and_size(studio: Studio) -> None:
    studio.slot.put(Frame(frame(5).image, 7, 123.5))
    wait_until(lambda: studio.delivered)
    painted, fresh = studio.delivered[0]
    assert (painted.index, painted.time, painted.size, fresh) == (7, 123.5, (64, 48), True)
    assert studio.painter.small_size == (64, 48)
    assert number_of(painted.image) == 5


def test_the_newest_frame_is_painted_and_none_twice(studio: Studio) -> None:
    studio.stylizer.gate.clear()
    studio.slot.put(frame(0))
    assert studio.stylizer.entered.acquire(timeout=10)
    for number in range(1, 6):
        studio.slot.put(frame(number))
    studio.stylizer.gate.set()
    wait_until(lambda: len(studio.delivered) == 2)
    studio.paint(6, 7)
    assert studio.numbers == [0, 5, 6, 7]
    assert studio.replaced == 4


def test_the_look_is_that_of_the_moment(studio: Studio) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 50:] = 200

    def painted() -> np.ndarray:
        count = len(studio.delivered)
        studio.slot.put(Frame(image, 0, 0.0))
        wait_until(lambda: len(studio.delivered) > count)
        return studio.delivered[-1][0].image

    studio.stylizer.style = "mosaic"  # the fake paints red = 2
    assert (painted()[..., 2] == 2).all()
    studio.stylizer.strength = 0.0
    np.testing.assert_array_equal(painted(), image)
    studio.view.mirror = True
    np.testing.assert_array_equal(painted(), image[:, ::-1])
    studio.stylizer.strength = 1.0
    studio.view.mirror, studio.view.split = False, True
    halves = painted()
    np.testing.assert_array_equal(halves[:, :30], image[:, :30])
    assert (halves[:, 34:, 2] == 2).all()
    assert not image[:, :50].any()  # nobody wrote into the camera's picture


def test_stages_are_measured_with_the_clock(studio: Studio) -> None:
    paint = studio.stylizer.network

    def slowly(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        studio.clock.advance(0.040)
        return paint(image, time, prefetched)

    studio.stylizer.network = slowly  # type: ignore[method-assign]
    studio.paint(0, 1)
    assert studio.stats.stage_ms() == {"wait": 0.0, "stylize": 40.0, "compose": 0.0}


def test_a_frozen_frame_is_held_and_painted_anew_only_for_a_change(studio: Studio) -> None:
    studio.paint(1)
    studio.freeze()
    for number in range(2, 6):  # newer frames come, and nothing changes
        studio.slot.put(frame(number))
        studio.wait_taken()
    assert studio.delivered == []
    studio.stylizer.style = "wave"
    studio.painter.look_changed()
    wait_until(lambda: studio.delivered)
    painted, fresh = studio.delivered[0]
    assert not fresh
    assert number_of(painted.image) == 1  # the one held when it froze
    assert painted.image[0, 0, 2] == 1  # in the new style
    assert painted.time == studio.clock.now()


def test_all_repaints_of_a_freeze_are_of_one_frame_until_it_ends(studio: Studio) -> None:
    studio.paint(1)
    studio.freeze()
    for _ in range(3):
        studio.painter.look_changed()
        wait_until(lambda: studio.delivered)
        studio.slot.put(frame(7))
    assert set(studio.numbers) == {1}
    studio.view.frozen = False
    studio.paint(8)
    wait_until(lambda: studio.numbers[-1] == 8)  # a 7 may have waited when the freeze ended
    assert studio.delivered[-1][1]


def test_a_freeze_without_newer_frames_holds_the_last_one(studio: Studio) -> None:
    studio.paint(3)
    studio.view.frozen = True
    wait_until(lambda: len(studio.delivered) > 1)
    assert studio.numbers[1] == 3
    assert not studio.delivered[1][1]


def test_a_freeze_before_the_first_frame_waits_for_it(studio: Studio) -> None:
    studio.view.frozen = True
    studio.paint(4)
    assert studio.delivered[0][1] is False
    assert studio.numbers[0] == 4


def test_a_style_is_prepared_beside_the_stream_and_then_fades_in(studio: Studio) -> None:
    studio.stylizer.loading.clear()
    pending = studio.painter.select("wave", studio.failed.append)
    assert studio.stylizer.load_entered.wait(10)
    studio.paint(0, 1, 2, 3)
    assert {style for _, style in studio.stylizer.painted} == {"starry"}
    studio.clock.advance(5)  # it takes longer than the fade lasts
    studio.stylizer.loading.set()
    pending.result(10)
    # The fade begins when the style is ready, else there would be none.
    assert studio.stylizer.selected == [("wave", FADE_SECONDS, studio.clock.now())]
    studio.paint(4)
    assert studio.stylizer.painted[-1] == (4, "wave")
    assert studio.stylizer.times[-1] == studio.clock.now()
    assert studio.failed == []


def test_of_styles_asked_for_in_a_hurry_the_last_one_stays(studio: Studio) -> None:
    studio.stylizer.loading.clear()
    names = ("wave", "mosaic", "wave", "starry", "mosaic")
    pending = [studio.painter.select(name, studio.failed.append) for name in names]
    studio.stylizer.loading.set()
    for one in pending:
        one.result(10)
    assert studio.stylizer.style == "mosaic"


def test_a_frozen_frame_fades_to_the_end(studio: Studio) -> None:
    studio.paint(1)
    studio.freeze()
    studio.painter.select("wave", studio.failed.append).result(10)
    studio.painter.look_changed()  # a key's own repaint must not cut the fade short
    studio.clock.advance(FADE_SECONDS)
    studio.delivered.clear()
    wait_until(lambda: len(studio.delivered) >= 2, "it stopped in the middle of the fade")
    assert not any(fresh for _, fresh in studio.delivered)


def test_a_mask_is_loaded_beside_the_stream(studio: Studio) -> None:
    studio.stylizer.loading.clear()
    pending = studio.painter.paint_only("person", studio.failed.append)
    studio.paint(0, 1)
    assert studio.stylizer.look == Look()
    studio.stylizer.strength = 0.4  # meanwhile: both changes hold in the end
    studio.stylizer.loading.set()
    pending.result(10)
    assert studio.stylizer.look == Look(strength=0.4, only="person")


def test_a_mask_that_cannot_be_used_is_told_and_changes_nothing(studio: Studio) -> None:
    error = UsageError("the mask cannot be used")
    studio.stylizer.failures["mask.png"] = error
    studio.painter.paint_only("mask.png", studio.failed.append).result(10)
    assert studio.failed == [error]
    assert studio.stylizer.look == Look()


def test_a_style_that_cannot_be_used_is_told_and_changes_nothing(studio: Studio) -> None:
    error = StyleError("there is no such picture")
    studio.stylizer.failures["wave"] = error
    studio.painter.select("wave", studio.failed.append).result(10)
    assert studio.failed == [error]
    assert studio.stylizer.selected == []
    assert studio.painter.failure is None
    studio.paint(0)


def test_an_unexpected_failure_of_the_preparation_is_kept(studio: Studio) -> None:
    error = ZeroDivisionError()
    studio.stylizer.failures["wave"] = error
    studio.painter.select("wave", studio.failed.append).result(10)
    assert studio.painter.failure is error
    assert studio.failed == []


def test_a_size_chosen_by_hand_shows_in_a_frozen_frame(studio: Studio) -> None:
    studio.paint(0)
    studio.freeze()
    studio.painter.sizing.use(512, studio.failed.append).result(10)
    wait_until(lambda: studio.delivered, "the held frame was not painted anew")
    assert studio.stylizer.prepared == [((64, 48), 512)]


def test_an_unexpected_failure_of_preparing_a_size_is_kept(studio: Studio) -> None:
    studio.paint(0)
    error = ZeroDivisionError()
    studio.stylizer.failures["512"] = error
    studio.painter.sizing.use(512, studio.failed.append).result(10)
    assert studio.painter.failure is error
    assert studio.stylizer.size == 384


def test_a_camera_that_changes_its_size_stalls_nothing(studio: Studio) -> None:
    studio.paint(0)
    studio.stylizer.preparing.clear()
    wide = picture(7, (96, 40))
    for count in range(2, 5):  # as many frames as come until the network is ready for it
        studio.slot.put(Frame(wide, count, 0.0))
        wait_until(lambda count=count: len(studio.delivered) == count)
        assert studio.delivered[-1][0].size == (96, 40)
    studio.stylizer.preparing.set()
    wait_until(lambda: studio.stylizer.prepared == [((96, 40), 384)])
    studio.slot.put(Frame(wide, 5, 0.0))
    wait_until(lambda: len(studio.delivered) == 5)
    assert studio.painter.small_size == (96, 40)
    assert studio.stylizer.compiled_in_place == [((64, 48), 384)]  # the very first


def test_what_painting_died_of_is_kept(studio: Studio) -> None:
    studio.stylizer.paint_failure = ZeroDivisionError()
    studio.slot.put(frame(0))
    wait_until(lambda: studio.painter.failure is not None)
    assert studio.painter.failure is studio.stylizer.paint_failure
    assert studio.delivered == []


def test_closing_finishes_the_frame_in_hand_and_drops_what_was_not_begun(studio: Studio) -> None:
    studio.stylizer.gate.clear()
    studio.stylizer.loading.clear()
    studio.slot.put(frame(0))
    assert studio.stylizer.entered.acquire(timeout=10)
    first = studio.painter.select("wave", studio.failed.append)
    assert studio.stylizer.load_entered.wait(10)
    second = studio.painter.select("mosaic", studio.failed.append)
    studio.slot.put(frame(1))
    studio.painter._stop.set()
    studio.stylizer.gate.set()
    studio.stylizer.loading.set()
    studio.painter.close(10)
    assert studio.numbers == [0]
    assert first.done() and second.done()


def test_the_next_frame_is_painted_while_one_is_finished_and_no_other(overlapping: Studio) -> None:
    stylizer = overlapping.stylizer
    stylizer.finishing.clear()
    for number in range(4):
        overlapping.slot.put(frame(number))
        if number < 2:
            wait_until(lambda number=number: len(stylizer.painted) == number + 1)
    assert overlapping.delivered == []
    assert [number for number, _ in stylizer.painted] == [0, 1]  # the second waits in hand
    stylizer.finishing.set()
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


def test_pictures_are_fetched_beside_the_network_and_once(overlapping: Studio) -> None:
    near, fetched_by = overlapping.stylizer.network, []

    def network(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        return StylizedFrame(*(Far(picture, fetched_by) for picture in near(image, time)))

    overlapping.stylizer.network = network  # type: ignore[method-assign]
    overlapping.paint(0, 1, 2)
    assert set(fetched_by) == {"live-nst finisher"}
    assert len(fetched_by) <= 3 * 2
    assert overlapping.numbers == [0, 1, 2]
    assert overlapping.painter.small_size == (64, 48)


def test_what_finishing_died_of_is_kept_and_nothing_hangs(studio: Studio) -> None:
    studio.stylizer.finish_failure = ZeroDivisionError()
    for number in range(4):
        studio.slot.put(frame(number))
    wait_until(lambda: studio.painter.failure is not None)
    studio.painter.close(10)
    assert studio.painter.failure is studio.stylizer.finish_failure
    assert studio.delivered == [] and studio.stylizer.finished == []


def test_closing_finishes_what_is_in_both_hands(overlapping: Studio) -> None:
    stylizer = overlapping.stylizer
    stylizer.finishing.clear()
    for number in range(2):
        overlapping.slot.put(frame(number))
        wait_until(lambda number=number: len(stylizer.painted) == number + 1)
    overlapping.painter._stop.set()
    stylizer.finishing.set()
    overlapping.painter.close(10)
    assert overlapping.numbers == [0, 1]


def test_the_newest_frame_is_staged_while_the_one_before_is_computed(overlapping: Studio) -> None:
    stylizer = overlapping.stylizer
    stylizer.gate.clear()
    overlapping.slot.put(frame(0))
    assert stylizer.entered.acquire(timeout=10)
    for number in (1, 2):
        overlapping.slot.put(frame(number))
        wait_until(lambda number=number: stylizer.prefetched[-1][0] == number)
    assert stylizer.painted == []
    stylizer.gate.set()
    wait_until(lambda: len(overlapping.delivered) == 2)
    assert overlapping.numbers == [0, 2]
    assert stylizer.given == [0, 2]
    assert {thread for _, thread in stylizer.prefetched} == {"live-nst staging"}
    assert overlapping.replaced == 1


def test_where_one_thread_does_all_nothing_is_staged(clock: FakeClock) -> None:
    studio = Studio(clock)
    studio.paint(0, 1)
    studio.close()
    assert studio.stylizer.prefetched == []
    assert studio.stylizer.given == [None, None]


def test_what_is_staged_is_what_is_painted(overlapping: Studio) -> None:
    """Mirrored or not; and a frame that is brought to another size first was staged in vain."""
    stylizer, near, pairs = overlapping.stylizer, overlapping.stylizer.network, []

    def network(image: np.ndarray, time: float, prefetched: Staged | None) -> StylizedFrame:
        pairs.append((image, prefetched))
        return near(image, time, prefetched)

    stylizer.network = network  # type: ignore[method-assign]
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


def test_a_held_frame_is_not_staged_again(overlapping: Studio) -> None:
    overlapping.paint(1)
    overlapping.freeze()
    overlapping.stylizer.given.clear()
    overlapping.painter.look_changed()
    wait_until(lambda: overlapping.delivered)
    assert set(overlapping.stylizer.given) == {None}


def test_what_staging_died_of_is_kept_and_nothing_hangs(overlapping: Studio) -> None:
    overlapping.stylizer.stage_failure = ZeroDivisionError()
    overlapping.slot.put(frame(0))
    wait_until(lambda: overlapping.painter.failure is not None)
    overlapping.painter.close(10)
    assert overlapping.painter.failure is overlapping.stylizer.stage_failure
    assert overlapping.delivered == []


def test_no_frame_is_begun_before_the_pictures_of_the_one_before_are_there(
    overlapping: Studio,
) -> None:
    """On the device's queue their fetching would stand behind it."""
    near, events = overlapping.stylizer.network, []
    gate, fetching = threading.Event(), threading.Event()

    class Slow(Far):
        def numpy(self) -> np.ndarray:
            fetching.set()
            assert gate.wait(10)
            events.append("fetched")
            return super().numpy()

    def network(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        events.append("begun")
        content, stylized = near(image, time)
        return StylizedFrame(content, Slow(stylized, []))

    overlapping.stylizer.network = network  # type: ignore[method-assign]
    overlapping.slot.put(frame(0))
    assert fetching.wait(10)
    overlapping.slot.put(frame(1))
    overlapping.wait_taken()
    time.sleep(0.02)  # for a painter that does not wait
    assert events == ["begun"]
    gate.set()
    wait_until(lambda: len(overlapping.delivered) == 2)
    assert events == ["begun", "fetched", "begun", "fetched"]


def test_a_fetch_that_fails_is_kept_and_nothing_hangs(overlapping: Studio) -> None:
    error = OSError("the device is gone")

    class Broken(Far):
        def numpy(self) -> np.ndarray:
            raise error

    def network(image: np.ndarray, time: float, prefetched: object) -> StylizedFrame:
        return StylizedFrame(image, Broken(image, []))

    overlapping.stylizer.network = network  # type: ignore[method-assign]
    for number in range(3):
        overlapping.slot.put(frame(number))
    wait_until(lambda: overlapping.painter.failure is not None)
    overlapping.painter.close(10)
    assert overlapping.painter.failure is error
    assert overlapping.delivered == []


@pytest.fixture(params=[False, True], ids=["one thread", "overlapping"])
def thrifty(clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Studio]:
    studio = Studio(clock, overlap=request.param, repeat=True)
    yield studio
    studio.close()


def watch_a_wall(studio: Studio, count: int, number: int = 7) -> None:
    """Have so many frames painted of something that does not change."""
    for _ in range(count):
        delivered = len(studio.delivered)
        studio.clock.advance(1 / 30)
        studio.slot.put(Frame(picture(number), delivered, studio.clock.now()))
        wait_until(lambda count=delivered: len(studio.delivered) > count, "it was not painted")


def test_while_nothing_moves_the_network_rests(thrifty: Studio) -> None:
    watch_a_wall(thrifty, SETTLED_FRAMES)
    assert not thrifty.painter.resting
    watch_a_wall(thrifty, 1 + 3 * REFRESH_INTERVAL)
    assert thrifty.painter.resting
    assert len(thrifty.stylizer.painted) == 1 + SETTLED_FRAMES + 3
    assert thrifty.stats.repeated == 3 * (REFRESH_INTERVAL - 1)
    # Everybody gets every frame all the same, with its own time.
    frames = [painted for painted, fresh in thrifty.delivered if fresh]
    assert [painted.index for painted in frames] == list(
        range(1 + SETTLED_FRAMES + 3 * REFRESH_INTERVAL)
    )
    assert len({painted.time for painted in frames}) == len(frames)
    assert thrifty.painter.sizing.frames == {(64, 48): 1 + SETTLED_FRAMES + 3}


def test_what_moves_is_painted_at_once(thrifty: Studio) -> None:
    watch_a_wall(thrifty, SETTLED_FRAMES + 4)
    thrifty.paint(200)
    assert not thrifty.painter.resting
    assert thrifty.stylizer.painted[-1][0] == 200
    assert thrifty.numbers[-1] == 200


def test_while_the_look_changes_every_frame_is_painted(thrifty: Studio) -> None:
    watch_a_wall(thrifty, SETTLED_FRAMES + 4)
    thrifty.painter.select("wave", thrifty.failed.append).result(10)
    before = len(thrifty.stylizer.painted)
    watch_a_wall(thrifty, 20)
    assert len(thrifty.stylizer.painted) == before + 20
    assert FADE_SECONDS < 20 / 30


def test_the_camera_s_own_part_of_the_picture_never_rests(thrifty: Studio) -> None:
    watch_a_wall(thrifty, SETTLED_FRAMES + 4)
    thrifty.stylizer.strength = 0.0
    faint = picture(7)
    faint[10, 10] += 1
    thrifty.slot.put(Frame(faint, 99, thrifty.clock.now()))
    wait_until(lambda: thrifty.delivered[-1][0].index == 99)
    assert thrifty.painter.resting
    np.testing.assert_array_equal(thrifty.delivered[-1][0].image, faint)


def test_without_leave_every_frame_is_painted(studio: Studio) -> None:
    watch_a_wall(studio, SETTLED_FRAMES + 10)
    assert len(studio.stylizer.painted) == SETTLED_FRAMES + 10
    assert studio.stats.repeated == 0 and not studio.painter.resting

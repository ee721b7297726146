"""The processing size of a session: sizes are made ready beside the stream, then used."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.errors import LiveNstError, ModelError
from live_nst.live.adaptive_size import MAX_GROWTH
from live_nst.live.size_controller import FEW_SIZE_STEPS, SLOW_COMPILATION, SizeController
from live_nst.stylizer.sizes import network_size
from live_nst.types import Frame, Image
from tests.live.fakes import FakeStylizer, wait_until

CAMERA = (1280, 720)
INTERVAL = 1 / 30


class ControllerHarness:
    """A size controller that is given frames, in simulated time."""

    def __init__(self) -> None:
        self.stylizer = FakeStylizer()
        self.errors: list[LiveNstError] = []
        self.failures: list[BaseException] = []
        self.changes = 0
        self.controller = SizeController(
            self.stylizer,
            30.0,
            automatic=True,
            on_change=self._on_change,
            on_failure=self.failures.append,
        )
        self.time = 0.0
        self._index = 0
        self.stylizer.prepare(CAMERA, 384)

    def _on_change(self) -> None:
        self.changes += 1

    def stylize(self, cost: float, seconds: float = 2.0, camera: tuple[int, int] = CAMERA) -> None:
        """Stylize for a while; frames cost as much at any size."""
        image: Image = np.zeros((camera[1], camera[0], 3), np.uint8)
        for _ in range(round(seconds / max(cost, INTERVAL))):
            content = self.controller.to_prepared_size(image)
            width, height = network_size((content.shape[1], content.shape[0]), self.stylizer.size)
            small: Image = np.zeros((height, width, 3), np.uint8)
            frame = Frame(image, self._index, self.time)
            self.controller.add_frame(
                frame, StylizedFrame(small, small), self.time, self.time + cost
            )
            self.time += max(cost, INTERVAL)
            self._index = round(self.time / INTERVAL)

    def settle(self) -> None:
        """Wait until nothing is being compiled."""
        wait_until(lambda: not self.controller.preparing)


@pytest.fixture
def harness() -> Iterator[ControllerHarness]:
    harness = ControllerHarness()
    yield harness
    harness.stylizer.preparing.set()
    harness.controller.close()


def test_larger_size_is_used_once_compiled(harness: ControllerHarness) -> None:
    harness.stylizer.preparing.clear()
    harness.stylize(0.012, seconds=4)
    assert harness.stylizer.size == 384
    harness.stylizer.preparing.set()
    harness.settle()
    harness.stylize(0.012)
    assert harness.stylizer.size > 384
    assert (CAMERA, harness.stylizer.size) in harness.stylizer.prepared
    assert harness.stylizer.compiled_in_place == []


def test_one_size_is_compiled_at_a_time(harness: ControllerHarness) -> None:
    harness.stylizer.preparing.clear()
    harness.stylize(0.012, seconds=6)
    harness.stylizer.preparing.set()
    harness.settle()
    assert len(harness.stylizer.prepared) == 2  # 384 and the one asked for


def test_size_that_cannot_run_is_excluded(harness: ControllerHarness) -> None:
    harness.stylizer.failures["512"] = ModelError("it cannot run at that size")
    for _ in range(8):
        harness.stylize(0.016)
        harness.settle()
    assert harness.stylizer.size != 512
    assert (CAMERA, 512) not in harness.stylizer.prepared
    assert harness.failures == []


def test_unexpected_failure(harness: ControllerHarness) -> None:
    errors = {str(size): ZeroDivisionError() for size in (256, 320, 448, 512, 640, 768)}
    harness.stylizer.failures.update(errors)
    harness.stylize(0.012)
    harness.settle()
    assert harness.failures and harness.failures[0] in errors.values()


def test_use_then_use_automatic(harness: ControllerHarness) -> None:
    harness.stylize(0.012)
    harness.controller.use(256, harness.errors.append).result(10)
    assert not harness.controller.automatic
    assert harness.changes == 1
    for _ in range(3):
        harness.stylize(0.002)
        harness.settle()
    assert harness.stylizer.size == 256
    harness.controller.use_automatic()
    for _ in range(3):
        harness.stylize(0.002)
        harness.settle()
    assert harness.controller.automatic
    assert harness.stylizer.size > 256


def test_use_automatic_before_a_size_by_hand_is_compiled(harness: ControllerHarness) -> None:
    harness.stylize(0.025, seconds=0.1)
    harness.stylizer.preparing.clear()
    pending = harness.controller.use(1280, harness.errors.append)
    harness.controller.use_automatic()
    harness.stylizer.preparing.set()
    pending.result(10)
    assert harness.stylizer.size == 384


def test_use_several_the_last_one_stays(harness: ControllerHarness) -> None:
    harness.stylize(0.025, seconds=0.1)
    harness.stylizer.preparing.clear()
    pending = [harness.controller.use(size, harness.errors.append) for size in (448, 512, 448, 320)]
    harness.stylizer.preparing.set()
    for one in pending:
        one.result(10)
    assert harness.stylizer.size == 320


def test_use_error(harness: ControllerHarness) -> None:
    harness.stylize(0.025, seconds=0.1)
    error = ModelError("it cannot run at that size")
    harness.stylizer.failures["512"] = error
    harness.controller.use(512, harness.errors.append).result(10)
    assert harness.errors == [error] and harness.failures == []
    assert harness.stylizer.size == 384


def test_use_before_the_first_frame(harness: ControllerHarness) -> None:
    harness.controller.use(512, harness.errors.append).result(10)
    assert (CAMERA, 512) not in harness.stylizer.prepared
    assert harness.stylizer.size == 512


def test_frames_by_size(harness: ControllerHarness) -> None:
    harness.controller.use(384, harness.errors.append).result(10)
    harness.stylize(0.020, seconds=1)
    harness.controller.use(256, harness.errors.append).result(10)
    harness.stylize(0.020, seconds=2)
    assert harness.controller.frames_by_size == {(384, 216): 30, (256, 144): 60}


def test_to_prepared_size_while_compiling(harness: ControllerHarness) -> None:
    harness.stylize(0.030, seconds=0.1)
    image: Image = np.zeros((480, 640, 3), np.uint8)
    image[:, 320:] = 200
    harness.stylizer.preparing.clear()
    fitted = harness.controller.to_prepared_size(image)
    assert fitted.shape == (720, 1280, 3)
    assert fitted[:, :600].max() == 0 and fitted[:, 680:].min() == 200
    harness.stylize(0.090, camera=(640, 480))  # slow, but another camera's: nothing is concluded
    assert harness.stylizer.size == 384
    harness.stylizer.preparing.set()
    wait_until(lambda: harness.stylizer.is_compiled((640, 480), 384))
    assert harness.controller.to_prepared_size(image) is image
    back = np.zeros((720, 1280, 3), np.uint8)
    assert harness.controller.to_prepared_size(back) is back  # for this one it is ready still


def test_to_prepared_size_error(harness: ControllerHarness) -> None:
    harness.stylize(0.030, seconds=0.1)
    error = ModelError("it cannot run at that size")
    harness.stylizer.failures["384"] = error
    harness.stylize(0.030, seconds=0.1, camera=(640, 480))
    wait_until(lambda: harness.failures)
    assert harness.failures == [error]


# Where compiling takes long


def sizes_tried(harness: ControllerHarness) -> set[int]:
    """Let the size change up and down, and return all sizes that were in use or compiled."""
    for cost in (0.01, 0.08, 0.01, 0.2, 0.01, 0.01):
        for _ in range(4):
            harness.stylize(cost, 3.0)
            harness.settle()
    return {size for size in range(64, 1300) if harness.stylizer.is_compiled(CAMERA, size)}


def test_few_sizes_where_compiling_takes_long(harness: ControllerHarness) -> None:
    harness.stylizer.longest_compilation = SLOW_COMPILATION + 0.1
    tried = sizes_tried(harness)
    assert len(tried) > 2
    assert tried <= {*FEW_SIZE_STEPS, 384}


def test_all_sizes_where_compiling_is_fast(harness: ControllerHarness) -> None:
    harness.stylizer.longest_compilation = SLOW_COMPILATION - 0.1
    assert not sizes_tried(harness) <= {*FEW_SIZE_STEPS, 384}


def test_size_that_cannot_run_stays_excluded(harness: ControllerHarness) -> None:
    harness.stylizer.failures["512"] = ModelError("out of memory", "choose a smaller --size")
    harness.stylize(0.01, 6.0)
    harness.settle()
    harness.stylizer.longest_compilation = SLOW_COMPILATION + 0.1
    assert 512 not in sizes_tried(harness)
    assert harness.failures == []


def test_few_steps_are_near_enough_to_be_reached() -> None:
    pairs = itertools.pairwise(FEW_SIZE_STEPS)
    assert all((larger / smaller) ** 2 < MAX_GROWTH for smaller, larger in pairs)

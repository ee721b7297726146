"""The processing size of a session: sizes are made ready beside the stream, then used."""

from collections.abc import Iterator

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.errors import LiveNstError, ModelError
from live_nst.live.size_controller import SizeController
from live_nst.stylizer.sizes import network_size
from live_nst.types import Frame, Image
from tests.live.fakes import FakeStylizer, wait_until

CAMERA = (1280, 720)
INTERVAL = 1 / 30


class Bench:
    """A sizing whose frames are painted by hand, in simulated time."""

    def __init__(self) -> None:
        self.stylizer = FakeStylizer()
        self.failed: list[LiveNstError] = []
        self.died: list[BaseException] = []
        self.changes = 0
        self.sizing = SizeController(
            self.stylizer, 30.0, automatic=True, changed=self._changed, died=self.died.append
        )
        self.time = 0.0
        self._index = 0
        self.stylizer.prepare(CAMERA, 384)

    def _changed(self) -> None:
        self.changes += 1

    def paint(self, cost: float, seconds: float = 2.0, camera: tuple[int, int] = CAMERA) -> None:
        """Paint for a while; frames cost as much at any size."""
        image: Image = np.zeros((camera[1], camera[0], 3), np.uint8)
        for _ in range(round(seconds / max(cost, INTERVAL))):
            content = self.sizing.fit(image)
            width, height = network_size((content.shape[1], content.shape[0]), self.stylizer.size)
            small: Image = np.zeros((height, width, 3), np.uint8)
            frame = Frame(image, self._index, self.time)
            self.sizing.painted(frame, StylizedFrame(small, small), self.time, self.time + cost)
            self.time += max(cost, INTERVAL)
            self._index = round(self.time / INTERVAL)

    def settle(self) -> None:
        """Wait until nothing is being prepared."""
        wait_until(lambda: self.sizing._preparing is None or self.sizing._preparing.done())


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.stylizer.preparing.set()
    bench.sizing.close()


def test_a_larger_size_is_used_once_it_is_ready_and_not_before(bench: Bench) -> None:
    bench.stylizer.preparing.clear()
    bench.paint(0.012, seconds=4)
    assert bench.stylizer.size == 384
    bench.stylizer.preparing.set()
    bench.settle()
    bench.paint(0.012)
    assert bench.stylizer.size > 384
    assert (CAMERA, bench.stylizer.size) in bench.stylizer.prepared
    assert bench.stylizer.compiled_in_place == []


def test_only_one_size_is_prepared_at_a_time(bench: Bench) -> None:
    bench.stylizer.preparing.clear()
    bench.paint(0.012, seconds=6)
    bench.stylizer.preparing.set()
    bench.settle()
    assert len(bench.stylizer.prepared) == 2  # 384 and the one asked for


def test_a_size_that_the_network_refuses_is_never_tried_again(bench: Bench) -> None:
    bench.stylizer.failures["512"] = ModelError("it cannot run at that size")
    for _ in range(8):
        bench.paint(0.016)
        bench.settle()
    assert bench.stylizer.size != 512
    assert (CAMERA, 512) not in bench.stylizer.prepared
    assert bench.died == []


def test_what_a_preparation_dies_of_is_told(bench: Bench) -> None:
    errors = {str(size): ZeroDivisionError() for size in (256, 320, 448, 512, 640, 768)}
    bench.stylizer.failures.update(errors)
    bench.paint(0.012)
    bench.settle()
    assert bench.died and bench.died[0] in errors.values()


def test_by_hand_it_stays_until_it_is_automatic_again(bench: Bench) -> None:
    bench.paint(0.012)
    bench.sizing.use(256, bench.failed.append).result(10)
    assert not bench.sizing.automatic
    assert bench.changes == 1
    for _ in range(3):
        bench.paint(0.002)
        bench.settle()
    assert bench.stylizer.size == 256
    bench.sizing.automate()
    for _ in range(3):
        bench.paint(0.002)
        bench.settle()
    assert bench.sizing.automatic
    assert bench.stylizer.size > 256


def test_automatic_again_before_a_size_by_hand_is_ready_forgets_it(bench: Bench) -> None:
    bench.paint(0.025, seconds=0.1)
    bench.stylizer.preparing.clear()
    pending = bench.sizing.use(1280, bench.failed.append)
    bench.sizing.automate()
    bench.stylizer.preparing.set()
    pending.result(10)
    assert bench.stylizer.size == 384


def test_of_sizes_asked_for_in_a_hurry_the_last_one_stays(bench: Bench) -> None:
    bench.paint(0.025, seconds=0.1)
    bench.stylizer.preparing.clear()
    pending = [bench.sizing.use(size, bench.failed.append) for size in (448, 512, 448, 320)]
    bench.stylizer.preparing.set()
    for one in pending:
        one.result(10)
    assert bench.stylizer.size == 320


def test_a_size_the_network_refuses_is_told_and_not_switched_to(bench: Bench) -> None:
    bench.paint(0.025, seconds=0.1)
    error = ModelError("it cannot run at that size")
    bench.stylizer.failures["512"] = error
    bench.sizing.use(512, bench.failed.append).result(10)
    assert bench.failed == [error] and bench.died == []
    assert bench.stylizer.size == 384


def test_a_size_asked_for_before_the_first_frame_needs_no_preparation(bench: Bench) -> None:
    bench.sizing.use(512, bench.failed.append).result(10)
    assert (CAMERA, 512) not in bench.stylizer.prepared
    assert bench.stylizer.size == 512


def test_frames_are_counted_by_what_the_network_saw(bench: Bench) -> None:
    bench.sizing.use(384, bench.failed.append).result(10)
    bench.paint(0.020, seconds=1)
    bench.sizing.use(256, bench.failed.append).result(10)
    bench.paint(0.020, seconds=2)
    assert bench.sizing.frames == {(384, 216): 30, (256, 144): 60}


def test_frames_of_another_camera_are_fitted_until_the_network_is_ready(bench: Bench) -> None:
    bench.paint(0.030, seconds=0.1)
    image: Image = np.zeros((480, 640, 3), np.uint8)
    image[:, 320:] = 200
    bench.stylizer.preparing.clear()
    fitted = bench.sizing.fit(image)
    assert fitted.shape == (720, 1280, 3)
    assert fitted[:, :600].max() == 0 and fitted[:, 680:].min() == 200
    bench.paint(0.090, camera=(640, 480))  # slow, but another camera's: nothing is concluded
    assert bench.stylizer.size == 384
    bench.stylizer.preparing.set()
    wait_until(lambda: bench.stylizer.is_compiled((640, 480), 384))
    assert bench.sizing.fit(image) is image
    back = np.zeros((720, 1280, 3), np.uint8)
    assert bench.sizing.fit(back) is back  # for this one it is ready still


def test_a_network_that_cannot_run_for_a_new_camera_ends_the_session(bench: Bench) -> None:
    bench.paint(0.030, seconds=0.1)
    error = ModelError("it cannot run at that size")
    bench.stylizer.failures["384"] = error
    bench.paint(0.030, seconds=0.1, camera=(640, 480))
    wait_until(lambda: bench.died)
    assert bench.died == [error]

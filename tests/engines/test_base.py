"""What a painted frame says of pictures that lie on a device."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from live_nst.engines.base import DeviceImage, StylizedFrame
from live_nst.types import Image

SMALL = np.zeros((4, 6, 3), np.uint8)
LARGE = np.zeros((8, 12, 3), np.uint8)


class Far:
    """A picture on a device; its fetchings are counted."""

    def __init__(self, image: Image, gate: threading.Event | None = None) -> None:
        self._image, self._gate = image, gate
        self.shape = image.shape
        self.entered = threading.Event()
        self.fetched = 0

    def numpy(self) -> Image:
        self.fetched += 1
        self.entered.set()
        if self._gate is not None:
            assert self._gate.wait(10)
        return self._image


def far(enlarged: bool = True) -> tuple[StylizedFrame, list[Far]]:
    pictures = [Far(SMALL), Far(SMALL), Far(LARGE)]
    return StylizedFrame(*pictures[: 2 + enlarged]), pictures


def counts(pictures: list[Far]) -> list[int]:
    return [each.fetched for each in pictures]


def test_nothing_is_fetched_before_it_is_looked_at_and_then_once() -> None:
    painted, pictures = far()
    assert painted.size == (6, 4)
    assert painted.take_upscaled((9, 12, 3)) is None  # of another camera
    assert counts(pictures) == [0, 0, 0]
    assert painted.stylized is painted.stylized
    assert painted.content is painted.content
    assert counts(pictures) == [1, 1, 0]


def test_what_is_expected_is_fetched_and_nothing_else() -> None:
    painted, pictures = far()
    assert painted.require("enlarged").fetch() is painted
    assert counts(pictures) == [0, 0, 1]
    assert painted.fetch().take_upscaled(LARGE.shape) is LARGE
    assert counts(pictures) == [0, 0, 1]
    assert painted.take_upscaled(LARGE.shape) is None  # it was given away
    painted.fetch()
    assert counts(pictures) == [0, 0, 1]


def test_without_a_word_both_small_pictures_are_fetched() -> None:
    painted, pictures = far()
    painted.fetch()
    assert counts(pictures) == [1, 1, 0]


def test_what_a_device_does_not_enlarge_is_enlarged_from_the_small_one() -> None:
    painted, pictures = far(enlarged=False)
    painted.require("enlarged").fetch()
    assert counts(pictures) == [0, 1, 0]


def test_the_end_is_waited_for() -> None:
    end = Far(np.zeros((), np.uint8))
    painted = StylizedFrame(SMALL, SMALL, None, end)
    painted.wait()
    assert end.fetched == 1
    StylizedFrame(SMALL, SMALL).wait()


def test_two_threads_fetch_a_picture_once() -> None:
    gate = threading.Event()
    picture = Far(LARGE, gate)
    painted = StylizedFrame(Far(SMALL), Far(SMALL), picture).require("enlarged")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(painted.fetch)
        assert picture.entered.wait(10)
        second = pool.submit(painted.take_upscaled, LARGE.shape)
        gate.set()
        first.result(10)
        assert second.result(10) is LARGE
    assert picture.fetched == 1


def test_a_fetch_that_failed_is_told_and_may_be_tried_again() -> None:
    class Broken(Far):
        def numpy(self) -> Image:
            raise OSError("the device is gone")

    broken: DeviceImage = Broken(SMALL)
    painted = StylizedFrame(broken, broken)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            painted.fetch()

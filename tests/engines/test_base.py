"""Stylized frames whose images are on a device."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from live_nst.engines.base import DeviceImage, StylizedFrame
from live_nst.types import Image

SMALL = np.zeros((4, 6, 3), np.uint8)
LARGE = np.zeros((8, 12, 3), np.uint8)


class FakeDeviceImage:
    """An image on a device; it counts how often it is fetched."""

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


def frame_on_device(upscaled: bool = True) -> tuple[StylizedFrame, list[FakeDeviceImage]]:
    images = [FakeDeviceImage(SMALL), FakeDeviceImage(SMALL), FakeDeviceImage(LARGE)]
    return StylizedFrame(*images[: 2 + upscaled]), images


def counts(images: list[FakeDeviceImage]) -> list[int]:
    return [each.fetched for each in images]


def test_images_are_fetched_once_at_first_access() -> None:
    frame, images = frame_on_device()
    assert frame.size == (6, 4)
    assert frame.take_upscaled((9, 12, 3)) is None  # of another camera
    assert counts(images) == [0, 0, 0]
    assert frame.stylized is frame.stylized
    assert frame.content is frame.content
    assert counts(images) == [1, 1, 0]


def test_fetch_required_images() -> None:
    frame, images = frame_on_device()
    assert frame.require("upscaled").fetch() is frame
    assert counts(images) == [0, 0, 1]
    assert frame.fetch().take_upscaled(LARGE.shape) is LARGE
    assert counts(images) == [0, 0, 1]
    assert frame.take_upscaled(LARGE.shape) is None  # it was given away
    frame.fetch()
    assert counts(images) == [0, 0, 1]


def test_fetch_by_default() -> None:
    frame, images = frame_on_device()
    frame.fetch()
    assert counts(images) == [1, 1, 0]


def test_fetch_stylized_if_not_upscaled_on_device() -> None:
    frame, images = frame_on_device(upscaled=False)
    frame.require("upscaled").fetch()
    assert counts(images) == [0, 1, 0]


def test_wait() -> None:
    end = FakeDeviceImage(np.zeros((), np.uint8))
    frame = StylizedFrame(SMALL, SMALL, None, end)
    frame.wait()
    assert end.fetched == 1
    StylizedFrame(SMALL, SMALL).wait()


def test_two_threads_fetch_once() -> None:
    gate = threading.Event()
    image = FakeDeviceImage(LARGE, gate)
    frame = StylizedFrame(FakeDeviceImage(SMALL), FakeDeviceImage(SMALL), image).require("upscaled")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(frame.fetch)
        assert image.entered.wait(10)
        second = pool.submit(frame.take_upscaled, LARGE.shape)
        gate.set()
        first.result(10)
        assert second.result(10) is LARGE
    assert image.fetched == 1


def test_failed_fetch_may_be_repeated() -> None:
    class Broken(FakeDeviceImage):
        def numpy(self) -> Image:
            raise OSError("the device is gone")

    broken: DeviceImage = Broken(SMALL)
    frame = StylizedFrame(broken, broken)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            frame.fetch()

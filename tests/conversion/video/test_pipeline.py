"""The pipeline with a stylizer whose images are on a device, and the pool of images."""

import threading
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest

from live_nst.conversion.video.pipeline import ImagePool, Pipeline, PipelineStages
from live_nst.conversion.video.reader import DecodedFrame
from live_nst.engines.base import StylizedFrame
from live_nst.types import Image
from live_nst.video.geometry import Orientation

FRAMES, SIZE = 12, (32, 16)


class DeviceImage:
    """An image on a device; records which thread fetches it."""

    def __init__(self, name: str, image: Image, stylizer: "DeviceStylizer") -> None:
        self._name, self._image, self._stylizer = name, image, stylizer
        self.shape = image.shape

    def numpy(self) -> Image:
        self._stylizer.fetched.append((self._name, threading.current_thread().name))
        if self._stylizer.failure is not None:
            raise self._stylizer.failure
        return self._image


class DeviceStylizer:
    """Returns the negative on a device, at the frame's own size."""

    def __init__(self) -> None:
        self.fetched: list[tuple[str, str]] = []
        self.failure: BaseException | None = None

    def infer(self, image: Image, time: float = 0.0) -> StylizedFrame:
        small = image[::2, ::2]
        images = {"content": small, "stylized": small, "upscaled": 255 - image}
        return StylizedFrame(
            *(DeviceImage(name, each, self) for name, each in images.items())
        ).require("upscaled")

    def postprocess(self, image: Image, stylized: StylizedFrame, time: float = 0.0) -> Image:
        result = stylized.take_upscaled(image.shape)
        assert result is not None
        return result

    def state_arrays(self) -> dict[str, Any]:
        return {}


def frames() -> Iterator[DecodedFrame]:
    for index in range(FRAMES):
        gray = np.full((SIZE[1], SIZE[0], 3), 10 * index, np.uint8)
        yield DecodedFrame(av.VideoFrame.from_ndarray(gray, "bgr24"), index, index, index + 1, 0.0)


def run(stylizer: DeviceStylizer) -> list[Any]:
    written: list[Any] = []
    stages = PipelineStages(
        stylizer=stylizer,  # type: ignore[arg-type]
        size=SIZE,
        orientation=Orientation(),
        from_bgr=lambda av_frame: av_frame,  # type: ignore[arg-type,return-value]
        is_last=lambda index: index == FRAMES - 1,
        write=written.append,
        workers=3,
    )
    Pipeline(frames(), stages).run(lambda: None, 0.01)
    return written


def test_pipeline_fetches_required_images_once() -> None:
    stylizer = DeviceStylizer()
    written = run(stylizer)
    assert [each.index for each in written] == list(range(FRAMES))
    for each in written:
        assert (np.asarray(each.av_frame) == 255 - 10 * each.index).all()
    assert [name for name, _ in stylizer.fetched] == ["upscaled"] * FRAMES
    assert all(thread.startswith("network") for _, thread in stylizer.fetched)


def test_pipeline_raises_fetch_error() -> None:
    stylizer = DeviceStylizer()
    stylizer.failure = OSError("the device is gone")
    with pytest.raises(OSError, match="gone"):
        run(stylizer)


def address(image) -> int:
    return image.__array_interface__["data"][0]


def test_image_pool_reuses_memory() -> None:
    pool = ImagePool((6, 4))
    first = pool()
    assert first.shape == (4, 6, 3) and first.flags.writeable
    place = address(first)
    part = first[::2, 1:][:1]
    del first
    assert address(pool()) != place  # a view of a view is still in use
    del part
    assert address(pool()) == place


def test_image_pool_images_do_not_overlap() -> None:
    pool = ImagePool((6, 4))
    images = [pool() for _ in range(5)]
    for number, image in enumerate(images):
        image[:] = number
    assert [int(image.max()) for image in images] == [0, 1, 2, 3, 4]
    places = {address(image) for image in images}
    del image
    images.clear()
    assert {address(image) for image in [pool() for _ in range(5)]} == places

"""The file pipeline around a painter whose pictures lie on a device."""

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

FRAMES, SIZE = 12, (32, 16)


class Far:
    """A picture on a device; who fetches it is written down."""

    def __init__(self, name: str, image: Image, painter: "FarPainter") -> None:
        self._name, self._image, self._painter = name, image, painter
        self.shape = image.shape

    def numpy(self) -> Image:
        self._painter.fetched.append((self._name, threading.current_thread().name))
        if self._painter.failure is not None:
            raise self._painter.failure
        return self._image


class FarPainter:
    """Paints the negative on a device, at the frame's own size."""

    def __init__(self) -> None:
        self.fetched: list[tuple[str, str]] = []
        self.failure: BaseException | None = None

    def infer(self, image: Image, time: float = 0.0) -> StylizedFrame:
        small = image[::2, ::2]
        pictures = {"content": small, "stylized": small, "enlarged": 255 - image}
        return StylizedFrame(*(Far(name, each, self) for name, each in pictures.items())).require(
            "enlarged"
        )

    def postprocess(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image:
        result = painted.take_upscaled(image.shape)
        assert result is not None
        return result

    def state_arrays(self) -> dict[str, Any]:
        return {}


def frames() -> Iterator[DecodedFrame]:
    for index in range(FRAMES):
        gray = np.full((SIZE[1], SIZE[0], 3), 10 * index, np.uint8)
        yield DecodedFrame(av.VideoFrame.from_ndarray(gray, "bgr24"), index, index, index + 1, 0.0)


def run(painter: FarPainter) -> list[Any]:
    written: list[Any] = []
    stages = PipelineStages(
        stylizer=painter,  # type: ignore[arg-type]
        size=SIZE,
        rotation=0,
        from_bgr=lambda av_frame: av_frame,  # type: ignore[arg-type,return-value]
        is_last=lambda index: index == FRAMES - 1,
        write=written.append,
        workers=3,
    )
    Pipeline(frames(), stages).run(lambda: None, 0.01)
    return written


def test_each_worker_fetches_what_is_looked_at_once_and_nothing_else() -> None:
    painter = FarPainter()
    written = run(painter)
    assert [each.index for each in written] == list(range(FRAMES))
    for each in written:
        assert (np.asarray(each.av_frame) == 255 - 10 * each.index).all()
    assert [name for name, _ in painter.fetched] == ["enlarged"] * FRAMES
    assert all(thread.startswith("network") for _, thread in painter.fetched)


def test_a_fetch_that_fails_reaches_the_caller() -> None:
    painter = FarPainter()
    painter.failure = OSError("the device is gone")
    with pytest.raises(OSError, match="gone"):
        run(painter)


def address(av_frame) -> int:
    return av_frame.__array_interface__["data"][0]


def test_memory_comes_back_when_nothing_refers_to_it() -> None:
    pool = ImagePool((6, 4))
    first = pool()
    assert first.shape == (4, 6, 3) and first.flags.writeable
    place = address(first)
    part = first[::2, 1:][:1]
    del first
    assert address(pool()) != place  # a view of a view is still in use
    del part
    assert address(pool()) == place


def test_no_two_pictures_share_memory() -> None:
    pool = ImagePool((6, 4))
    pictures = [pool() for _ in range(5)]
    for number, av_frame in enumerate(pictures):
        av_frame[:] = number
    assert [int(av_frame.max()) for av_frame in pictures] == [0, 1, 2, 3, 4]
    places = {address(av_frame) for av_frame in pictures}
    del av_frame
    pictures.clear()
    assert {address(av_frame) for av_frame in [pool() for _ in range(5)]} == places

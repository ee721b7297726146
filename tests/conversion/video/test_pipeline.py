"""The file pipeline around a painter whose pictures lie on a device."""

import threading
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest

from live_nst.conversion.video.pipeline import Pipeline, PipelineStages
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

    def network(self, image: Image, time: float = 0.0) -> StylizedFrame:
        small = image[::2, ::2]
        pictures = {"content": small, "stylized": small, "enlarged": 255 - image}
        return StylizedFrame(*(Far(name, each, self) for name, each in pictures.items())).require(
            "enlarged"
        )

    def finish(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image:
        result = painted.take_upscaled(image.shape)
        assert result is not None
        return result


def frames() -> Iterator[DecodedFrame]:
    for index in range(FRAMES):
        gray = np.full((SIZE[1], SIZE[0], 3), 10 * index, np.uint8)
        yield DecodedFrame(av.VideoFrame.from_ndarray(gray, "bgr24"), index, index, index + 1, 0.0)


def run(painter: FarPainter) -> list[Any]:
    written: list[Any] = []
    stages = PipelineStages(
        painter=painter,
        size=SIZE,
        rotation=0,
        from_bgr=lambda picture: picture,  # type: ignore[arg-type,return-value]
        state=dict,
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
        assert (np.asarray(each.picture) == 255 - 10 * each.index).all()
    assert [name for name, _ in painter.fetched] == ["enlarged"] * FRAMES
    assert all(thread.startswith("network") for _, thread in painter.fetched)


def test_a_fetch_that_fails_reaches_the_caller() -> None:
    painter = FarPainter()
    painter.failure = OSError("the device is gone")
    with pytest.raises(OSError, match="gone"):
        run(painter)

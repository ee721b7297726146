"""Frames, styles, engines and a camera for the parts of the speed benchmark."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2

from live_nst.engines.base import Engine, StylizedFrame
from live_nst.engines.choice import choose_engine
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.loading import load_model, resolve_model
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from live_nst.types import Closeable, Frame, Image, Size
from tools.draw_demo.scene import DemoScene

CAMERA: Size = (1280, 720)
SMALL: Size = (384, 216)
LARGE: Size = (640, 360)


@cache
def camera_frame() -> Image:
    """Return a frame of the demo, 1280x720."""
    return DemoScene(*CAMERA).draw(12.1)


def resized_frame(size: Size) -> Image:
    """Return `camera_frame` resized to `size`, cropped at the center if needed."""
    return center_crop(camera_frame(), size)


def style_image(size: Size = (256, 256)) -> Image:
    """Return the style of all measurements."""
    return center_crop(read_style_image(builtin_image_path("starry")), size)


def open_engine(
    engine: str, precision: str, model: str = "mobile", *, rewritten: bool = True
) -> Engine:
    """Open a model on the CPU.

    Args:
        engine: auto, openvino or tensorflow.
        precision: auto, float32 or bfloat16.
        model: See `live_nst.Stylizer`.
        rewritten: Use live-nst's rewritten graph; False for the network as published.
    """
    choice = choose_engine(engine, "cpu", precision)
    if rewritten:
        programs = load_model(model, "cpu", notify=lambda text: None, progress=None).programs
    else:
        programs = split_model(freeze_saved_model(resolve_model(model).folder))
    return choice.make(programs)


def bind_frame_program(engine: Engine, size: Size) -> Callable[[], StylizedFrame]:
    """Return a call of the frame program with a uint8 frame of its own size."""
    runner, frame = engine.compile(size, size), resized_frame(size)
    style = engine.expand(engine.encode(style_image(engine.style_size)))
    return lambda: runner(frame, style)


def tutorial_call(folder: Path, size: Size) -> Callable[[], Image]:
    """Return a call that stylizes a frame like TF Hub's tutorial.

    The whole module gets both images for each frame. The frame is resized and converted on the
    host; input and output are float32.
    """
    from live_nst.runtime.tensorflow import import_tensorflow, import_tensorflow_hub

    tf, module = import_tensorflow(), import_tensorflow_hub().load(str(folder))
    frame, style = camera_frame(), style_image()

    def to_float(image: Image) -> Any:
        return tf.constant(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[None].astype("float32") / 255)

    def call() -> Image:
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        stylized = module(to_float(small), to_float(style))[0].numpy()[0]
        result: Image = cv2.cvtColor((stylized * 255).astype("uint8"), cv2.COLOR_RGB2BGR)
        return result

    return call


class PreparedSource(Closeable):
    """A camera that returns prepared images at a fixed rate without using processor time.

    The demo would decode its frames on the processor cores that stylize.

    Args:
        images: BGR uint8 images of one size, repeated in a loop.
        fps: Frames per second; frame k is due k / fps seconds after opening. A late reader gets
            the newest frame that is due.
        clock: Source of time.
    """

    def __init__(self, images: Sequence[Image], fps: float, clock: Clock | None = None) -> None:
        self._images = images
        self._clock = clock or SystemClock()
        height, width = images[0].shape[:2]
        self._info = SourceInfo("prepared frames", width, height, fps)
        self._next = 0
        self._closed = False
        self._start = self._clock.now()

    @property
    def info(self) -> SourceInfo:
        """Return size and rate."""
        return self._info

    def read(self) -> Frame | None:
        """Wait for the next frame; return None after `close`."""
        if self._closed:
            return None
        fps = self._info.fps
        now = self._clock.now()
        index = max(self._next, math.floor((now - self._start) * fps + 1e-6))
        self._clock.sleep(self._start + index / fps - now)
        self._next = index + 1
        return Frame(self._images[index % len(self._images)], index, self._clock.now())

    def close(self) -> None:
        """Stop. A second call has no effect."""
        self._closed = True

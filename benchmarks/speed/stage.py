"""What the parts measure on: the frame, the style, engines, and the frame program alone."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2

from live_nst.engines.base import Engine, StylizedFrame
from live_nst.engines.choice import choose_engine
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.loading import load_model, resolve
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from live_nst.types import Image, Size

CAMERA: Size = (1280, 720)
SMALL: Size = (384, 216)
LARGE: Size = (640, 360)


@cache
def camera_frame() -> Image:
    """A moment of the demo, 1280x720."""
    return DemoVideo(*CAMERA).image_at(12.1)


def frame_of(size: Size) -> Image:
    """The same, brought to `size`; its middle where the shape is another."""
    return center_crop(camera_frame(), size)


def style_picture(size: Size = (256, 256)) -> Image:
    """The style of every measurement."""
    return center_crop(read_style_image(builtin_image_path("starry")), size)


def open_engine(
    engine: str, precision: str, model: str = "mobile", *, rewritten: bool = True
) -> Engine:
    """A model on an engine, on the CPU.

    Args:
        engine: auto, openvino or tensorflow.
        precision: auto, float32 or bfloat16.
        model: See `live_nst.Stylizer`.
        rewritten: As live-nst runs it; False for the frame network as it was published.
    """
    choice = choose_engine(engine, "cpu", precision)
    if rewritten:
        programs = load_model(model, "cpu", notify=lambda sentence: None, progress=None).programs
    else:
        programs = split_model(freeze_saved_model(resolve(model).folder))
    return choice.make(programs)


def bare_program(engine: Engine, size: Size) -> Callable[[], StylizedFrame]:
    """The frame program alone: a uint8 frame of the network's size in, one out, no resizing."""
    runner, frame = engine.compile(size, size), frame_of(size)
    style = engine.expand(engine.encode(style_picture(engine.style_size)))
    return lambda: runner(frame, style)


def tutorial_call(folder: Path, size: Size) -> Callable[[], Image]:
    """As the Hub's tutorial does it: the whole module with both pictures for every frame.

    The frame is brought to the network's size and converted on the host; float pictures go in
    and come out.
    """
    from live_nst.runtime.tensorflow import import_tensorflow, import_tensorflow_hub

    tf, module = import_tensorflow(), import_tensorflow_hub().load(str(folder))
    frame, style = camera_frame(), style_picture()

    def as_floats(picture: Image) -> Any:
        return tf.constant(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)[None].astype("float32") / 255)

    def call() -> Image:
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        stylized = module(as_floats(small), as_floats(style))[0].numpy()[0]
        result: Image = cv2.cvtColor((stylized * 255).astype("uint8"), cv2.COLOR_RGB2BGR)
        return result

    return call

"""Example: a new engine. It runs each program in a plain TensorFlow session.

To add such an engine to the program, move the class to a file of its own in `live_nst/engines/`,
let `live_nst/engines/choice.py` choose it, and add it to `tests/engines/test_contract.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.engines.base import Bottleneck, FrameRunner, ProgramRunner, Shape, StylizedFrame
from live_nst.engines.host_images import downscale
from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import as_function
from live_nst.models.program import Program, SplitModel
from live_nst.types import Image, Precision, Size
from tests.engines.test_contract import (  # noqa: F401
    Make,
    engine,
    small_model,
    test_attributes_and_close,
    test_bottleneck_is_the_same_for_every_engine,
    test_equals_float_model_with_uint8_bgr,
    test_frames_are_downscaled_by_area_averaging,
    test_one_frame_program_serves_every_style,
    test_prefetch_on_cpu,
    test_read_only_frames,
    test_result_is_new_and_frame_unchanged,
    test_results_are_rounded,
    test_size_at_which_model_cannot_run,
)

_HINT = "use another --size"


class PlainEngine:
    """Runs a split model with plain TensorFlow functions on the CPU; see `Engine`.

    Args:
        model: The model's programs.
        concurrency: Not used: TensorFlow shares the processor by itself.
    """

    name = f"plain {tf.__version__}"
    device = "cpu"
    precision: Precision = "float32"

    def __init__(self, model: SplitModel, concurrency: int = 1) -> None:
        self._model = model
        self.style_size = model.style_size
        self.bottleneck_size = model.bottleneck_size

    def encode(self, image: Image) -> Bottleneck:
        """Return the bottleneck of a style image, BGR uint8 of `style_size`."""
        parts = _run(self._model.encode, _to_rgb(image))
        return np.concatenate([part.ravel() for part in parts])

    def expand(self, bottleneck: Bottleneck) -> list[Any]:
        """Return the style tensors that frame programs take."""
        parts = np.split(bottleneck, np.cumsum(self._model.bottleneck_parts)[:-1])
        shapes = self._model.expand.input_shapes
        shaped = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return _run(self._model.expand, *shaped)

    def prefetch(self, image: Image) -> None:
        """Return None: on a CPU there is nothing to upload."""

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """Return the frame program; it is run once, which shows whether it can run."""
        program, (width, height) = self._model.frame_at(size, "blocks"), size

        def run(image: Image, style: Any) -> StylizedFrame:
            small = downscale(image, size)
            (rgb,) = _run(program, _to_rgb(small), *style)
            if rgb.shape[1] < height or rgb.shape[2] < width:
                raise ModelError(f"The model cannot run at {width}x{height}.", _HINT)
            stylized = np.rint(rgb[0, :height, :width, ::-1] * 255).clip(0, 255)
            return StylizedFrame(small, stylized.astype(np.uint8))

        try:
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            run(np.zeros((camera[1], camera[0], 3), np.uint8), style)
        except (ValueError, tf.errors.OpError) as exc:
            raise ModelError(f"The model cannot run at {width}x{height}.", _HINT) from exc
        return run

    def compile_program(self, program: Program, shapes: Sequence[Shape]) -> ProgramRunner:
        """Return any program of the model as a function of arrays."""
        return lambda *inputs: _run(program, *inputs)

    def close(self) -> None:
        """Do nothing: TensorFlow frees its memory by itself."""


def _to_rgb(image: Image) -> np.ndarray:
    return np.ascontiguousarray(image[None, ..., ::-1]).astype(np.float32) / 255


def _run(program: Program, *inputs: Any) -> list[np.ndarray]:
    graph = tf.Graph()
    with graph.as_default(), tf.device("CPU:0"):
        types = program.input_types
        placeholders = [tf.compat.v1.placeholder(kind) for kind in types]
        outputs = as_function(program)(*placeholders)
    with tf.compat.v1.Session(graph=graph) as session:
        return list(session.run(outputs, dict(zip(placeholders, inputs, strict=True))))


@pytest.fixture(scope="module")
def make() -> Make:
    return PlainEngine

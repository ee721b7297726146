"""The TensorFlow engine: one static function per frame size, on the CPU or a GPU."""

from collections.abc import Callable
from typing import Any

import numpy as np

from live_nst.engines.base import Bottleneck, DeviceImage, FrameRunner, StylizedFrame
from live_nst.engines.tensorflow_resize import area_resize, cubic_resize
from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import as_function, cast_convolutions
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.tensorflow import import_tensorflow, pick_device, quiet_stderr
from live_nst.types import Image, Precision, Size


class TensorFlowEngine:
    """Runs a split model with TensorFlow; see `live_nst.engines.base.Engine`.

    Args:
        model: The model's three programs.
        device: auto, cpu or gpu.
        concurrency: How many frames may be computed at once; TensorFlow shares the device itself.
        precision: What the frame program's convolutions compute in; normalization and everything
            else stays in float32. Half precisions are for GPUs: a CPU emulates them, slowly.
        xla: Whether frame programs are compiled by XLA; None for: on a GPU.
        enlarge: Whether they also give the stylized picture at the camera's size; None for: on a
            GPU. On a CPU OpenCV is faster.

    Attributes:
        traces: How often a function was traced: once per program and frame size, never per call.

    Raises:
        DeviceError: A GPU was asked for and TensorFlow can use none.
    """

    def __init__(
        self,
        model: SplitModel,
        device: str = "auto",
        concurrency: int = 1,
        *,
        precision: Precision = "float32",
        xla: bool | None = None,
        enlarge: bool | None = None,
    ) -> None:
        tf = import_tensorflow()
        self._device = pick_device(device)
        self.name = f"tensorflow {tf.__version__}"
        self.precision: Precision = precision
        self.device = "cpu" if self._device == "CPU:0" else _gpu_label(tf, self._device)
        self._xla = self.device != "cpu" if xla is None else xla
        self._enlarge = self.device != "cpu" if enlarge is None else enlarge
        self.style_size = model.style_size
        self.bottleneck_size = model.bottleneck_size
        self.traces = 0
        self._model = model
        self._parts = model.bottleneck_parts
        self._part_shapes = model.expand.input_shapes
        self._encode = self._picture_function(model.encode)
        self._expand = self.function(as_function(model.expand), _specs(tf, model.expand))

    def encode(self, picture: Image) -> Bottleneck:
        """The bottleneck of a BGR uint8 picture of `style_size`, float32 `[n]`."""
        parts = self._encode(picture)
        return np.concatenate([part.numpy().ravel() for part in parts])

    def expand(self, bottleneck: Bottleneck) -> tuple[Any, ...]:
        """Gamma, beta and whatever else the frame program takes, on the device."""
        pieces = np.split(bottleneck, np.cumsum(self._parts)[:-1])
        shaped = [p.reshape(s) for p, s in zip(pieces, self._part_shapes, strict=True)]  # type: ignore[arg-type]
        return tuple(self._expand(*shaped))

    def prefetch(self, image: Image) -> DeviceImage | None:
        """On a GPU TensorFlow's own copy of a frame, which it would make of any array.

        It stays on the host: TensorFlow's stream of uploads waits for all that the GPU was told to
        compute (docs/gpu.md), so a frame sent up now would be an old one when its turn comes.
        """
        if self.device == "cpu":
            return None
        tf = import_tensorflow()
        with tf.device("CPU:0"):
            prefetched: DeviceImage = tf.constant(image)
        return prefetched

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """The frame program for `camera`-sized frames at network size `size`, warmed up."""
        tf = import_tensorflow()
        width, height = size
        try:
            frame, specs = self.frame_function(camera, size)
            function = self.function(_with_end(frame), specs, xla=self._xla)
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            function(np.zeros((camera[1], camera[0], 3), np.uint8), *style)
        except (ValueError, tf.errors.OpError) as exc:
            reason = str(exc).strip().splitlines()[0]
            raise ModelError(
                f"The model cannot run at {width}x{height}: {reason}", "choose another --size"
            ) from exc

        def run(image: Image | DeviceImage, style: Any) -> StylizedFrame:
            content, stylized, *rest, end = function(image, *style)
            return StylizedFrame(content, stylized, rest[0] if rest else None, end)

        return run

    def frame_function(self, camera: Size, size: Size) -> tuple[Callable[..., Any], list[Any]]:
        """What `compile` compiles, and the specifications of its inputs: frame and style tensors.

        Its results are the frame at `size`, its stylized form and, where the engine enlarges, that
        at `camera` size: all BGR uint8.
        """
        tf = import_tensorflow()
        width, height = size
        chosen = self._model.frame_at(size, "blocks" if self._xla else "fused")
        if self.precision != "float32":
            chosen = cast_convolutions(chosen, self.precision)
        program = as_function(chosen)

        def frame(image: Any, *style: Any) -> Any:
            small = area_resize(image, size, by_taps=self._xla)
            (stylized,) = program(_swap_colors(small, 1 / 255)[None], *style)
            fitting = tf.ensure_shape(stylized[0, :height, :width], [height, width, 3])
            levels = _as_levels(_swap_colors(fitting, 255))
            if camera == size or not self._enlarge:
                return _as_levels(small), levels
            # Of whole levels, as the host does it: a change of look then changes nothing else.
            large = cubic_resize(tf.cast(levels, tf.float32), camera)
            return _as_levels(small), levels, _as_levels(large)

        return frame, [tf.TensorSpec([*camera[::-1], 3], tf.uint8), *_specs(tf, chosen)[1:]]

    def close(self) -> None:
        """Nothing to free by hand: TensorFlow frees what is no longer referred to."""

    def _picture_function(self, program: Program) -> Any:
        """`program` on a BGR uint8 picture `[height, width, 3]`."""
        tf = import_tensorflow()
        call = as_function(program)

        def on_picture(picture: Any) -> Any:
            return call(_swap_colors(tf.cast(picture, tf.float32), 1 / 255)[None])

        shape = program.input_shapes[0][1:]
        return self.function(on_picture, [tf.TensorSpec(shape, tf.uint8)])

    def function(
        self, body: Callable[..., Any], specs: list[Any], *, xla: bool | None = None
    ) -> Any:
        """`body` as a concrete function on the engine's device; of fixed shapes, if by XLA."""
        tf = import_tensorflow()

        def on_device(*inputs: Any) -> Any:
            self.traces += 1
            with tf.device(self._device):
                return body(*inputs)

        with quiet_stderr(), tf.device(self._device):
            function = tf.function(on_device, autograph=False, jit_compile=xla or None)
            return function.get_concrete_function(*specs)


def _swap_colors(picture: Any, scale: float) -> Any:
    """BGR to RGB or back, times `scale`.

    As a product of matrices: half the time of a reversal, which TensorFlow does not spread over
    the cores, and just as exact.
    """
    return picture @ np.eye(3, dtype=np.float32)[::-1] * np.float32(scale)


def _as_levels(picture: Any) -> Any:
    """A float picture 0..255 as uint8, rounded."""
    tf = import_tensorflow()
    return tf.cast(tf.clip_by_value(picture + 0.5, 0.0, 255.0), tf.uint8)


def _with_end(frame: Callable[..., Any]) -> Callable[..., Any]:
    """`frame`, and with it a single number of what it computes last: when it is there, all is.

    A GPU is only told what to do, and computes on after the call.
    """
    tf = import_tensorflow()

    def with_end(*inputs: Any) -> Any:
        pictures = frame(*inputs)
        return *pictures, tf.cast(pictures[-1][0, 0, 0], tf.float32)

    return with_end


def _specs(tf: Any, program: Program) -> list[Any]:
    pairs = zip(program.input_shapes, program.input_types, strict=True)
    return [tf.TensorSpec(shape, kind) for shape, kind in pairs]


def _gpu_label(tf: Any, device: str) -> str:
    """The GPU's own name, such as "NVIDIA GeForce RTX 4070", or TensorFlow's for it."""
    for physical in tf.config.list_physical_devices("GPU"):
        if physical.name.endswith(device):
            details = tf.config.experimental.get_device_details(physical)
            return str(details.get("device_name", device))
    return device

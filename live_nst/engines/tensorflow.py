"""The TensorFlow engine: one static function per frame size, on a CPU or a GPU."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from live_nst.engines.base import (
    Bottleneck,
    DeviceImage,
    FrameRunner,
    ProgramRunner,
    Shape,
    StylizedFrame,
)
from live_nst.engines.tensorflow_resize import area_resize, cubic_resize
from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import as_function, cast_convolutions
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.tensorflow import (
    gpu_label,
    import_tensorflow,
    pick_device,
    quiet_stderr,
)
from live_nst.types import Image, Precision, Size


class TensorFlowEngine:
    """Runs a split model with TensorFlow; see `live_nst.engines.base.Engine`.

    Args:
        model: The model's programs.
        device: auto, cpu, gpu or gpu:1, gpu:2, ...
        concurrency: How many frames may run at once. TensorFlow shares the device by itself.
        precision: Precision of the convolutions in frame programs; everything else is float32.
            Lower precisions are for GPUs: a CPU emulates them slowly.
        xla: Whether XLA compiles frame programs; None means on a GPU.
        upscale: Whether frame programs also return the stylized frame at the camera's size; None
            means on a GPU. On a CPU, OpenCV is faster.

    Attributes:
        traces: How often a function was traced: once per program and frame size, never per call.

    Raises:
        DeviceError: `device` is gpu, and TensorFlow finds none.
    """

    def __init__(
        self,
        model: SplitModel,
        device: str = "auto",
        concurrency: int = 1,
        *,
        precision: Precision = "float32",
        xla: bool | None = None,
        upscale: bool | None = None,
    ) -> None:
        tf = import_tensorflow()
        self._device = pick_device(device)
        self.name = f"tensorflow {tf.__version__}"
        self.precision: Precision = precision
        self.device = "cpu" if self._device == "CPU:0" else gpu_label(self._device)
        self._xla = self.device != "cpu" if xla is None else xla
        self._upscale = self.device != "cpu" if upscale is None else upscale
        self.style_size = model.style_size
        self.bottleneck_size = model.bottleneck_size
        self.traces = 0
        self._model = model
        self._encode = self._image_function(model.encode)
        self._expand = self.function(as_function(model.expand), _specs(tf, model.expand))

    def encode(self, image: Image) -> Bottleneck:
        """Return the bottleneck of a BGR uint8 image of `style_size`, float32 `[n]`."""
        return np.concatenate([part.numpy().ravel() for part in self._encode(image)])

    def expand(self, bottleneck: Bottleneck) -> tuple[Any, ...]:
        """Return the style tensors that frame programs take, on the device."""
        shapes = self._model.expand.input_shapes
        parts = np.split(bottleneck, np.cumsum(self._model.bottleneck_parts)[:-1])
        shaped = [p.reshape(s) for p, s in zip(parts, shapes, strict=True)]  # type: ignore[arg-type]
        return tuple(self._expand(*shaped))

    def prefetch(self, image: Image) -> DeviceImage | None:
        """Return TensorFlow's own copy of a frame, which it would make of any array; on a GPU only.

        The copy stays on the host: TensorFlow uploads nothing before the GPU has computed all that
        it was asked for (benchmarks/gpu/README.md), so an uploaded frame would be an old one by
        then.
        """
        if self.device == "cpu":
            return None
        tf = import_tensorflow()
        with tf.device("CPU:0"):
            prefetched: DeviceImage = tf.constant(image)
        return prefetched

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """Return the frame program for `camera`-sized frames at network size `size`, warmed up."""
        tf = import_tensorflow()
        width, height = size
        try:
            frame, specs = self.frame_function(camera, size)
            function = self.function(_with_end(frame), specs, xla=self._xla)
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            function(np.zeros((camera[1], camera[0], 3), np.uint8), *style)
        except (ValueError, tf.errors.OpError) as exc:
            raise _model_error(f"The model cannot run at {width}x{height}", exc) from exc

        def run(image: Image | DeviceImage, style: Any) -> StylizedFrame:
            content, stylized, *upscaled, end = function(image, *style)
            return StylizedFrame(content, stylized, upscaled[0] if upscaled else None, end)

        return run

    def compile_program(self, program: Program, shapes: Sequence[Shape]) -> ProgramRunner:
        """Return any program of the model, compiled in float32 for inputs of fixed shapes."""
        tf = import_tensorflow()
        pairs = zip(shapes, program.input_types, strict=True)
        try:
            function = self.function(as_function(program), [tf.TensorSpec(*pair) for pair in pairs])
        except (ValueError, tf.errors.OpError) as exc:
            raise _model_error("The model cannot run in tiles", exc) from exc
        return lambda *inputs: [output.numpy() for output in function(*inputs)]

    def frame_function(self, camera: Size, size: Size) -> tuple[Callable[..., Any], list[Any]]:
        """Return the function that `compile` compiles, and the specifications of its inputs.

        The inputs are the frame and the style tensors. The results are the frame at `size`, the
        stylized frame and, if the engine upscales, the stylized frame at `camera` size: all BGR
        uint8.
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
            cropped = tf.ensure_shape(stylized[0, :height, :width], [height, width, 3])
            rounded = _to_uint8(_swap_colors(cropped, 255))
            if camera == size or not self._upscale:
                return _to_uint8(small), rounded
            # Of rounded values, as on the host: so a change of the look changes nothing else.
            upscaled = cubic_resize(tf.cast(rounded, tf.float32), camera)
            return _to_uint8(small), rounded, _to_uint8(upscaled)

        return frame, [tf.TensorSpec([*camera[::-1], 3], tf.uint8), *_specs(tf, chosen)[1:]]

    def close(self) -> None:
        """Do nothing: TensorFlow frees its memory when nothing refers to it."""

    def function(
        self, body: Callable[..., Any], specs: list[Any], *, xla: bool | None = None
    ) -> Any:
        """Return `body` as a concrete function on the engine's device."""
        tf = import_tensorflow()

        def on_device(*inputs: Any) -> Any:
            self.traces += 1
            with tf.device(self._device):
                return body(*inputs)

        with quiet_stderr(), tf.device(self._device):
            function = tf.function(on_device, autograph=False, jit_compile=xla or None)
            return function.get_concrete_function(*specs)

    def _image_function(self, program: Program) -> Any:
        """Return `program` as a function of a BGR uint8 image `[height, width, 3]`."""
        tf = import_tensorflow()
        call = as_function(program)

        def on_image(image: Any) -> Any:
            return call(_swap_colors(tf.cast(image, tf.float32), 1 / 255)[None])

        shape = program.input_shapes[0][1:]
        return self.function(on_image, [tf.TensorSpec(shape, tf.uint8)])


def _swap_colors(image: Any, scale: float) -> Any:
    """Convert BGR to RGB or back, and multiply by `scale`.

    By a matrix product: TensorFlow does not spread a reversal over the cores, which takes twice
    the time. The result is as exact.
    """
    return image @ np.eye(3, dtype=np.float32)[::-1] * np.float32(scale)


def _to_uint8(image: Any) -> Any:
    """Return a float image 0..255 as uint8, rounded."""
    tf = import_tensorflow()
    return tf.cast(tf.clip_by_value(image + 0.5, 0.0, 255.0), tf.uint8)


def _with_end(frame: Callable[..., Any]) -> Callable[..., Any]:
    """Return `frame` with one more result: a number that exists when all the others do.

    A call returns before the GPU has finished; this number is what `StylizedFrame.wait` waits for.
    """
    tf = import_tensorflow()

    def with_end(*inputs: Any) -> Any:
        images = frame(*inputs)
        return *images, tf.cast(images[-1][0, 0, 0], tf.float32)

    return with_end


def _specs(tf: Any, program: Program) -> list[Any]:
    pairs = zip(program.input_shapes, program.input_types, strict=True)
    return [tf.TensorSpec(*pair) for pair in pairs]


def _model_error(message: str, exc: Exception) -> ModelError:
    reason = str(exc).strip().splitlines()[0]
    return ModelError(f"{message}: {reason}", "choose another --size")

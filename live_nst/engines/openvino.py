"""The OpenVINO engine: for processors, Intel's GPUs and NPUs. It does not need TensorFlow."""

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, FrameRunner, ProgramRunner, Shape, StylizedFrame
from live_nst.engines.host_images import PlanarConverter, downscale
from live_nst.engines.kind import ComputeDevice
from live_nst.engines.openvino_devices import cpu_device
from live_nst.engines.openvino_graph import (
    accept_planar_input,
    accept_uint8_input,
    read_program,
    return_planar_output,
    return_uint8_output,
)
from live_nst.errors import DeviceError, ModelError
from live_nst.files.cache import cache_root
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.machine import core_limit, physical_cores
from live_nst.runtime.openvino import import_openvino, openvino_core
from live_nst.types import Image, Precision, Size

MAX_CACHED = 32
"""How many compiled programs the cache keeps: 1 MB each for the packaged model, 30 for Hub's."""

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


def native_precisions() -> tuple[Precision, ...]:
    """Return the precisions that this processor computes in, float32 first.

    Raises:
        DeviceError: OpenVINO cannot be used here.
    """
    return cpu_device().precisions


class OpenVINOEngine:
    """Runs a split model with OpenVINO; see `live_nst.engines.base.Engine`.

    Style images are always encoded on the processor, in float32. So a bottleneck in the cache is
    valid for every engine, device and precision.

    Args:
        model: The model's programs.
        precision: Precision of frame programs.
        concurrency: How many frames may run at once. A single one uses all cores. Several share
            them: each takes longer, but more frames per second are finished.
        device: The device that runs frame programs; None for the processor. Programs in float32 run
            on it if it has that format, else on the processor.
    """

    def __init__(
        self,
        model: SplitModel,
        precision: Precision = "float32",
        concurrency: int = 1,
        device: ComputeDevice | None = None,
    ) -> None:
        self.name = f"openvino {import_openvino().__version__.partition('-')[0]}"
        self._device = device or cpu_device()
        self.device = self._device.label
        self.precision = precision
        self.style_size = model.style_size
        self.bottleneck_size = model.bottleneck_size
        self._model = model
        self._concurrency = concurrency
        self._lock = threading.Lock()  # for the two below, which are compiled at the first use
        self._encode: Any = None
        self._expand: Any = None
        # Cameras of different sizes share the network of one size.
        self._networks: weakref.WeakValueDictionary[Size, CompiledFrameProgram] = (
            weakref.WeakValueDictionary()
        )

    def encode(self, image: Image) -> Bottleneck:
        """Return the bottleneck of a BGR uint8 image of `style_size`, float32 `[n]`."""
        with self._lock:
            if self._encode is None:
                model = read_program(self._model.encode)
                accept_uint8_input(model, self.style_size[::-1])
                self._encode = _compile(model, "float32", 1).create_infer_request()
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            outputs = self._encode.infer([rgb[None]]).values()
            return np.concatenate([output.ravel() for output in outputs]).astype(np.float32)

    def expand(self, bottleneck: Bottleneck) -> tuple[NDArray[np.float32], ...]:
        """Return the style tensors that frame programs take."""
        program = self._model.expand
        parts = np.split(bottleneck, np.cumsum(self._model.bottleneck_parts)[:-1])
        shaped = [p.reshape(s) for p, s in zip(parts, program.input_shapes, strict=True)]  # type: ignore[arg-type]
        with self._lock:
            if self._expand is None:
                self._expand = _compile(read_program(program), "float32", 1).create_infer_request()
            outputs = self._expand.infer(shaped)
            return tuple(np.array(output) for output in outputs.values())

    def prefetch(self, image: Image) -> None:
        """Do nothing: it would take time from the processor that computes."""

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """Return the frame program for `camera`-sized frames at network size `size`, warmed up."""
        network = self._networks.get(size)
        if network is None:
            network = CompiledFrameProgram(
                self._model.frame_at(size, "transposed"),
                size,
                self.precision,
                self._concurrency,
                self._device,
            )
            self.precision = network.precision  # the one that OpenVINO chose
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            network(np.zeros((size[1], size[0], 3), np.uint8), style)
            self._networks[size] = network

        def run(image: Image, style: tuple[NDArray[np.float32], ...]) -> StylizedFrame:
            small = downscale(image, size)
            return StylizedFrame(small, network(small, style))

        return run

    def compile_program(self, program: Program, shapes: Sequence[Shape]) -> ProgramRunner:
        """Return any program of the model, compiled in float32 for inputs of fixed shapes."""
        device = self._device if "float32" in self._device.precisions else cpu_device()
        on_cpu = device.word == "cpu"
        try:
            model = read_program(program)
            model.reshape({index: list(shape) for index, shape in enumerate(shapes)})
            # A model in tiles has dozens of programs. A processor compiles each in 0.05 s.
            compiled = _compile(model, "float32", 1, device.handle, cached=not on_cpu)
            request = compiled.create_infer_request()
        except RuntimeError as exc:
            raise _model_error("The model cannot run in tiles", exc, device) from exc

        def run(*inputs: Any) -> list[NDArray[np.float32]]:
            try:
                outputs = request.infer(list(inputs), share_inputs=True, share_outputs=True)
            except RuntimeError as exc:
                raise _device_error(device, exc) from exc
            return list(outputs.values())

        return run

    def close(self) -> None:
        """Do nothing: OpenVINO frees its memory when nothing refers to it."""


class CompiledFrameProgram:
    """The frame program of one size: BGR uint8 in, BGR uint8 out.

    Several threads may call it at once; if there are more than requests, they wait.

    Args:
        program: The frame program for `size`.
        size: (width, height) in pixels.
        precision: The precision to compute in.
        requests: How many frames may run at once.
        device: The device that runs it.

    Attributes:
        precision: The precision that OpenVINO computes in.

    Raises:
        ModelError: The device cannot run the program at that size.
    """

    def __init__(
        self,
        program: Program,
        size: Size,
        precision: Precision,
        requests: int,
        device: ComputeDevice,
    ) -> None:
        width, height = size
        self._device = device
        try:
            model = read_program(program)
            accept_uint8_input(model, (height, width))
            return_uint8_output(model, (height, width))
            (output,) = model.outputs
            if list(output.get_shape()) != [1, height, width, 3]:
                raise RuntimeError(f"its output has the shape {output.get_shape()}")
            border = accept_planar_input(model)
            planar_output = return_planar_output(model)
            shape = list(model.outputs[0].get_shape())
            compiled = _compile(model, precision, requests, device.handle)
            made = [
                _Request(compiled.create_infer_request(), size, border, planar_output, shape)
                for _ in range(requests)
            ]
        except RuntimeError as exc:
            raise _model_error(f"The model cannot run at {width}x{height}", exc, device) from exc
        self.precision = _execution_precision(compiled, precision)
        self._requests: LifoQueue[_Request] = LifoQueue()
        for request in made:
            self._requests.put(request)

    def __call__(self, image: Image, style: Sequence[NDArray[np.float32]]) -> Image:
        """Return the stylized frame.

        Raises:
            DeviceError: The device has failed or is gone.
        """
        with self._request() as request:
            try:
                return request.run(image, style)
            except RuntimeError as exc:
                raise _device_error(self._device, exc) from exc

    @contextmanager
    def _request(self) -> Iterator["_Request"]:
        request = self._requests.get()
        try:
            yield request
        finally:
            self._requests.put(request)


class _Request:
    """One of OpenVINO's requests, and the memory of its input and output.

    OpenVINO reads and writes these arrays in place, without copies.

    Args:
        request: OpenVINO's own object.
        size: (width, height) of the image.
        border: By how much a planar input is padded; None if the input is an RGB image.
        planar_output: Whether the output is planar.
        shape: Shape of the output.
    """

    def __init__(
        self, request: Any, size: Size, border: int | None, planar_output: bool, shape: list[int]
    ) -> None:
        self._request = request
        # On the host the change from BGR to RGB takes a tenth of its time in the network.
        planar = border is not None or planar_output
        converter = PlanarConverter(size, border or 0) if planar else None
        self._planar_input = None if border is None else converter
        self._planar_output = converter if planar_output else None
        self._rgb = np.empty((1, size[1], size[0], 3), np.uint8)
        self._output = np.empty(shape, np.uint8)
        self._style: Sequence[NDArray[np.float32]] = ()
        self._set(0, self._rgb if self._planar_input is None else self._planar_input.planes)
        request.set_output_tensor(0, import_openvino().Tensor(self._output, shared_memory=True))

    def run(self, image: Image, style: Sequence[NDArray[np.float32]]) -> Image:
        """Return the stylized image, a new array."""
        if style is not self._style:
            for index, tensor in enumerate(style, 1):
                self._set(index, tensor)
            self._style = style
        if self._planar_input is None:
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=self._rgb[0])
        else:
            self._planar_input.to_planes(image)
        self._request.infer()
        if self._planar_output is None:
            bgr: Image = cv2.cvtColor(self._output[0], cv2.COLOR_RGB2BGR)
            return bgr
        return self._planar_output.to_image(self._output)

    def _set(self, index: int, array: NDArray[Any]) -> None:
        tensor = import_openvino().Tensor(array, shared_memory=True)
        self._request.set_input_tensor(index, tensor)


def _compile(
    model: Any, precision: Precision, streams: int, device: str = "CPU", *, cached: bool = True
) -> Any:
    """Compile for a device by OpenVINO's name. `streams` programs run at once and share it."""
    config: dict[str, str | int] = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        # On a GPU, THROUGHPUT would collect frames into batches, which waits for the next frame
        # (OpenVINO's page "GPU Device", "Automatic Batching").
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 or device != "CPU" else "THROUGHPUT",
    }
    if device == "CPU":
        config["NUM_STREAMS"] = min(streams, physical_cores())
        limit = core_limit()
        if limit is not None:  # the result does not depend on the number of threads
            config["INFERENCE_NUM_THREADS"] = limit
    elif _can_set(device, "NUM_STREAMS"):
        most = openvino_core().get_property(device, "RANGE_FOR_STREAMS")[1]
        config["NUM_STREAMS"] = min(streams, int(most))
    folder = _compiled_folder() if cached else None
    if folder is not None:
        config["CACHE_DIR"] = str(folder)
    return openvino_core().compile_model(model, device, config)


def _can_set(device: str, name: str) -> bool:
    """Return whether a property of a device may be set; an NPU's NUM_STREAMS may not."""
    properties = openvino_core().get_property(device, "SUPPORTED_PROPERTIES")
    return bool(properties.get(name) == "RW")


def _compiled_folder() -> Path | None:
    """Return the folder of OpenVINO's cache, which saves most of the time to compile.

    The oldest files are deleted. None if the folder cannot be written.
    """
    folder = cache_root() / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted((path.stat().st_mtime, path) for path in folder.iterdir())
        for _, path in files[:-MAX_CACHED]:
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _execution_precision(compiled: Any, asked: Precision) -> Precision:
    """Return the precision that OpenVINO chose for the first convolution.

    The graph that an NPU shows has none: its plugin returns only inputs and outputs
    (`CompiledModel::get_runtime_model` in OpenVINO's sources). Then the one that was asked for
    counts: an NPU has only one.
    """
    for node in compiled.get_runtime_model().get_ops():
        info = node.get_rt_info()
        if "layerType" in info and info["layerType"].astype(str) == "Convolution":
            word = info["runtimePrecision"].astype(str)
            return next(name for name, hint in _HINTS.items() if hint == word)
    return asked


def _model_error(message: str, exc: RuntimeError, device: ComputeDevice) -> ModelError:
    if device.word == "cpu":
        return ModelError(f"{message}: {_reason(exc)}", "choose another --size")
    hint = "choose a smaller --size, or use --device cpu"
    return ModelError(f"{message} on {device.label}: {_reason(exc)}", hint)


def _device_error(device: ComputeDevice, exc: RuntimeError) -> DeviceError:
    name = "The processor" if device.word == "cpu" else device.label
    hint = "" if device.word == "cpu" else "start again, with --device cpu if it happens again"
    return DeviceError(f"{name} could not compute a frame: {_reason(exc)}", hint)


def _reason(exc: RuntimeError) -> str:
    """Return the last line of OpenVINO's message, without its places in the source."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (said or lines or [type(exc).__name__])[-1]

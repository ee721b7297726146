"""The OpenVINO engine: the fastest one on a CPU. It does not need TensorFlow."""

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import LifoQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, FrameRunner, ProgramRunner, Shape, StylizedFrame
from live_nst.engines.host_images import downscale, image_to_planar, planar_to_image
from live_nst.engines.openvino_graph import (
    accept_planar_input,
    accept_uint8_input,
    read_program,
    return_planar_output,
    return_uint8_output,
)
from live_nst.errors import ModelError
from live_nst.files.cache import cache_root
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.machine import core_limit, physical_cores
from live_nst.runtime.openvino import import_openvino, openvino_core
from live_nst.types import Image, Precision, Size

MAX_CACHED = 32
"""How many compiled programs the cache keeps: 1 MB each for the packaged model, 30 for Hub's."""

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES: dict[Precision, str] = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}


@cache
def native_precisions() -> tuple[Precision, ...]:
    """Return the precisions that this processor computes in, float32 first.

    Raises:
        DeviceError: OpenVINO cannot be used here.
    """
    capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(name for name, word in _CAPABILITIES.items() if word in capabilities)


class OpenVINOEngine:
    """Runs a split model with OpenVINO on the CPU; see `live_nst.engines.base.Engine`.

    Style images are always encoded in float32. So a bottleneck in the cache is valid for every
    engine and precision.

    Args:
        model: The model's programs.
        precision: Precision of frame programs.
        concurrency: How many frames may run at once. A single one uses all cores. Several share
            them: each takes longer, but more frames per second are finished.
    """

    def __init__(
        self, model: SplitModel, precision: Precision = "float32", concurrency: int = 1
    ) -> None:
        self.name = f"openvino {import_openvino().__version__.partition('-')[0]}"
        self.device = "cpu"
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
                self._model.frame_at(size, "transposed"), size, self.precision, self._concurrency
            )
            self._networks[size] = network
            self.precision = network.precision  # the one that OpenVINO chose
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            network(np.zeros((size[1], size[0], 3), np.uint8), style)

        def run(image: Image, style: tuple[NDArray[np.float32], ...]) -> StylizedFrame:
            small = downscale(image, size)
            return StylizedFrame(small, network(small, style))

        return run

    def compile_program(self, program: Program, shapes: Sequence[Shape]) -> ProgramRunner:
        """Return any program of the model, compiled in float32 for inputs of fixed shapes."""
        try:
            model = read_program(program)
            model.reshape({index: list(shape) for index, shape in enumerate(shapes)})
            # Not cached: a model in tiles has dozens of programs, and each compiles in 0.05 s.
            request = _compile(model, "float32", 1, cached=False).create_infer_request()
        except RuntimeError as exc:
            raise _model_error("The model cannot run in tiles", exc) from exc

        def run(*inputs: Any) -> list[NDArray[np.float32]]:
            outputs = request.infer(list(inputs), share_inputs=True, share_outputs=True)
            return list(outputs.values())

        return run

    def close(self) -> None:
        """Do nothing: OpenVINO frees its memory when nothing refers to it."""


class CompiledFrameProgram:
    """The frame program of one size: BGR uint8 in, BGR uint8 out.

    Several threads may call it at once; if there are more than requests, they wait.
    """

    def __init__(self, program: Program, size: Size, precision: Precision, requests: int) -> None:
        width, height = size
        try:
            model = read_program(program)
            accept_uint8_input(model, (height, width))
            return_uint8_output(model, (height, width))
            (output,) = model.outputs
            if list(output.get_shape()) != [1, height, width, 3]:
                raise RuntimeError(f"its output has the shape {output.get_shape()}")
            self._border = accept_planar_input(model)
            self._planar_output = return_planar_output(model)
            self._shape = list(model.outputs[0].get_shape())
            compiled = _compile(model, precision, requests)
        except RuntimeError as exc:
            raise _model_error(f"The model cannot run at {width}x{height}", exc) from exc
        self.precision = _execution_precision(compiled)
        self._requests: LifoQueue[Any] = LifoQueue()
        for _ in range(requests):
            self._requests.put(compiled.create_infer_request())

    def __call__(self, image: Image, style: Sequence[NDArray[np.float32]]) -> Image:
        """Return the stylized frame."""
        # On the host the change from BGR to RGB takes a tenth of its time in the network.
        if self._border is None:
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[None]
        else:
            rgb = image_to_planar(image, self._border)
        stylized = np.empty(self._shape, np.uint8)
        tensor = import_openvino().Tensor
        with self._request() as request:
            # OpenVINO reads and writes these arrays in place, without copies.
            for index, array in enumerate((rgb, *style)):
                request.set_input_tensor(index, tensor(array, shared_memory=True))
            request.set_output_tensor(0, tensor(stylized, shared_memory=True))
            request.infer()
        if self._planar_output:
            return planar_to_image(stylized)
        result: Image = stylized[0]
        cv2.cvtColor(result, cv2.COLOR_RGB2BGR, dst=result)
        return result

    @contextmanager
    def _request(self) -> Iterator[Any]:
        request = self._requests.get()
        try:
            yield request
        finally:
            self._requests.put(request)


def _compile(model: Any, precision: Precision, streams: int, *, cached: bool = True) -> Any:
    """Compile for the CPU. `streams` programs run at once and share the cores."""
    config: dict[str, str | int] = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": min(streams, physical_cores()),
    }
    limit = core_limit()
    if limit is not None:  # the result does not depend on the number of threads
        config["INFERENCE_NUM_THREADS"] = limit
    folder = _compiled_folder() if cached else None
    if folder is not None:
        config["CACHE_DIR"] = str(folder)
    return openvino_core().compile_model(model, "CPU", config)


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


def _execution_precision(compiled: Any) -> Precision:
    """Return the precision that OpenVINO chose for the first convolution."""
    for node in compiled.get_runtime_model().get_ops():
        info = node.get_rt_info()
        if info["layerType"].astype(str) == "Convolution":
            word = info["runtimePrecision"].astype(str)
            return next(name for name, hint in _HINTS.items() if hint == word)
    return "float32"


def _model_error(message: str, exc: RuntimeError) -> ModelError:
    reason = str(exc).strip().splitlines()[-1]
    return ModelError(f"{message}: {reason}", "choose another --size")

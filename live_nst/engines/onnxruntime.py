"""The ONNX Runtime engine: graphics chips of AMD, Intel and Apple, and NVIDIA's on Windows."""

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, FrameRunner, ProgramRunner, Shape, StylizedFrame
from live_nst.engines.host_images import downscale
from live_nst.engines.onnxruntime_models import frame_model, program_model
from live_nst.engines.onnxruntime_providers import (
    Provider,
    device_name,
    open_session,
    pick_precision,
    pick_provider,
    run_error,
)
from live_nst.errors import ModelError
from live_nst.models.onnx.emit import OnnxPrecision
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.onnxruntime import import_onnxruntime
from live_nst.types import Image, Precision, Size


class OnnxRuntimeEngine:
    """Runs a split model with ONNX Runtime; see `live_nst.engines.base.Engine`.

    Style images are always encoded in float32, on the CPU. So a bottleneck in the cache is valid
    for every engine and precision.

    Args:
        model: The model's programs.
        device: auto, cpu, gpu, or gpu:N.
        precision: Precision of frame programs; see `pick_precision`.
        concurrency: How many frames may run at once. ONNX Runtime shares the device by itself.

    Raises:
        DeviceError: There is no execution provider for the device.
    """

    def __init__(
        self,
        model: SplitModel,
        device: str = "auto",
        precision: str = "float32",
        concurrency: int = 1,
    ) -> None:
        self._provider = pick_provider(device)
        self._precision = pick_precision(precision, self._provider)
        self.name = f"onnxruntime {import_onnxruntime().__version__}"
        self.device = device_name(self._provider)
        self.precision: Precision = self._precision
        self.style_size = model.style_size
        self.bottleneck_size = model.bottleneck_size
        self._model = model
        self._lock = threading.Lock()  # for the two below, which are opened at the first use
        self._encode: _Session | None = None
        self._expand: _Session | None = None
        # Cameras of different sizes share the network of one size.
        self._networks: weakref.WeakValueDictionary[Size, _FrameSession] = (
            weakref.WeakValueDictionary()
        )

    def encode(self, image: Image) -> Bottleneck:
        """Return the bottleneck of a BGR uint8 image of `style_size`, float32 `[n]`."""
        with self._lock:
            if self._encode is None:
                self._encode = _on_cpu(self._model.encode)
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[None].astype(np.float32)
            parts = self._encode([rgb / np.float32(255)])
        return np.concatenate([part.ravel() for part in parts])

    def expand(self, bottleneck: Bottleneck) -> tuple[NDArray[Any], ...]:
        """Return the style tensors that frame programs take. They are uploaded with each frame."""
        shapes = self._model.expand.input_shapes
        parts = np.split(bottleneck, np.cumsum(self._model.bottleneck_parts)[:-1])
        shaped = [p.reshape(s) for p, s in zip(parts, shapes, strict=True)]  # type: ignore[arg-type]
        with self._lock:
            if self._expand is None:
                self._expand = _on_cpu(self._model.expand)
            return tuple(self._expand(shaped))

    def prefetch(self, image: Image) -> None:
        """Do nothing: ONNX Runtime uploads a frame when it runs."""

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """Return the frame program for `camera`-sized frames at network size `size`, warmed up."""
        network = self._networks.get(size)
        if network is None:
            network = _FrameSession(self._model.frame, size, self._precision, self._provider)
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            network(np.zeros((size[1], size[0], 3), np.uint8), style)
            self._networks[size] = network

        def run(image: Image, style: Sequence[NDArray[Any]]) -> StylizedFrame:
            small = downscale(image, size)
            return StylizedFrame(small, network(small, style))

        return run

    def compile_program(self, program: Program, shapes: Sequence[Shape]) -> ProgramRunner:
        """Return any program of the model, compiled in float32 for inputs of fixed shapes."""
        try:
            session = _Session(program_model(program, shapes), self._provider)
        except ModelError as exc:
            message = f"The model cannot run in tiles: {exc.message}"
            raise ModelError(message, "choose another --size") from exc
        return lambda *inputs: session(list(inputs))

    def close(self) -> None:
        """Do nothing: ONNX Runtime frees its memory when nothing refers to it."""


class _Session:
    """A session whose inputs are given in order. Several threads may call it at once."""

    def __init__(
        self, model: bytes, provider: Provider, precision: OnnxPrecision = "float32"
    ) -> None:
        self._provider = provider
        self._session = open_session(model, provider, precision)
        self._names = [each.name for each in self._session.get_inputs()]

    def __call__(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model.

        Raises:
            DeviceError: The device fails.
        """
        feeds = dict(zip(self._names, inputs, strict=True))
        try:
            with self._provider.exclusive():
                return list(self._session.run(None, feeds))
        except Exception as exc:  # its errors have no base of their own
            raise run_error(exc, self._provider) from exc


class _FrameSession:
    """The frame program of one size: BGR uint8 in, BGR uint8 out."""

    def __init__(
        self, program: Program, size: Size, precision: OnnxPrecision, provider: Provider
    ) -> None:
        self._images = provider.images
        model = frame_model(program, size, precision, self._images)
        self._session = _Session(model, provider, precision)

    def __call__(self, image: Image, style: Sequence[NDArray[Any]]) -> Image:
        """Return the stylized frame."""
        rgb: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[None]
        if self._images == "float32":
            rgb = rgb.astype(np.float32) / np.float32(255)
        (stylized,) = self._session([rgb, *style])
        if self._images == "float32":
            stylized = np.clip(stylized * 255 + 0.5, 0, 255).astype(np.uint8)
        result: Image = stylized[0]
        cv2.cvtColor(result, cv2.COLOR_RGB2BGR, dst=result)
        return result


def _on_cpu(program: Program) -> _Session:
    """Return a program of fixed shapes on the CPU, in float32."""
    shapes = [tuple(side or 0 for side in shape) for shape in program.input_shapes]
    return _Session(program_model(program, shapes), Provider())

"""The OpenVINO engine: for processors, Intel's GPUs and NPUs. It does not need TensorFlow."""

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, FrameRunner, ProgramRunner, Shape, StylizedFrame
from live_nst.engines.host_images import downscale
from live_nst.engines.kind import ComputeDevice
from live_nst.engines.openvino_compile import compile_model, device_error, model_error
from live_nst.engines.openvino_devices import cpu_device
from live_nst.engines.openvino_frame import CompiledFrameProgram
from live_nst.engines.openvino_graph import accept_uint8_input, read_program
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.openvino import import_openvino
from live_nst.types import Image, Precision, Size


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
                self._encode = compile_model(model, "float32", 1).create_infer_request()
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
                compiled = compile_model(read_program(program), "float32", 1)
                self._expand = compiled.create_infer_request()
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
            compiled = compile_model(model, "float32", 1, device.handle, cached=not on_cpu)
            request = compiled.create_infer_request()
        except RuntimeError as exc:
            raise model_error("The model cannot run in tiles", exc, device) from exc

        def run(*inputs: Any) -> list[NDArray[np.float32]]:
            try:
                outputs = request.infer(list(inputs), share_inputs=True, share_outputs=True)
            except RuntimeError as exc:
                raise device_error(device, exc) from exc
            return list(outputs.values())

        return run

    def close(self) -> None:
        """Do nothing: OpenVINO frees its memory when nothing refers to it."""

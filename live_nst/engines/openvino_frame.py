"""A frame program that OpenVINO has compiled for one size."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.host_images import PlanarConverter
from live_nst.engines.kind import ComputeDevice
from live_nst.engines.openvino_compile import (
    compile_model,
    device_error,
    execution_precision,
    model_error,
)
from live_nst.engines.openvino_graph import (
    accept_planar_input,
    accept_uint8_input,
    read_program,
    return_planar_output,
    return_uint8_output,
)
from live_nst.models.program import Program
from live_nst.runtime.openvino import import_openvino
from live_nst.types import Image, Precision, Size


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
            compiled = compile_model(model, precision, requests, device.handle)
            made = [
                _Request(compiled.create_infer_request(), size, border, planar_output, shape)
                for _ in range(requests)
            ]
        except RuntimeError as exc:
            raise model_error(f"The model cannot run at {width}x{height}", exc, device) from exc
        self.precision = execution_precision(compiled, precision)
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
                raise device_error(self._device, exc) from exc

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

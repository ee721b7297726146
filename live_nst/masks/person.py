"""A mask of the people in the frame, found by a small network inside the package.

The network is Google's MediaPipe Selfie Segmentation for landscape pictures (its model card:
people within about two metres of a webcam), 0.25 MB and a few milliseconds a frame.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.errors import DeviceError
from live_nst.masks.base import AlphaMask
from live_nst.types import Image, Size

MODEL_PATH = Path(__file__).parent / "selfie_segmentation_landscape.tflite"
_INPUT = (256, 144)
"""(width, height) of what the network sees: any frame, stretched."""
_STEADY = 0.35
"""Share of the new frame where next to nothing changed; there the edge would tremble."""
_HURRY = 3.0
"""How much faster it follows a change, per unit of change: at 0.22 at once."""
_EDGE = (0.25, 0.75)
"""Probabilities at which the mask begins and is full."""

_Probabilities = NDArray[np.float32]


class PersonMaskProvider:
    """Paints people, or all but people; see `live_nst.masks.base.MaskProvider`.

    Args:
        background: Paint what is not a person.

    Raises:
        DeviceError: OpenVINO, which runs the network, cannot be used here.
    """

    def __init__(self, *, background: bool = False) -> None:
        self._network = _load()
        self._background = background
        self.state: _Probabilities | None = None

    def __call__(self, small: Image, size: Size) -> AlphaMask:
        """The mask of the next frame, steadied by the frames before it."""
        self.state = smooth_probabilities(self.state, self._find(small))
        low, high = _EDGE
        share = np.clip((self.state - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
        if self._background:
            share = 255 - share
        # Linear: from the network's cells to the camera's pixels it is the feathering.
        mask: AlphaMask = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
        return mask

    def reset(self) -> None:
        """Forget the frames so far."""
        self.state = None

    def _find(self, small: Image) -> _Probabilities:
        """How likely each cell is a person's."""
        seen = cv2.resize(small, _INPUT, interpolation=cv2.INTER_AREA)
        rgb = cv2.cvtColor(seen, cv2.COLOR_BGR2RGB).astype(np.float32)
        result = self._network.infer({0: rgb[None] * np.float32(1 / 255)})
        found: _Probabilities = result[0][0, ..., 0]
        return found


def smooth_probabilities(before: _Probabilities | None, now: _Probabilities) -> _Probabilities:
    """Follow `now` slowly where it hardly differs from `before`, and at once where it does."""
    if before is None:
        return now.copy()
    change = now - before
    share = np.minimum(_STEADY + _HURRY * np.abs(change), 1)
    followed: _Probabilities = before + share * change
    return followed


def _load() -> Any:
    """An inference request of OpenVINO's for the network."""
    from live_nst.engines.openvino import openvino

    try:
        module = openvino()
    except DeviceError as exc:
        raise DeviceError(
            "Finding people needs OpenVINO, which cannot be used here.",
            "install it with: pip install openvino, or give a mask picture",
        ) from exc
    core = module.Core()
    # MediaPipe's own operation, which OpenVINO does not know.
    core.add_extension(
        module.frontend.ConversionExtension("Convolution2DTransposeBias", _transposed_convolution)
    )
    # In float32: bfloat16 gains no time in so small a network, and moves the edge.
    config = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(core.read_model(MODEL_PATH), "CPU", config).create_infer_request()


def _transposed_convolution(node: Any) -> Any:
    """2x2 with stride 2: input NHWC, weights OHWI, a bias per channel."""
    from live_nst.engines.openvino import openvino

    op = openvino().opset13
    picture, weights, bias = (node.get_input(index) for index in range(3))
    enlarged = op.convolution_backprop_data(
        op.transpose(picture, [0, 3, 1, 2]),
        op.transpose(weights, [3, 0, 1, 2]),
        strides=[2, 2],
        pads_begin=[0, 0],
        pads_end=[0, 0],
        dilations=[1, 1],
    )
    return op.add(op.transpose(enlarged, [0, 2, 3, 1]), bias).outputs()

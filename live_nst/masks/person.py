"""A mask of the people in the frame, found by a small network inside the package.

The network is Google's MediaPipe Selfie Segmentation for landscape images (its model card: people
within about two meters of a webcam). It has 0.25 MB and takes a few milliseconds per frame.
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
_INPUT_SIZE = (256, 144)
"""(width, height) of the network's input; every frame is stretched to it."""
_MIN_NEW_SHARE = 0.35
"""Weight of the new frame where hardly anything changed. With 1 the edge would flicker."""
_CHANGE_GAIN = 3.0
"""How much the weight of the new frame grows per unit of change: a change of 0.22 gives 1."""
_EDGE = (0.25, 0.75)
"""Probabilities at which the mask is 0 and 255."""

_Probabilities = NDArray[np.float32]


class PersonMaskProvider:
    """Selects people, or everything but people; see `live_nst.masks.base.MaskProvider`.

    Args:
        background: Select what is not a person.

    Raises:
        DeviceError: OpenVINO, which runs the network, cannot be used.
    """

    def __init__(self, *, background: bool = False) -> None:
        self._network = _load()
        self._background = background
        self.state: _Probabilities | None = None

    def __call__(self, small: Image, size: Size) -> AlphaMask:
        """Return the mask of the next frame, smoothed over time."""
        self.state = smooth_probabilities(self.state, self._segment(small))
        low, high = _EDGE
        mask = np.clip((self.state - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
        if self._background:
            mask = 255 - mask
        # Linear interpolation from the network's small output also feathers the edge.
        resized: AlphaMask = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
        return resized

    def reset(self) -> None:
        """Forget the frames so far."""
        self.state = None

    def _segment(self, small: Image) -> _Probabilities:
        """Return the probability of a person for each cell of the network's output."""
        resized = cv2.resize(small, _INPUT_SIZE, interpolation=cv2.INTER_AREA)
        rgb = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB).astype(np.float32)
        result = self._network.infer({0: rgb[None] * np.float32(1 / 255)})
        probabilities: _Probabilities = result[0][0, ..., 0]
        return probabilities


def smooth_probabilities(before: _Probabilities | None, now: _Probabilities) -> _Probabilities:
    """Return `now`, averaged with `before` where the two hardly differ."""
    if before is None:
        return now.copy()
    change = now - before
    share = np.minimum(_MIN_NEW_SHARE + _CHANGE_GAIN * np.abs(change), 1)
    smoothed: _Probabilities = before + share * change
    return smoothed


def _load() -> Any:
    """Return an OpenVINO inference request for the network."""
    from live_nst.runtime.openvino import import_openvino

    try:
        module = import_openvino()
    except DeviceError as exc:
        raise DeviceError(
            "Finding people needs OpenVINO, which cannot be used here.",
            "install it with: pip install openvino, or give a mask picture",
        ) from exc
    core = module.Core()
    # An operation of MediaPipe that OpenVINO does not have.
    core.add_extension(
        module.frontend.ConversionExtension("Convolution2DTransposeBias", _transposed_convolution)
    )
    # bfloat16 is not faster for so small a network, and moves the edge of the mask.
    config = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(core.read_model(MODEL_PATH), "CPU", config).create_infer_request()


def _transposed_convolution(node: Any) -> Any:
    """Convert a transposed convolution, 2x2 with stride 2: input NHWC, weights OHWI, bias."""
    from live_nst.runtime.openvino import import_openvino

    op = import_openvino().opset13
    image, weights, bias = (node.get_input(index) for index in range(3))
    upsampled = op.convolution_backprop_data(
        op.transpose(image, [0, 3, 1, 2]),
        op.transpose(weights, [3, 0, 1, 2]),
        strides=[2, 2],
        pads_begin=[0, 0],
        pads_end=[0, 0],
        dilations=[1, 1],
    )
    return op.add(op.transpose(upsampled, [0, 2, 3, 1]), bias).outputs()

"""The borders of a frame network as planes of color, which the host makes faster than the network.

A rewritten frame program begins by padding the frame and holding it in blocks (see
`live_nst.models.graph.space_to_depth`), and ends by making a picture of blocks. OpenVINO needs a millisecond for
both at 640x360; OpenCV needs 0.4 ms, with the change from BGR to RGB and back in it. So these steps
are cut off, and the network takes and gives planes: uint8 `[1, 12, height / 2, width / 2]`, of
every second row the pixels of every second column, by row, column and RGB.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image

PlanarImage = NDArray[np.uint8]

_TO_CHANNELS, _TO_PIXELS = [0, 3, 1, 2], [0, 2, 3, 1]
_RGB = (2, 1, 0, 5, 4, 3)
"""Where the colors of two pixels, BGR, are found by RGB, and the other way round."""


def take_planes(model: Any, op: Any) -> int | None:
    """Let the first input, a uint8 picture, be planes, if it is padded and made blocks of.

    Args:
        model: OpenVINO's.
        op: OpenVINO's set of operations.

    Returns:
        How many pixels the picture is to be padded by; None where nothing was changed.
    """
    picture = model.get_parameters()[0]
    chain = [picture]
    for kind in ("Transpose", "Pad", "SpaceToDepth"):
        users = list(chain[-1].output(0).get_target_inputs())
        if len(users) != 1 or users[0].get_node().get_type_name() != kind:
            return None
        chain.append(users[0].get_node())
    _, transpose, pad, blocks = chain
    border = _border(pad)
    if border is None or _constant(transpose, 1) != _TO_CHANNELS or not _of_two(blocks):
        return None
    planes = op.parameter(list(blocks.output(0).get_shape()), np.uint8)
    blocks.output(0).replace(planes.output(0))
    model.replace_parameter(0, planes)
    model.validate_nodes_and_infer_types()
    return border


def give_planes(model: Any) -> bool:
    """Let the output, a uint8 picture, be planes, if it is made of blocks; whether it was."""
    end = model.get_results()[0].input(0)
    transpose = end.get_source_output().get_node()
    if transpose.get_type_name() != "Transpose" or _constant(transpose, 1) != _TO_PIXELS:
        return False
    blocks = transpose.input_value(0).get_node()
    if blocks.get_type_name() != "DepthToSpace" or not _of_two(blocks):
        return False
    end.replace_source_output(blocks.input_value(0))
    model.validate_nodes_and_infer_types()
    return True


def image_to_planar(image: Image, border: int) -> PlanarImage:
    """The planes of a BGR picture of even sides, padded by reflection."""
    padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REFLECT_101)
    height, width = padded.shape[0] // 2, padded.shape[1] // 2
    pairs = padded.reshape(height, 2, width, 6)  # of pixels side by side
    planes = np.empty((1, 12, height, width), np.uint8)
    for row in range(2):
        cv2.split(pairs[:, row], [planes[0, 6 * row + place] for place in _RGB])
    return planes


def planar_to_image(planes: PlanarImage) -> Image:
    """The BGR picture of planes."""
    _, _, height, width = planes.shape
    picture: Image = np.empty((2 * height, 2 * width, 3), np.uint8)
    pairs = picture.reshape(height, 2, width, 6)
    for row in range(2):
        cv2.merge([planes[0, 6 * row + place] for place in _RGB], dst=pairs[:, row])
    return picture


def _constant(node: Any, index: int) -> Any:
    """The constant input number `index`, as a list; None if it is no constant."""
    source = node.input_value(index).get_node()
    return source.get_data().tolist() if source.get_type_name() == "Constant" else None


def _of_two(node: Any) -> bool:
    """Whether blocks are of two by two, one pixel after the other."""
    attributes = node.get_attributes()
    return bool(attributes["block_size"] == 2 and attributes["mode"].lower() == "blocks_first")


def _border(pad: Any) -> int | None:
    """By how much the height and width of `[1, channels, height, width]` are padded, if evenly."""
    before, after = _constant(pad, 1), _constant(pad, 2)
    if pad.get_attributes()["pad_mode"].lower() != "reflect" or before is None or before != after:
        return None
    return int(before[2]) if before == [0, 0, before[2], before[2]] else None

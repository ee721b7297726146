"""How sure it is that a point of one frame is where the optical flow says in the other."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.stabilizer.motion import Flow, GrayImage, moving_part, part_of_flow

ByteMap = NDArray[np.uint8]
"""uint8 `[height, width]`."""

BgraImage = NDArray[np.uint8]
"""uint8 `[height, width, 4]`, the last 255. Four channels are warped twice as fast as three."""

cv: Any = cv2  # its type stubs lack optional maps and the dtypes of results

_CONFIDENT, _UNCONFIDENT = 8.0, 24.0  # differences in uint8 values with full and no confidence
_TEXTURE_ALLOWANCE = 0.25  # share of the local contrast by which a point may differ in addition
_STATIC_DIFFERENCE = 9.0  # uint8 values; a point that changes by less is static
_RELATIVE_LINEAR = cv.INTER_LINEAR | cv.WARP_RELATIVE_MAP
_BOX = np.ones((3, 3), np.uint8)


def freeze_static_points(flow: Flow, now: BgraImage, then: BgraImage) -> tuple[Flow, ByteMap]:
    """Return the flow, set to 0 at static points, and a map of these points, 255 where static.

    Otherwise the small errors of the flow would shake a static image.
    """
    difference = cv.resize(
        _max_difference(now, then)[0], flow.shape[1::-1], interpolation=cv.INTER_AREA
    )
    static: ByteMap = cv.compare(cv.blur(difference, (3, 3)), _STATIC_DIFFERENCE, cv.CMP_LT)
    moving: Flow = cv.copyTo(flow, cv.bitwise_not(static))
    return moving, static


def flow_confidence(
    now: BgraImage, gray: GrayImage, then: BgraImage, flow: Flow, static: ByteMap | None = None
) -> ByteMap:
    """Return how sure it is, 0 to 255, that each point is the one that the flow says.

    `static` is 255 where the flow is exactly 0, of the flow's size; None if that is not known.
    """
    # The fourth channel is 255 inside the frame before and less outside.
    border = cv.BORDER_CONSTANT, (0, 0, 0, 0)
    half_flow = flow * np.float32(0.5)
    if static is None:
        step = cv.resize(half_flow, gray.shape[::-1], interpolation=cv.INTER_LINEAR)
        warped = cv.remap(then, step, None, _RELATIVE_LINEAR, None, *border)
    else:
        warped = then
        rows, columns = moving_part(static, gray.shape)
        if rows.stop > rows.start:
            step = part_of_flow(half_flow, gray.shape, rows, columns)
            warped = then.copy()
            cv.remap(then, step, None, _RELATIVE_LINEAR, warped[rows, columns], *border)
    difference, outside = _max_difference(now, warped)
    inside = cv.compare(outside, 0, cv.CMP_EQ)
    cv.bitwise_and(difference, inside, difference)
    texture = cv.morphologyEx(gray, cv.MORPH_GRADIENT, _BOX)
    slope = 255 / (_UNCONFIDENT - _CONFIDENT)
    confidence: ByteMap = cv.addWeighted(
        difference, -slope, texture, slope * _TEXTURE_ALLOWANCE, slope * _UNCONFIDENT
    )
    # Newly visible content makes its neighbors unreliable, too.
    cv.bitwise_and(cv.erode(confidence, _BOX), inside, confidence)
    return confidence


def _max_difference(one: BgraImage, other: BgraImage) -> tuple[ByteMap, ByteMap]:
    """Return the largest difference of the three colors, and that of the fourth channel."""
    difference = cv.absdiff(one, other)
    # Into memory that is there already: without it, cv2.split takes several times as long.
    blue, green, red, fourth = np.empty((4, *one.shape[:2]), np.uint8)
    cv.split(difference, (blue, green, red, fourth))
    # A weighted sum would be faster, but miss changes in one color.
    return cv.max(cv.max(blue, green, blue), red, blue), fourth

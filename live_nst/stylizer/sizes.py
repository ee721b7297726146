"""How large what the network sees, and the strokes of a style, may be."""

from live_nst.errors import UsageError
from live_nst.types import Size

DEFAULT_SIZE = {"cpu": 384, "gpu": 640}
MIN_SIZE, MAX_SIZE = 64, 4096
MIN_STROKE, MAX_STROKE = 0.3, 3.0
SIZE_MULTIPLE = 4  # the networks halve the picture twice


def network_size(camera: Size, long_side: int) -> Size:
    """The size at which the network sees a frame of size `camera`.

    Its longer side is `long_side`, or the camera's where that is smaller; both are multiples of
    4, so that the network neither pads nor crops.
    """
    scale = min(1.0, long_side / max(camera))
    width, height = (
        max(16, SIZE_MULTIPLE * round(side * scale / SIZE_MULTIPLE)) for side in camera
    )
    return width, height


def check_size(size: int) -> int:
    """Return `size` if a network can be run with that long side.

    Raises:
        UsageError: It is out of range.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UsageError(
            f"A size of {size} is out of range.", f"use {MIN_SIZE} to {MAX_SIZE} pixels"
        )
    return size


def check_stroke(stroke: float) -> float:
    """Return `stroke` if the strokes of a style can be that large.

    Raises:
        UsageError: It is out of range.
    """
    if not MIN_STROKE <= stroke <= MAX_STROKE:
        raise UsageError(
            f"A stroke of {stroke:g} is out of range.", f"use {MIN_STROKE:g} to {MAX_STROKE:g}"
        )
    return stroke

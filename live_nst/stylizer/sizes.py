"""The sizes at which the network runs, and the sizes of brush strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_nst.errors import UsageError

if TYPE_CHECKING:
    from live_nst.types import Size

DEFAULT_SIZE = {"cpu": 384, "gpu": 640}
MIN_SIZE, MAX_SIZE = 64, 4096
MIN_STROKE, MAX_STROKE = 0.3, 3.0

_MIN_SIDE = 16


def network_size(frame_size: Size, long_side: int) -> Size:
    """Return the size at which the network sees a frame.

    The longer side is `long_side` or the frame's, whichever is smaller. Both sides are multiples of
    4, so that the network neither pads nor crops.

    Args:
        frame_size: (width, height) of the frame in pixels.
        long_side: The longer side in pixels.

    Returns:
        (width, height) in pixels.
    """
    from live_nst.models.program import SIZE_MULTIPLE  # late: it imports NumPy

    scale = min(1.0, long_side / max(frame_size))
    width, height = (
        max(_MIN_SIDE, SIZE_MULTIPLE * round(side * scale / SIZE_MULTIPLE)) for side in frame_size
    )
    return width, height


def padded_size(frame_size: Size) -> Size:
    """Return the smallest size that the network can run and that contains `frame_size`."""
    from live_nst.models.program import SIZE_MULTIPLE  # late: it imports NumPy

    width, height = (
        max(_MIN_SIDE, -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE) for side in frame_size
    )
    return width, height


def check_size(size: int) -> int:
    """Return `size` if the network can run with that longer side.

    Raises:
        UsageError: It is out of range.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UsageError(f"Invalid size {size}.", f"use {MIN_SIZE} to {MAX_SIZE} pixels")
    return size


def check_stroke(stroke: float) -> float:
    """Return `stroke` if the strokes of a style can have that size.

    Raises:
        UsageError: It is out of range.
    """
    if not MIN_STROKE <= stroke <= MAX_STROKE:
        raise UsageError(f"Invalid stroke {stroke:g}.", f"use {MIN_STROKE:g} to {MAX_STROKE:g}")
    return stroke

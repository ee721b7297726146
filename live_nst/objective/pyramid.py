"""Coarse to fine: the sizes at which a picture is painted, and pictures brought to them.

Source: Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017), section 6:
strokes are laid out where VGG's view of the picture is wide, and refined at full size.
"""

import cv2
import numpy as np

from live_nst.errors import UsageError
from live_nst.frames import Image
from live_nst.objective.network import MIN_SIDE
from live_nst.objective.regions import Mask

COARSEST = 192
"""The long side below which no further level is added by itself."""

Size = tuple[int, int]


def level_sizes(picture: Size, long_side: int, levels: int | None) -> list[Size]:
    """(width, height) of every level, coarse to fine, each twice the one before.

    Args:
        picture: (width, height) of the photo.
        long_side: Of the finest level, in pixels.
        levels: How many; None for as many as stay above `COARSEST`.

    Raises:
        UsageError: There is a level that VGG cannot see.
    """
    wanted = levels or 1
    while levels is None and long_side / 2**wanted >= COARSEST:
        wanted += 1
    sizes = [scaled(picture, long_side / 2**level) for level in reversed(range(wanted))]
    if min(sizes[0]) < MIN_SIDE:
        raise UsageError(
            f"The coarsest level would be {sizes[0][0]}x{sizes[0][1]} pixels, and VGG needs "
            f"{MIN_SIDE} each way.",
            "use a larger --size, or fewer --levels",
        )
    return sizes


def scaled(picture: Size, long_side: float) -> Size:
    """(width, height) in proportion, with that long side."""
    scale = long_side / max(picture)
    width, height = (max(1, round(side * scale)) for side in picture)
    return width, height


def resize(image: Image, size: Size) -> Image:
    """A picture at (width, height): area-averaged where it shrinks, bicubic where it grows."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=how)  # type: ignore[return-value]


def resize_mask(mask: Mask, size: Size) -> Mask:
    """A mask at (width, height), within 0..1."""
    how = cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR
    return np.clip(cv2.resize(mask, size, interpolation=how), 0, 1).astype(np.float32)

"""Styles and where they are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.objective.vgg import MIN_SIDE, layer_stride
from live_nst.types import Image

RegionMask = NDArray[np.float32]
"""Weights of pixels, 0..1, `[height, width]`."""


@dataclass(frozen=True, slots=True)
class StyleTarget:
    """A style picture and where it is wanted.

    Attributes:
        picture: BGR uint8 `[height, width, 3]`, of any size from 16 pixels each way.
        weight: Its share.
        mask: Of the content's size; None for everywhere.
    """

    picture: Image
    weight: float = 1.0
    mask: RegionMask | None = None


def find_regions(styles: Sequence[StyleTarget]) -> tuple[list[RegionMask | None], list[int]]:
    """The different masks, and which of them each style has."""
    if not styles:
        raise UsageError("No style was given.", "name one, such as starry")
    masks: list[RegionMask | None] = []
    regions = []
    for style in styles:
        same = [i for i, mask in enumerate(masks) if mask is style.mask]
        regions.append(same[0] if same else len(masks))
        if not same:
            masks.append(style.mask)
    return masks, regions


def mask_at_layer(mask: RegionMask, layer: str) -> NDArray[Any]:
    """A mask at the size of a layer, area-averaged.

    Raises:
        UsageError: Nothing of it is left.
    """
    height, width = mask.shape
    size = width // layer_stride(layer), height // layer_stride(layer)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    if small.sum() <= 0:
        raise UsageError("A mask is black everywhere.", "paint white where the style goes")
    return small


MIN_COARSEST_SIDE = 192
"""The long side below which no further level is added by itself."""

Size = tuple[int, int]


def pyramid_sizes(picture: Size, long_side: int, levels: int | None) -> list[Size]:
    """(width, height) of every level, coarse to fine, each twice the one before.

    Args:
        picture: (width, height) of the photo.
        long_side: Of the finest level, in pixels.
        levels: How many; None for as many as stay above `COARSEST`.

    Raises:
        UsageError: There is a level that VGG cannot see.
    """
    wanted = levels or 1
    while levels is None and long_side / 2**wanted >= MIN_COARSEST_SIDE:
        wanted += 1
    sizes = [scale_to_long_side(picture, long_side / 2**level) for level in reversed(range(wanted))]
    if min(sizes[0]) < MIN_SIDE:
        raise UsageError(
            f"The coarsest level would be {sizes[0][0]}x{sizes[0][1]} pixels, and VGG needs "
            f"{MIN_SIDE} each way.",
            "use a larger --size, or fewer --levels",
        )
    return sizes


def scale_to_long_side(picture: Size, long_side: float) -> Size:
    """(width, height) in proportion, with that long side."""
    scale = long_side / max(picture)
    width, height = (max(1, round(side * scale)) for side in picture)
    return width, height


def resize_image(image: Image, size: Size) -> Image:
    """A picture at (width, height): area-averaged where it shrinks, bicubic where it grows."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=how)  # type: ignore[return-value]


def resize_mask(mask: RegionMask, size: Size) -> RegionMask:
    """A mask at (width, height), within 0..1."""
    how = cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR
    return np.clip(cv2.resize(mask, size, interpolation=how), 0, 1).astype(np.float32)

"""Images, region masks and style targets at the sizes of an image pyramid.

Source: Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017), section 6:
a coarse level lays out the strokes, as VGG sees a large part of the image there, and the finer
levels refine them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.objective.vgg import MIN_SIDE, layer_stride
from live_nst.types import Image, Size

RegionMask = NDArray[np.float32]
"""The weight of every pixel, 0..1, `[height, width]`."""

MIN_COARSEST_SIDE = 192
"""By default, levels are added while the long side of the coarsest is at least this, in pixels."""


@dataclass(frozen=True, slots=True)
class StyleTarget:
    """A style image and the region in which it is used.

    Attributes:
        image: BGR uint8 `[height, width, 3]`, at least 16 pixels wide and high.
        weight: The weight of its loss.
        mask: The region, in the size of the content; None for the whole image.
    """

    image: Image
    weight: float = 1.0
    mask: RegionMask | None = None


def find_regions(styles: Sequence[StyleTarget]) -> tuple[list[RegionMask | None], list[int]]:
    """Return the distinct masks of the styles, and for each style the index of its mask.

    Two masks are the same region if they are the same array.

    Raises:
        UsageError: There are no styles.
    """
    if not styles:
        raise UsageError("No style was given", "give one, such as starry")
    masks: list[RegionMask | None] = []
    indices = []
    for style in styles:
        same = [index for index, mask in enumerate(masks) if mask is style.mask]
        indices.append(same[0] if same else len(masks))
        if not same:
            masks.append(style.mask)
    return masks, indices


def mask_at_layer(mask: RegionMask, layer: str) -> NDArray[Any]:
    """Return a mask at the size of a layer's activations, area-averaged.

    Raises:
        UsageError: No pixel of it is above 0.
    """
    height, width = mask.shape
    size = width // layer_stride(layer), height // layer_stride(layer)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    if small.sum() <= 0:
        raise UsageError("A mask is black everywhere", "make it white where the style is used")
    return small


def pyramid_sizes(size: Size, long_side: int, levels: int | None) -> list[Size]:
    """Return the size of every level, coarse to fine, each twice the one before.

    Args:
        size: (width, height) of the content.
        long_side: Long side of the finest level, in pixels.
        levels: The number of levels; None for as many as `MIN_COARSEST_SIDE` allows.

    Raises:
        UsageError: The coarsest level is too small for VGG.
    """
    count = levels or 1
    while levels is None and long_side / 2**count >= MIN_COARSEST_SIDE:
        count += 1
    sizes = [scale_to_long_side(size, long_side / 2**level) for level in reversed(range(count))]
    if min(sizes[0]) < MIN_SIDE:
        raise UsageError(
            f"The coarsest level has {sizes[0][0]}x{sizes[0][1]} pixels, and VGG needs "
            f"{MIN_SIDE} each way",
            "use a larger --size or fewer --levels",
        )
    return sizes


def image_size(image: NDArray[Any]) -> Size:
    """Return (width, height) of an image or a mask."""
    return image.shape[1], image.shape[0]


def scale_to_long_side(size: Size, long_side: float) -> Size:
    """Return (width, height) of the same proportions with that long side."""
    scale = long_side / max(size)
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def resize_image(image: Image, size: Size) -> Image:
    """Return an image at (width, height): area-averaged if it shrinks, else bicubic."""
    if image_size(image) == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=interpolation)  # type: ignore[return-value]


def limit_long_side(image: Image, long_side: int) -> Image:
    """Return an image whose long side is at most `long_side` pixels; it is never enlarged."""
    size = image_size(image)
    return resize_image(image, scale_to_long_side(size, min(long_side, max(size))))


def resize_mask(mask: RegionMask, size: Size) -> RegionMask:
    """Return a mask at (width, height), within 0..1."""
    interpolation = cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR
    return np.clip(cv2.resize(mask, size, interpolation=interpolation), 0, 1).astype(np.float32)

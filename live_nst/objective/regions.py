"""Styles and where they are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.frames import Image
from live_nst.objective.network import stride

Mask = NDArray[np.float32]
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
    mask: Mask | None = None


def regions_of(styles: Sequence[StyleTarget]) -> tuple[list[Mask | None], list[int]]:
    """The different masks, and which of them each style has."""
    if not styles:
        raise UsageError("No style was given.", "name one, such as starry")
    masks: list[Mask | None] = []
    regions = []
    for style in styles:
        same = [i for i, mask in enumerate(masks) if mask is style.mask]
        regions.append(same[0] if same else len(masks))
        if not same:
            masks.append(style.mask)
    return masks, regions


def mask_at(mask: Mask, layer: str) -> NDArray[Any]:
    """A mask at the size of a layer, area-averaged.

    Raises:
        UsageError: Nothing of it is left.
    """
    height, width = mask.shape
    size = width // stride(layer), height // stride(layer)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    if small.sum() <= 0:
        raise UsageError("A mask is black everywhere.", "paint white where the style goes")
    return small

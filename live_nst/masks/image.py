"""A mask from an image file."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.files.decoding import decode, to_rgb
from live_nst.files.images import open_image
from live_nst.masks.base import AlphaMask
from live_nst.types import Image, Size

_HINT = "give person, background, or a picture that is white where to paint"


class ImageMaskProvider:
    """Gives every frame the same mask, stretched to its size; see `live_nst.masks.base`.

    Args:
        path: An image file. Its transparency is the mask if it has any, else its brightness.

    Raises:
        UsageError: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.state: NDArray[Any] | None = None
        self._original = read_mask_image(path)
        self._resized = self._original

    def __call__(self, small: Image, size: Size) -> AlphaMask:
        """Return the mask at `size`, (width, height) in pixels."""
        if self._resized.shape[::-1] != size:
            shrinks = size[0] < self._original.shape[1]
            interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            resized = cv2.resize(self._original, size, interpolation=interpolation)
            self._resized = np.asarray(resized, np.uint8)
        return self._resized

    def reset(self) -> None:
        """Do nothing: no state is kept."""


def read_mask_image(path: Path) -> AlphaMask:
    """Return the mask that an image file holds, at the image's own size.

    Raises:
        UsageError: The file cannot be read.
    """
    label = f"mask picture {path}"
    with open_image(path, label, error=UsageError, hint=_HINT) as pil_image:
        upright = to_rgb(decode(pil_image, path).image)
        mask = upright.getchannel("A") if upright.mode == "RGBA" else upright.convert("L")
        return np.array(mask, np.uint8)

"""A mask from a picture file."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from live_nst.errors import UsageError
from live_nst.files.images import open_image, to_8bit
from live_nst.masks.base import AlphaMask
from live_nst.styles.image import MAX_PIXELS
from live_nst.types import Image, Size


class ImageMaskProvider:
    """The same mask for every frame, stretched to its size; see `live_nst.masks.base.MaskProvider`.

    Args:
        path: A picture: how opaque it is, where it has transparency, else how light.

    Raises:
        UsageError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.state: NDArray[Any] | None = None
        self._levels = read_mask_image(path)
        self._sized = self._levels

    def __call__(self, small: Image, size: Size) -> AlphaMask:
        """The mask at `size`."""
        if self._sized.shape[::-1] != size:
            smaller = size[0] < self._levels.shape[1]
            how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            self._sized = cv2.resize(self._levels, size, interpolation=how)  # type: ignore[assignment]
        return self._sized

    def reset(self) -> None:
        """Nothing to forget."""


def read_mask_image(path: Path) -> AlphaMask:
    """The levels of a mask picture, at its own size.

    Raises:
        UsageError: It cannot be read.
    """
    hint = "give person, background, or a picture that is white where to paint"
    with open_image(
        path, f"mask picture {path}", error=UsageError, hint=hint, max_pixels=MAX_PIXELS
    ) as picture:
        upright = to_8bit(ImageOps.exif_transpose(picture))
        levels = upright.getchannel("A") if upright.mode == "RGBA" else upright.convert("L")
        return np.array(levels, np.uint8)

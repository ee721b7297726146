"""Conversions of frames that OpenCV does faster on the host than OpenVINO in the network.

A planar image is uint8 `[1, 12, height / 2, width / 2]`: each plane holds one color of every
second pixel of every second row, in the order row, column, RGB. This is how rewritten frame
programs store an image (see `live_nst.models.graph.space_to_depth`).
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image, Size

PlanarImage = NDArray[np.uint8]

_BGR = (2, 1, 0)  # where blue, green and red are found in RGB


def downscale(image: Image, size: Size) -> Image:
    """Resize an image to a smaller size, almost as area averaging does.

    Halving first: INTER_AREA alone takes 3 ms from 1280x720 to 384x216, a quarter of the network's
    time; this takes 0.3 ms. On real frames the two differ by half a uint8 value in the mean.

    Args:
        image: BGR uint8 `[height, width, 3]`.
        size: (width, height) in pixels, at most a few more than the image has.

    Returns:
        A new array of that size.
    """
    width, height = size
    if image.shape[1::-1] == size:
        return image.copy()
    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        if image.shape[0] % 2 or image.shape[1] % 2:
            return _resize(image, size, cv2.INTER_AREA)
        image = _resize(image, (image.shape[1] // 2, image.shape[0] // 2), cv2.INTER_AREA)
    return image if image.shape[1::-1] == size else _resize(image, size, cv2.INTER_LINEAR)


class PlanarConverter:
    """Converts images of one size to planar images and back, one at a time.

    Colors are separated first, then columns, because OpenCV has fast code for three and for two
    channels, but not for six; it is fast only from and to arrays without gaps. All memory is
    allocated once: in new memory the system has to map every page.

    Args:
        size: (width, height) of the images, both even.
        border: By how many pixels `to_planes` pads them, by reflection.
    """

    def __init__(self, size: Size, border: int) -> None:
        self._border = border
        width, height = size
        self._padded = np.empty((height + 2 * border, width + 2 * border, 3), np.uint8)
        self._split = _HalfTheRows(*self._padded.shape[:2])
        self._merged = _HalfTheRows(height, width)
        self.planes: PlanarImage = _unaligned(1, 12, *self._split.plane_shape)

    def to_planes(self, image: Image) -> PlanarImage:
        """Return the planes of a BGR image, always in the same array: `planes`."""
        half, edge = self._split, self._border
        cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_REFLECT_101, dst=self._padded)
        for row in range(2):
            np.copyto(half.rows, self._padded[row::2])
            cv2.split(half.rows, half.colors)
            for color, pairs in zip(_BGR, half.pairs, strict=True):
                first = 6 * row + color
                cv2.split(pairs, [self.planes[0, first], self.planes[0, first + 3]])
        return self.planes

    def to_image(self, planes: PlanarImage) -> Image:
        """Return the BGR image of planes without a border, a new array."""
        half = self._merged
        image: Image = np.empty((2 * half.rows.shape[0], *half.rows.shape[1:]), np.uint8)
        for row in range(2):
            for color, pairs in zip(_BGR, half.pairs, strict=True):
                first = 6 * row + color
                cv2.merge([planes[0, first], planes[0, first + 3]], dst=pairs)
            cv2.merge(half.colors, dst=half.rows)
            image[row::2] = half.rows
        return image


class _HalfTheRows:
    """Memory for every second row of an image, in three forms.

    Attributes:
        rows: BGR `[height / 2, width, 3]`.
        colors: Each color `[height / 2, width]`.
        pairs: The same memory as pixels side by side, `[height / 2, width / 2, 2]`.
        plane_shape: Height and width of one plane.
    """

    def __init__(self, height: int, width: int) -> None:
        self.plane_shape = height // 2, width // 2
        self.rows = _unaligned(height // 2, width, 3)
        colors = _unaligned(3, height // 2, width)
        self.colors = list(colors)
        self.pairs = [color.reshape(*self.plane_shape, 2) for color in colors]


def _unaligned(*shape: int) -> NDArray[np.uint8]:
    """Return memory at an odd address.

    OpenCV's split and merge write to aligned memory past the caches, and the next step reads it.
    """
    return np.empty(1 + math.prod(shape), np.uint8)[1:].reshape(shape)


def _resize(image: Image, size: Size, method: int) -> Image:
    return cv2.resize(image, size, interpolation=method)  # type: ignore[return-value]

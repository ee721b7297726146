"""Bring images to sizes that encoders and virtual cameras accept."""

import cv2
import numpy as np

from live_nst.types import Image


def round_up_to_even(size: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) rounded up to even numbers.

    Chroma is stored at half the size: encoders refuse odd sizes, and readers of a virtual camera
    crash on them.
    """
    width, height = size
    return width + width % 2, height + height % 2


def pad_to_even(image: Image) -> Image:
    """Pad an image to even sides by repeating its last row or column where needed.

    Nothing of the image is lost, as it would be by cropping.

    Args:
        image: BGR uint8 ``[height, width, 3]``.

    Returns:
        The image with even width and height; `image` itself if it has them already.
    """
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def letterbox(image: Image, size: tuple[int, int]) -> Image:
    """Scale an image to fit into a size, with black bars where its proportions differ.

    Args:
        image: BGR uint8 ``[height, width, 3]``.
        size: (width, height) of the result in pixels.

    Returns:
        BGR uint8 of exactly `size`; `image` itself if it has that size already.
    """
    width, height = size
    own_height, own_width = image.shape[:2]
    if (own_width, own_height) == size:
        return image
    scale = min(width / own_width, height / own_height)
    inner = max(1, round(own_width * scale)), max(1, round(own_height * scale))
    # INTER_AREA keeps fine texture from flickering when the image shrinks.
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    result = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    result[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=method
    )
    return result

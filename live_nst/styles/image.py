"""Read a style picture of any usual format and shape."""

import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from live_nst.errors import StyleError
from live_nst.files.images import flatten_on_white, open_image, to_8bit
from live_nst.types import Image

MAX_PIXELS = 100_000_000
"""Larger pictures are refused unread: decoded they would take over 300 MB."""

_HINT = "give a JPEG, PNG, WebP, GIF, BMP or TIFF picture, or a name from `live-nst styles`"


def read_style_image(path: Path) -> Image:
    """Decode a picture: the first of an animation, upright, on white where it is transparent.

    Returns:
        BGR uint8 `[height, width, 3]` at the picture's own size.

    Raises:
        StyleError: It is missing, no picture, damaged, or too large.
    """
    with open_image(
        path, f"style picture {path}", error=StyleError, hint=_HINT, max_pixels=MAX_PIXELS
    ) as picture:
        rgb = np.asarray(flatten_on_white(to_8bit(ImageOps.exif_transpose(picture))), np.uint8)
    return np.ascontiguousarray(rgb[..., ::-1])


def center_crop(image: Image, size: tuple[int, int]) -> Image:
    """The middle of a picture at `size` (width, height), nearly always a square, for a model.

    Cropped, neither squashed nor padded: squashing draws the strokes out in one direction, and
    the seam of a padding is painted as if it were part of the style.
    """
    across, down = _window(image, size, 1.0)
    height, width = image.shape[:2]
    return _cut(image, (width - across) // 2, (height - down) // 2, (across, down), size)


def fast_center_crop(image: Image, size: tuple[int, int]) -> Image:
    """What `crop` gives, in a tenth of its time: for frames, which come in numbers."""
    across, down = _window(image, size, 1.0)
    height, width = image.shape[:2]
    top, left = (height - down) // 2, (width - across) // 2
    how = cv2.INTER_AREA if across > size[0] else cv2.INTER_LINEAR
    window = image[top : top + down, left : left + across]
    return cv2.resize(window, size, interpolation=how)  # type: ignore[return-value]


def stroke_crops(image: Image, size: tuple[int, int], stroke: float) -> list[Image]:
    """The views of a picture in which its strokes are `stroke` times as large as in `crop`.

    Larger strokes: several smaller windows that together cover the middle, so that none of its
    colors is lost. Smaller ones: one larger window, beyond the picture's edges its mirror image.

    Returns:
        One or more pictures of `size`; what a model makes of them is to be averaged.
    """
    if stroke == 1.0:
        return [center_crop(image, size)]
    across, down = _window(image, size, stroke)
    height, width = image.shape[:2]
    if stroke < 1.0:
        sides = [max(0, wanted - had) for wanted, had in ((down, height), (across, width))]
        margins = [(side // 2, side - side // 2) for side in sides]
        return [center_crop(np.pad(image, (*margins, (0, 0)), "symmetric"), size)]
    full_across, full_down = _window(image, size, 1.0)
    count = math.ceil(stroke)
    left, top = (width - full_across) // 2, (height - full_down) // 2
    steps = np.linspace(0.0, 1.0, count)
    return [
        _cut(
            image,
            left + round(x * (full_across - across)),
            top + round(y * (full_down - down)),
            (across, down),
            size,
        )
        for y in steps
        for x in steps
    ]


def _window(image: Image, size: tuple[int, int], stroke: float) -> tuple[int, int]:
    """(width, height) of what is seen of a picture, in its own pixels."""
    height, width = image.shape[:2]
    scale = min(width / size[0], height / size[1]) / stroke
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _cut(
    image: Image, left: int, top: int, window: tuple[int, int], size: tuple[int, int]
) -> Image:
    across, down = window
    piece = Pillow.fromarray(image[top : top + down, left : left + across])
    return np.asarray(piece.resize(size, Pillow.Resampling.LANCZOS))

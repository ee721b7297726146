"""Style images: reading them from files, and cropping them to the model's style size."""

import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from live_nst.errors import StyleError
from live_nst.files.images import read_image
from live_nst.types import Image, Size

_HINT = "give a JPEG, PNG, WebP, TIFF, HEIC or AVIF picture, or a name from `live-nst styles`"


def read_style_image(path: Path) -> Image:
    """Decode an image: the first frame of an animation, upright, white where it is transparent.

    Returns:
        BGR uint8 `[height, width, 3]` at the image's own size.

    Raises:
        StyleError: The file is missing, no image, damaged, or too large.
    """
    return read_image(path, f"style picture {path}", error=StyleError, hint=_HINT)


def center_crop(image: Image, size: Size) -> Image:
    """Return the center of an image, scaled to `size`, (width, height), for a model.

    It is cropped because the alternatives look worse: squashing stretches the strokes in one
    direction, and the edge of a padding becomes part of the style.
    """
    window = _window_size(image, size, 1.0)
    return _cut(image, _centered(image, window), window, size)


def fast_center_crop(image: Image, size: Size) -> Image:
    """Return what `center_crop` returns, in a tenth of the time and less exact: for frames."""
    width, height = _window_size(image, size, 1.0)
    left, top = _centered(image, (width, height))
    interpolation = cv2.INTER_AREA if width > size[0] else cv2.INTER_LINEAR
    window = image[top : top + height, left : left + width]
    return cv2.resize(window, size, interpolation=interpolation)  # type: ignore[return-value]


def stroke_crops(image: Image, size: Size, stroke: float) -> list[Image]:
    """Return crops in which the strokes are `stroke` times as large as in `center_crop`.

    Larger strokes: several smaller windows that together cover the center, so that no color is
    lost. Smaller strokes: one larger window, beyond the edges of the image its mirror image.

    Returns:
        One or more images of `size`, whose bottlenecks are to be averaged.
    """
    if stroke == 1.0:
        return [center_crop(image, size)]
    window = _window_size(image, size, stroke)
    height, width = image.shape[:2]
    if stroke < 1.0:
        missing = max(0, window[1] - height), max(0, window[0] - width)
        margins = [(pixels // 2, pixels - pixels // 2) for pixels in missing]
        return [center_crop(np.pad(image, (*margins, (0, 0)), "symmetric"), size)]
    whole = _window_size(image, size, 1.0)
    left, top = _centered(image, whole)
    steps = np.linspace(0.0, 1.0, math.ceil(stroke))
    corners = [
        (left + round(x * (whole[0] - window[0])), top + round(y * (whole[1] - window[1])))
        for y in steps
        for x in steps
    ]
    return [_cut(image, corner, window, size) for corner in corners]


def _window_size(image: Image, size: Size, stroke: float) -> Size:
    """Return (width, height) of the part of an image that a crop shows, in the image's pixels."""
    height, width = image.shape[:2]
    scale = min(width / size[0], height / size[1]) / stroke
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _centered(image: Image, window: Size) -> tuple[int, int]:
    """Return (left, top) of a window in the center of an image."""
    height, width = image.shape[:2]
    return (width - window[0]) // 2, (height - window[1]) // 2


def _cut(image: Image, corner: tuple[int, int], window: Size, size: Size) -> Image:
    left, top = corner
    width, height = window
    piece = Pillow.fromarray(image[top : top + height, left : left + width])
    return np.asarray(piece.resize(size, Pillow.Resampling.LANCZOS))

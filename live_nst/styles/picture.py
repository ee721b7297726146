"""Read a style picture of any usual format and shape."""

import math
import warnings
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from live_nst.errors import StyleError
from live_nst.frames import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "DDS")
"""What is read. Not EPS, for one, for which Pillow would start Ghostscript."""

MAX_PIXELS = 100_000_000
"""Larger pictures are refused unread: decoded they would take over 300 MB."""


def read_picture(path: Path) -> Image:
    """Decode a picture: the first of an animation, upright, on white where it is transparent.

    Returns:
        BGR uint8 `[height, width, 3]` at the picture's own size.

    Raises:
        StyleError: It is missing, no picture, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of "decompression bombs", which MAX_PIXELS refuses anyway, and of slight
            # damage in pictures that it reads all the same.
            warnings.simplefilter("ignore")
            with Pillow.open(path, formats=FORMATS) as picture:
                _check_size(path, picture)
                upright = ImageOps.exif_transpose(picture)
                rgb = np.asarray(_to_rgb(upright), np.uint8)
    except FileNotFoundError as exc:
        raise StyleError(f"There is no style picture {path}.", _hint()) from exc
    except IsADirectoryError as exc:
        raise StyleError(f"The style {path} is a folder, not a picture.", _hint()) from exc
    except PermissionError as exc:
        raise StyleError(
            f"The style picture {path} may not be read.", "check its permissions"
        ) from exc
    except Pillow.DecompressionBombError as exc:
        raise _too_large(path) from exc
    except UnidentifiedImageError as exc:
        empty = path.stat().st_size == 0
        what = "is empty" if empty else "is not a picture in a format that live-nst knows"
        raise StyleError(f"The style {path} {what}.", _hint()) from exc
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, MemoryError) as exc:
        # Pillow's decoders raise any of these for damaged data.
        raise StyleError(f"The style picture {path} is damaged: {exc}.", _hint()) from exc
    return np.ascontiguousarray(rgb[..., ::-1])


def crop(image: Image, size: tuple[int, int]) -> Image:
    """The middle of a picture at `size` (width, height), nearly always a square, for a model.

    Cropped, neither squashed nor padded: squashing draws the strokes out in one direction, and
    the seam of a padding is painted as if it were part of the style.
    """
    across, down = _window(image, size, 1.0)
    height, width = image.shape[:2]
    return _cut(image, (width - across) // 2, (height - down) // 2, (across, down), size)


def crops(image: Image, size: tuple[int, int], stroke: float) -> list[Image]:
    """The views of a picture in which its strokes are `stroke` times as large as in `crop`.

    Larger strokes: several smaller windows that together cover the middle, so that none of its
    colours is lost. Smaller ones: one larger window, beyond the picture's edges its mirror image.

    Returns:
        One or more pictures of `size`; what a model makes of them is to be averaged.
    """
    if stroke == 1.0:
        return [crop(image, size)]
    across, down = _window(image, size, stroke)
    height, width = image.shape[:2]
    if stroke < 1.0:
        sides = [max(0, wanted - had) for wanted, had in ((down, height), (across, width))]
        margins = [(side // 2, side - side // 2) for side in sides]
        return [crop(np.pad(image, (*margins, (0, 0)), "symmetric"), size)]
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


def _to_rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I;16") or picture.mode == "I":
        # Pillow's own conversion clips 16-bit grey at 255.
        return Pillow.fromarray((np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8)).convert(
            "RGB"
        )
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture))
        return Pillow.fromarray((values.clip(0, 1) * 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        white = Pillow.new("RGBA", rgba.size, "white")
        return Pillow.alpha_composite(white, rgba).convert("RGB")
    return picture.convert("RGB")


def _check_size(path: Path, picture: Pillow.Image) -> None:
    if 0 in picture.size:
        raise StyleError(f"The style picture {path} has no pixels.", _hint())
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(path)


def _too_large(path: Path) -> StyleError:
    return StyleError(
        f"The style picture {path} has more than {MAX_PIXELS // 1_000_000} million pixels.",
        "make it smaller: live-nst looks at it at a few hundred pixels",
    )


def _hint() -> str:
    return "give a JPEG, PNG, WebP, GIF, BMP or TIFF picture, or a name from `live-nst styles`"

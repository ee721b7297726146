"""Read a style picture of any usual format and shape."""

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
    height, width = image.shape[:2]
    scale = min(width / size[0], height / size[1])
    across, down = (max(1, round(side * scale)) for side in size)
    top, left = (height - down) // 2, (width - across) // 2
    middle = Pillow.fromarray(image[top : top + down, left : left + across])
    return np.asarray(middle.resize(size, Pillow.Resampling.LANCZOS))


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

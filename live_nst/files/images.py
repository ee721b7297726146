"""Read image files of any usual format, write them, and say in one sentence what failed."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from live_nst.errors import LiveNstError
from live_nst.files.atomic import atomic_write
from live_nst.files.formats import image_format_for
from live_nst.files.output import write_errors
from live_nst.types import Image

READABLE_FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "DDS"),
)
"""Pillow's names of the formats that are read. EPS is left out: Pillow runs Ghostscript for it."""

DEFAULT_MAX_PIXELS = 100_000_000
"""Larger images are refused before they are decoded: they would take over 300 MB."""

DECODE_ERRORS: tuple[type[Exception], ...] = (
    *(OSError, ValueError, SyntaxError, EOFError, RuntimeError, MemoryError, LookupError),
    *(TypeError, AttributeError, ArithmeticError, struct.error),
)
"""What Pillow's decoders raise for damaged data."""


@contextmanager
def open_image(
    source: Path, label: str, *, error: type[LiveNstError], hint: str, max_pixels: int
) -> Iterator[Pillow.Image]:
    """Open an image that is decoded in the `with` block, where errors are translated, too.

    Args:
        source: The file.
        label: What messages call it: "style picture a.jpg".
        error: The type of the errors that are raised.
        hint: What the user can give instead.
        max_pixels: Larger images are refused before they are decoded.

    Yields:
        The image, not decoded yet.

    Raises:
        LiveNstError: Of type `error`: the file is missing, no image, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of "decompression bombs", which `max_pixels` refuses anyway, and of
            # slight damage in images that it reads nevertheless.
            warnings.simplefilter("ignore")
            with Pillow.open(source, formats=READABLE_FORMATS) as pil_image:
                if 0 in pil_image.size:
                    raise error(f"The {label} has no pixels.", hint)
                if pil_image.width * pil_image.height > max_pixels:
                    raise _too_large(label, error, max_pixels)
                yield pil_image
    except FileNotFoundError as exc:
        raise error(f"There is no {label}.", hint) from exc
    except IsADirectoryError as exc:
        raise error(f"The {label} is a folder, not a picture.", hint) from exc
    except PermissionError as exc:
        raise error(f"The {label} may not be read.", "check its permissions") from exc
    except Pillow.DecompressionBombError as exc:
        raise _too_large(label, error, max_pixels) from exc
    except UnidentifiedImageError as exc:
        empty = source.stat().st_size == 0
        what = "is empty" if empty else "is not a picture in a format that live-nst knows"
        raise error(f"The {label} {what}.", hint) from exc
    except DECODE_ERRORS as exc:
        reason = (str(exc).splitlines() or [type(exc).__name__])[0]
        raise error(f"The {label} is damaged: {reason}.", hint) from exc


def read_image(
    source: Path,
    label: str,
    *,
    error: type[LiveNstError],
    hint: str,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Image:
    """Return an image upright, white where it is transparent, BGR uint8 `[height, width, 3]`.

    Of an animation it is the first frame. See `open_image` for the arguments and the errors.
    """
    with open_image(source, label, error=error, hint=hint, max_pixels=max_pixels) as picture:
        upright = flatten_on_white(to_8bit(ImageOps.exif_transpose(picture)))
        return np.ascontiguousarray(np.asarray(upright, np.uint8)[..., ::-1])


def to_8bit(pil_image: Pillow.Image) -> Pillow.Image:
    """Return an image of any mode as RGB or, where it has transparency, as RGBA."""
    if pil_image.mode.startswith("I;16") or pil_image.mode == "I":
        # Pillow's own conversion clips 16-bit gray at 255.
        gray = (np.asarray(pil_image) >> 8).clip(0, 255).astype(np.uint8)
        return Pillow.fromarray(gray).convert("RGB")
    if pil_image.mode == "F":
        values = np.nan_to_num(np.asarray(pil_image))
        return Pillow.fromarray((values.clip(0, 1) * 255).astype(np.uint8)).convert("RGB")
    return pil_image.convert("RGBA" if pil_image.has_transparency_data else "RGB")


def flatten_on_white(pil_image: Pillow.Image) -> Pillow.Image:
    """Return an RGB or RGBA image as RGB, white where it is transparent."""
    if pil_image.mode == "RGB":
        return pil_image
    white = Pillow.new("RGBA", pil_image.size, "white")
    return Pillow.alpha_composite(white, pil_image).convert("RGB")


def bgr_to_pillow(image: Image) -> Pillow.Image:
    """Return a BGR uint8 image `[height, width, 3]` as an RGB image of Pillow."""
    return Pillow.fromarray(np.ascontiguousarray(image[..., ::-1]))


def write_image(path: Path, image: Image, *, sync: bool = True) -> None:
    """Write a BGR uint8 image `[height, width, 3]` in the format that the path's suffix names.

    A file at `path` is replaced, but only once the new one is complete.

    Args:
        path: The file to write.
        image: The image.
        sync: See `live_nst.files.atomic.atomic_write`.

    Raises:
        UsageError: Images are not written in the format of that suffix.
        SinkError: The file cannot be written.
    """
    target = image_format_for(path)
    with write_errors(path), atomic_write(path, sync=sync) as file:
        bgr_to_pillow(image).save(file, target.name, **dict(target.options))


def _too_large(label: str, error: type[LiveNstError], max_pixels: int) -> LiveNstError:
    return error(
        f"The {label} has more than {max_pixels // 1_000_000} million pixels.", "make it smaller"
    )

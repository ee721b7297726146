"""Open picture files of any usual format, and say in one sentence what is wrong with one."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from live_nst.errors import LiveNstError

READABLE_FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "TIFF",
    "AVIF",
    "JPEG2000",
    "PPM",
    "TGA",
    "DDS",
)
"""What is read. Not EPS, for one, for which Pillow would start Ghostscript."""

DECODE_ERRORS: tuple[type[Exception], ...] = (
    *(OSError, ValueError, SyntaxError, EOFError, RuntimeError, MemoryError, LookupError),
    *(TypeError, AttributeError, ArithmeticError, struct.error),
)
"""What Pillow's decoders raise for damaged data."""


@contextmanager
def open_image(
    source: Path, label: str, *, error: type[LiveNstError], hint: str, max_pixels: int
) -> Iterator[Pillow.Image]:
    """A picture to be decoded in the `with` block, in which damage is translated, too.

    Args:
        source: The file.
        label: What a sentence calls it: "style picture a.jpg".
        error: What is raised.
        hint: What the user may give instead.
        max_pixels: Larger pictures are refused unread.

    Raises:
        LiveNstError: Of type `error`: it is missing, no picture, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of "decompression bombs", which `max_pixels` refuses anyway, and of
            # slight damage in pictures that it reads all the same.
            warnings.simplefilter("ignore")
            with Pillow.open(source, formats=READABLE_FORMATS) as picture:
                if 0 in picture.size:
                    raise error(f"The {label} has no pixels.", hint)
                if picture.width * picture.height > max_pixels:
                    raise _too_large(label, error, max_pixels)
                yield picture
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


def to_8bit(picture: Pillow.Image) -> Pillow.Image:
    """A picture of any mode as RGB or, where it has transparency, RGBA."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        # Pillow's own conversion clips 16-bit gray at 255.
        levels = (np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8)
        return Pillow.fromarray(levels).convert("RGB")
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture))
        return Pillow.fromarray((values.clip(0, 1) * 255).astype(np.uint8)).convert("RGB")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def flatten_on_white(picture: Pillow.Image) -> Pillow.Image:
    """RGB or RGBA as RGB, white where it is transparent."""
    if picture.mode == "RGB":
        return picture
    white = Pillow.new("RGBA", picture.size, "white")
    return Pillow.alpha_composite(white, picture).convert("RGB")


def _too_large(label: str, error: type[LiveNstError], max_pixels: int) -> LiveNstError:
    return error(
        f"The {label} has more than {max_pixels // 1_000_000} million pixels.", "make it smaller"
    )

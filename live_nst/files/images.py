"""Read image files of any usual format, write them, and say in one sentence what failed."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from live_nst.errors import LiveNstError
from live_nst.files.atomic import atomic_write
from live_nst.files.decoding import DECODE_ERRORS, decode, to_rgb
from live_nst.files.deep_tiff import open_deep_tiff
from live_nst.files.formats import image_format_for, recognize_image
from live_nst.files.output import write_errors
from live_nst.files.pixel_formats import UnsupportedImageError
from live_nst.files.webp import complete_frames
from live_nst.runtime.machine import free_memory
from live_nst.types import Image, Size

READABLE_FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "DDS"),
)
"""Pillow's names of the formats that are read. EPS is left out: Pillow runs Ghostscript for it."""

MAX_PIXELS = 1_000_000_000
"""Larger images are refused before they are decoded: they would take an hour and more."""

READ_BYTES_PER_PIXEL = 12
"""Memory for reading an image, with its transparency."""

_UNSUPPORTED_WORDS = (
    *(
        "unsupported",
        "not supported",
        "unknown",
        "unrecognized",
        "not implemented",
        "cannot handle",
    ),
    *("not available", "no decode delegate"),
)
_CUT_OFF_WORDS = ("truncated", "premature", "unexpected end", "not enough", "incomplete")


@contextmanager
def open_image(
    source: Path,
    label: str,
    *,
    error: type[LiveNstError],
    hint: str,
    bytes_per_pixel: int = READ_BYTES_PER_PIXEL,
) -> Iterator[Pillow.Image]:
    """Open an image that is decoded in the `with` block, where errors are translated, too.

    Args:
        source: The file.
        label: What messages call it: "style picture a.jpg".
        error: The type of the errors that are raised.
        hint: What the user can give instead.
        bytes_per_pixel: The memory that reading and using it takes. An image that needs more than
            is free, or has more than `MAX_PIXELS`, is refused before it is decoded.

    Yields:
        The image, not decoded yet; of a cut-off animated WebP with the frames that are complete.

    Raises:
        LiveNstError: Of type `error`: the file is missing, no image, damaged, or too large.
    """
    formats: tuple[str, ...] = READABLE_FORMATS
    try:
        if recognize_image(source) == "HEIF":
            formats = (*formats, _register_heif(label, error))
        if Pillow.MAX_IMAGE_PIXELS is not None:
            # Pillow's own limit is lower, and for the whole process.
            Pillow.MAX_IMAGE_PIXELS = max(Pillow.MAX_IMAGE_PIXELS, MAX_PIXELS)
        with warnings.catch_warnings():
            # Pillow warns of "decompression bombs", which are refused here anyway, and of
            # slight damage in images that it reads nevertheless.
            warnings.simplefilter("ignore")
            repaired = complete_frames(source)
            opened = source if repaired is None else io.BytesIO(repaired)

            def check_size(size: Size) -> None:
                if 0 in size:
                    raise error(f"The {label} has no pixels.", hint)
                _check_size(size, label, error, bytes_per_pixel)

            with _open(opened, source, formats, check_size) as pil_image:
                check_size(pil_image.size)
                yield pil_image
    except FileNotFoundError as exc:
        raise error(f"There is no {label}.", hint) from exc
    except IsADirectoryError as exc:
        raise error(f"The {label} is a folder, not a picture.", hint) from exc
    except PermissionError as exc:
        raise error(f"The {label} may not be read.", "check its permissions") from exc
    except Pillow.DecompressionBombError as exc:
        raise _too_large(label, error) from exc
    except UnsupportedImageError as exc:
        raise error(f"The {label} is of a kind that is not supported: {exc}.", hint) from exc
    except UnidentifiedImageError as exc:
        raise error(f"The {label} {_why_unidentified(source)}.", hint) from exc
    except MemoryError as exc:
        raise error(f"The {label} needs more memory than is free.", "make it smaller") from exc
    except DECODE_ERRORS as exc:
        raise error(f"The {label} {_what_failed(exc)}.", hint) from exc


def read_image(source: Path, label: str, *, error: type[LiveNstError], hint: str) -> Image:
    """Return an image upright, white where it is transparent, BGR uint8 `[height, width, 3]`.

    Of an animation it is the first frame. See `open_image` for the arguments and the errors.
    """
    with open_image(source, label, error=error, hint=hint) as pil_image:
        upright = flatten_on_white(to_rgb(decode(pil_image, source).image))
        return np.ascontiguousarray(np.asarray(upright, np.uint8)[..., ::-1])


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


def _register_heif(label: str, error: type[LiveNstError]) -> str:
    """Let Pillow open HEIF; return its name of that format."""
    try:
        import pillow_heif
    except ImportError as exc:
        raise error(
            f"The {label} is a HEIF picture, for which a package is missing.",
            "run `pip install pillow-heif`, or save it as JPEG",
        ) from exc
    pillow_heif.register_heif_opener(thumbnails=False)
    return "HEIF"


def _open(
    file: Path | io.BytesIO,
    source: Path,
    formats: tuple[str, ...],
    check_size: Callable[[Size], None],
) -> Pillow.Image:
    """Open an image with Pillow, or with OpenCV if it is a TIFF that Pillow does not know.

    Args:
        file: What is opened.
        source: The file that it is from.
        formats: Pillow's names of the formats that are read.
        check_size: Called with (width, height) before OpenCV decodes; may raise.
    """
    try:
        return Pillow.open(file, formats=formats)
    except UnidentifiedImageError:
        if recognize_image(source) != "TIFF":
            raise
        try:
            image = open_deep_tiff(source, check_size)
        except DECODE_ERRORS:
            image = None  # what is wrong with it is said as of other damaged files
        if image is None:
            raise
        return image


def _check_size(size: Size, label: str, error: type[LiveNstError], bytes_per_pixel: int) -> None:
    """Raise if an image takes too long, or more memory than is free."""
    pixels = size[0] * size[1]
    if pixels > MAX_PIXELS:
        raise _too_large(label, error)
    needed, free = pixels * bytes_per_pixel, free_memory()
    if needed > free:
        raise error(
            f"The {label} has {size[0]}x{size[1]} pixels, which need "
            f"{needed / 1e9:.1f} GB of free memory; {free / 1e9:.1f} GB are free.",
            "make it smaller first",
        )


def _too_large(label: str, error: type[LiveNstError]) -> LiveNstError:
    return error(
        f"The {label} has more than {MAX_PIXELS // 1_000_000} million pixels.", "make it smaller"
    )


def _why_unidentified(source: Path) -> str:
    """Return what is wrong with a file that Pillow does not open, as the end of a sentence."""
    if source.stat().st_size == 0:
        return "is empty"
    kind = recognize_image(source)
    if kind is None:
        return "is not a picture in a format that live-nst knows"
    try:
        with warnings.catch_warnings(), source.open("rb") as file:
            warnings.simplefilter("ignore")
            Pillow.OPEN[kind][0](file, str(source))
    except Exception as exc:  # the reason, which `Pillow.open` keeps for itself
        return _what_failed(exc)
    return "is damaged"


def _what_failed(exc: Exception) -> str:
    """Return what an error of a decoder says about an image, as the end of a sentence."""
    text = str(exc).lower()
    if isinstance(exc, NotImplementedError) or any(word in text for word in _UNSUPPORTED_WORDS):
        return "is of a kind that is not supported"
    if isinstance(exc, EOFError) or any(word in text for word in _CUT_OFF_WORDS):
        return "is damaged: a part of it is missing"
    return "is damaged"

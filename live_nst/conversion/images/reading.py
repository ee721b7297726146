"""Read a still image with everything that its file contains: color profile, EXIF data, alpha."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from live_nst.conversion.images.icc import IccProfile
from live_nst.errors import SourceError, UsageError
from live_nst.files.formats import IMAGE_FORMATS, ImageFormat
from live_nst.files.images import DECODE_ERRORS, open_image, to_8bit
from live_nst.types import Image

MAX_PIXELS = 1_000_000_000
BYTES_PER_PIXEL = 30
"""Memory for reading, stylizing and writing an image at once, as measured."""

_HINT = "give a JPEG, PNG, WebP, TIFF, BMP, AVIF or JPEG 2000 picture"
_ORIENTATION = 0x0112
# TIFF stores the layout of its pixels among the EXIF data: width, height, bits, compression,
# photometric interpretation, strips, samples, rows, byte counts, planes, palette.
_PIXEL_TAGS = (
    *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C, 0x0140),
)
_UNUSABLE_PROFILE: tuple[type[Exception], ...] = (ImageCms.PyCMSError, *DECODE_ERRORS)
_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")


@dataclass(frozen=True)
class StillImage:
    """An image to stylize, and what is kept for the stylized one.

    Attributes:
        image: BGR uint8 `[height, width, 3]`, upright, in sRGB; white where it is transparent.
        alpha: uint8 `[height, width]`, 255 where it is opaque; None if it is opaque everywhere.
        profile: The color profile of the file; None if there is none.
        exif: EXIF data without orientation and thumbnail.
        dpi: Pixels per inch, horizontally and vertically; None if unknown.
        format: The format of the file, or PNG where that is not written.
        notices: Sentences about what was lost.
    """

    image: Image
    alpha: NDArray[np.uint8] | None
    profile: IccProfile | None
    exif: Pillow.Exif
    dpi: tuple[float, float] | None
    format: ImageFormat
    notices: tuple[str, ...]


def is_still_image(source: Path) -> bool:
    """Return whether the content of a file is a still image."""
    try:
        return not is_animated(source, source.name)
    except SourceError:
        return False


def is_animated(source: Path, name: str) -> bool:
    """Return whether an image file contains an animation, which is converted as a video.

    Args:
        source: The file.
        name: What messages call it.

    Raises:
        SourceError: The file cannot be read.
    """
    with _open(source, name) as pil_image:
        return pil_image.format in _ANIMATED_FORMATS and getattr(pil_image, "n_frames", 1) > 1


def check_still_image(source: Path) -> None:
    """Raise if a file is no still image, as far as that is known without decoding it.

    Raises:
        SourceError: The file cannot be read.
        UsageError: The image is animated.
    """
    if is_animated(source, source.name):
        raise UsageError(
            f"The picture {source.name} is animated", "use an output that ends in .mp4 or .gif"
        )


def read_still_image(source: Path, name: str) -> StillImage:
    """Read an image.

    Args:
        source: The file.
        name: What messages call it.

    Raises:
        SourceError: The file is missing, no image, damaged, or too large.
    """
    notices: list[str] = []
    with _open(source, name) as pil_image:
        _check_memory(pil_image, name)
        if _has_more_than_8_bits(pil_image):
            notices.append(f"{name} has more than 8 bits per color, which are not kept.")
        if pil_image.format == "TIFF" and getattr(pil_image, "n_frames", 1) > 1:
            notices.append(f"{name} has several pages, of which only the first is used.")
        same = (each for each in IMAGE_FORMATS.values() if each.name == pil_image.format)
        image_format = next(same, IMAGE_FORMATS[".png"])
        pil_image.load()
        icc, mode, dpi = (
            pil_image.info.get("icc_profile"),
            pil_image.mode,
            pil_image.info.get("dpi"),
        )
        upright, exif = _upright(pil_image, name, notices)
        profile = _read_profile(icc, mode, name, notices)
        rgb, alpha = _to_srgb(upright, profile, mode)
    image = np.ascontiguousarray(np.asarray(rgb, np.uint8)[..., ::-1])
    if alpha is not None:
        image[alpha == 0] = 255  # the colors of transparent pixels are often arbitrary
    return StillImage(image, alpha, profile, exif, _valid_dpi(dpi), image_format, tuple(notices))


def _open(source: Path, name: str) -> AbstractContextManager[Pillow.Image]:
    return open_image(
        source, f"picture {name}", error=SourceError, hint=_HINT, max_pixels=MAX_PIXELS
    )


def _check_memory(pil_image: Pillow.Image, name: str) -> None:
    needed = pil_image.width * pil_image.height * BYTES_PER_PIXEL
    if needed > psutil.virtual_memory().available:
        raise SourceError(
            f"The picture {name} has {pil_image.width}x{pil_image.height} pixels, which need "
            f"{needed / 1e9:.1f} GB of free memory.",
            "make it smaller first",
        )


def _has_more_than_8_bits(pil_image: Pillow.Image) -> bool:
    """Return whether an image that is not decoded yet has more than 8 bits per color."""
    decoder = str(getattr(pil_image, "tile", ""))  # the arguments of Pillow's decoder
    return pil_image.mode in ("I", "F") or ";16" in decoder or "65535" in decoder


def _upright(
    pil_image: Pillow.Image, name: str, notices: list[str]
) -> tuple[Pillow.Image, Pillow.Exif]:
    """Return the image rotated as its EXIF data say, and these without the orientation."""
    try:
        upright = ImageOps.exif_transpose(pil_image)
        exif = upright.getexif()
        for tag in (_ORIENTATION, *_PIXEL_TAGS):
            exif.pop(tag, None)
        exif.tobytes()
    except DECODE_ERRORS:
        notices.append(f"The EXIF data of {name} are damaged and were left out.")
        return pil_image, Pillow.Exif()
    return upright, exif


def _read_profile(icc: object, mode: str, name: str, notices: list[str]) -> IccProfile | None:
    if not isinstance(icc, bytes) or not icc:
        return None
    try:
        return IccProfile(icc, mode)
    except _UNUSABLE_PROFILE:
        notices.append(f"The color profile of {name} cannot be used and was left out.")
        return None


def _to_srgb(
    pil_image: Pillow.Image, profile: IccProfile | None, mode: str
) -> tuple[Pillow.Image, NDArray[np.uint8] | None]:
    """Return an image as RGB in sRGB, and its alpha channel if it is not opaque everywhere."""
    if profile is not None and mode == "CMYK":
        return profile.to_srgb(pil_image), None
    plain = to_8bit(pil_image)
    rgb = plain.convert("RGB")
    if profile is not None:
        rgb = profile.to_srgb(rgb)
    if plain.mode != "RGBA":
        return rgb, None
    alpha = np.asarray(plain.getchannel("A"), np.uint8)
    return rgb, None if bool((alpha == 255).all()) else alpha


def _valid_dpi(dpi: object) -> tuple[float, float] | None:
    """Return pixels per inch if they are two plausible numbers, else None."""
    try:
        across, down = (float(number) for number in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across < 1e5 and 1 <= down < 1e5 else None

"""Read a still image with everything that its file contains: color profile, EXIF data, alpha."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from live_nst.conversion.images.icc import IccProfile
from live_nst.errors import SourceError, UsageError
from live_nst.files.decoding import DECODE_ERRORS, decode, to_rgb
from live_nst.files.formats import IMAGE_FORMATS, ImageFormat
from live_nst.files.images import open_image
from live_nst.types import Image

BYTES_PER_PIXEL = 30
"""Memory for reading, stylizing and writing an image at once, as measured."""

_HINT = "give a JPEG, PNG, WebP, TIFF, BMP, AVIF, HEIC or JPEG 2000 picture"
_WRITTEN_AS = {"MPO": ".jpg"}  # JPEGs with several views
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
            f"The picture {source.name} is animated",
            "use an output that ends in .mp4, .gif or .webp",
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
        same = (each for each in IMAGE_FORMATS.values() if each.name == pil_image.format)
        image_format = next(same, IMAGE_FORMATS[_WRITTEN_AS.get(pil_image.format or "", ".png")])
        decoded = decode(pil_image, source)
        notices.extend(f"{name} {notice}." for notice in decoded.notices)
        icc, dpi = pil_image.info.get("icc_profile"), pil_image.info.get("dpi")
        profile = _read_profile(icc, decoded.mode, name, notices)
        rgb, alpha = _to_srgb(decoded.image, profile, decoded.mode)
    image = np.ascontiguousarray(np.asarray(rgb, np.uint8)[..., ::-1])
    if alpha is not None:
        image[alpha == 0] = 255  # the colors of transparent pixels are often arbitrary
    return StillImage(
        image, alpha, profile, decoded.exif, _valid_dpi(dpi), image_format, tuple(notices)
    )


def _open(source: Path, name: str) -> AbstractContextManager[Pillow.Image]:
    return open_image(
        source, f"picture {name}", error=SourceError, hint=_HINT, bytes_per_pixel=BYTES_PER_PIXEL
    )


def _read_profile(icc: object, mode: str, name: str, notices: list[str]) -> IccProfile | None:
    if not isinstance(icc, bytes) or not icc:
        return None
    try:
        profile = IccProfile(icc, mode)
    except DECODE_ERRORS:
        notices.append(f"The color profile of {name} cannot be used and was left out.")
        return None
    if profile.is_one_way:
        notices.append(f"The color profile of {name} is for reading only: the output is in sRGB.")
    return profile


def _to_srgb(
    pil_image: Pillow.Image, profile: IccProfile | None, mode: str
) -> tuple[Pillow.Image, NDArray[np.uint8] | None]:
    """Return an image as RGB in sRGB, and its alpha channel if it is not opaque everywhere."""
    if profile is not None and mode == "CMYK":
        return profile.to_srgb(pil_image), None
    plain = to_rgb(pil_image)
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

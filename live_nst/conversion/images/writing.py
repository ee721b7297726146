"""Write a stylized image with the color profile, EXIF data and transparency of its original."""

import io
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image as Pillow

from live_nst.conversion.images.reading import StillImage
from live_nst.errors import ConversionError
from live_nst.files.decoding import DECODE_ERRORS
from live_nst.files.formats import ImageFormat
from live_nst.files.images import bgr_to_pillow
from live_nst.types import Image, Size

MAKER_NOTE, EXIF_IFD = 0x927C, 0x8769
_MAX_JPEG_EXIF = 65_533  # bytes: the length of a segment of a JPEG has 16 bits


def check_fits(size: Size, image_format: ImageFormat, name: str) -> None:
    """Raise if a format cannot store an image.

    Args:
        size: (width, height) of the image in pixels.
        image_format: The format.
        name: What messages call the file.

    Raises:
        ConversionError: It cannot.
    """
    if max(size) > image_format.max_side:
        raise ConversionError(
            f"{name} cannot be {size[0]}x{size[1]}: {image_format.name} stores at most "
            f"{image_format.max_side} pixels a side",
            "write a .png or .tif",
        )


@dataclass(frozen=True)
class WritingPlan:
    """How a stylized image is written, decided before it is stylized.

    Attributes:
        options: Options of Pillow's encoder, the EXIF data among them.
        notices: Sentences about what the format cannot store.
    """

    options: Mapping[str, Any]
    notices: tuple[str, ...]


def plan_writing(original: StillImage, image_format: ImageFormat, name: str) -> WritingPlan:
    """Find out what of an image a format can store.

    Args:
        original: The image.
        image_format: The format.
        name: What messages call the file.

    Raises:
        ConversionError: The format cannot store an image of that size.
    """
    height, width = original.image.shape[:2]
    check_fits((width, height), image_format, name)
    notices: list[str] = []
    options = dict(image_format.options)
    if original.profile is not None and image_format.metadata:
        options["icc_profile"] = original.profile.data
    if original.alpha is not None and not image_format.alpha:
        notices.append(f"{name} is on white: {image_format.name} has no transparency.")
    if image_format.metadata and len(original.exif):
        exif = _fitting_exif(original.exif, image_format, name, notices)
        if exif is not None and _stores_exif(exif, image_format):
            options["exif"] = exif
        elif exif is not None:
            notices.append(f"{name} has no EXIF data: {image_format.name} cannot store them.")
    if original.dpi is not None:
        options["dpi"] = original.dpi
    return WritingPlan(options, tuple(notices))


def write_still_image(
    original: StillImage,
    stylized: Image,
    file: BinaryIO,
    image_format: ImageFormat,
    name: str,
    plan: WritingPlan,
) -> None:
    """Write a stylized image.

    Args:
        original: The original.
        stylized: BGR uint8 of the same shape.
        file: A file that is open for writing and seeking.
        image_format: The format to write.
        name: What messages call the file.
        plan: What `plan_writing` returned for these.

    Raises:
        ConversionError: The image cannot be written in that format.
        OSError: The file cannot be written.
    """
    pil_image = bgr_to_pillow(stylized)
    if original.profile is not None and image_format.metadata:
        pil_image = original.profile.from_srgb(pil_image)
    if original.alpha is not None:
        mask = Pillow.fromarray(original.alpha)
        if image_format.alpha:
            pil_image.putalpha(mask)
        else:
            white = Pillow.new("RGB", pil_image.size, "white")
            white.paste(pil_image, mask=mask)
            pil_image = white
    try:
        pil_image.save(file, image_format.name, **plan.options)
    except (ValueError, KeyError, SystemError, TypeError, struct.error) as exc:
        raise ConversionError(f"{name} cannot be written as {image_format.name}: {exc}") from exc


def _stores_exif(exif: Pillow.Exif, image_format: ImageFormat) -> bool:
    """Return whether a format takes EXIF data, by writing a tiny image with them."""
    options = dict(image_format.options)
    try:
        Pillow.new("RGB", (8, 8)).save(io.BytesIO(), image_format.name, exif=exif, **options)
    except Exception:
        # Encoders raise nearly anything for tags of a wrong type. The image is what counts.
        return False
    return True


def _fitting_exif(
    exif: Pillow.Exif, image_format: ImageFormat, name: str, notices: list[str]
) -> Pillow.Exif | None:
    """Return as much of EXIF data as a format stores; None for nothing."""
    if image_format.name != "JPEG" or len(exif.tobytes()) <= _MAX_JPEG_EXIF:
        return exif
    # Nearly always it is what the maker of the camera stores in a form of its own.
    kept = Pillow.Exif()
    kept.load(exif.tobytes())
    if kept.get_ifd(EXIF_IFD).pop(MAKER_NOTE, None) is not None:
        with suppress(*DECODE_ERRORS):
            if len(kept.tobytes()) <= _MAX_JPEG_EXIF:
                notices.append(f"{name} lacks the maker's part of the EXIF data: it is too long.")
                return kept
    notices.append(f"{name} has no EXIF data: they are too long for a JPEG.")
    return None

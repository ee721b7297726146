"""Write a stylized image with the color profile, EXIF data and transparency of its original."""

import struct
from contextlib import suppress
from typing import BinaryIO

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


def write_still_image(
    original: StillImage, stylized: Image, file: BinaryIO, image_format: ImageFormat, name: str
) -> list[str]:
    """Write a stylized image.

    Args:
        original: The original.
        stylized: BGR uint8 of the same shape.
        file: A file that is open for writing and seeking.
        image_format: The format to write.
        name: What messages call the file.

    Returns:
        Sentences about what the format cannot store.

    Raises:
        ConversionError: The image cannot be written in that format.
        OSError: The file cannot be written.
    """
    notices: list[str] = []
    pil_image = bgr_to_pillow(stylized)
    options = dict(image_format.options)
    if original.profile is not None and image_format.metadata:
        pil_image = original.profile.from_srgb(pil_image)
        options["icc_profile"] = original.profile.data
    if original.alpha is not None:
        mask = Pillow.fromarray(original.alpha)
        if image_format.alpha:
            pil_image.putalpha(mask)
        else:
            white = Pillow.new("RGB", pil_image.size, "white")
            white.paste(pil_image, mask=mask)
            pil_image = white
            notices.append(f"{name} is on white: {image_format.name} has no transparency.")
    if image_format.metadata and len(original.exif):
        exif = _fitting_exif(original.exif, image_format, name, notices)
        if exif is not None:
            options["exif"] = exif
    if original.dpi is not None:
        options["dpi"] = original.dpi
    try:
        try:
            pil_image.save(file, image_format.name, **options)
        except OSError:
            raise
        except Exception:
            # Encoders raise nearly anything for tags of a wrong type. The image is what counts.
            if "exif" not in options:
                raise
            del options["exif"]
            file.seek(0)
            file.truncate()
            pil_image.save(file, image_format.name, **options)
            notices.append(f"{name} has no EXIF data: {image_format.name} cannot store them.")
    except (ValueError, KeyError, SystemError, TypeError, struct.error) as exc:
        raise ConversionError(f"{name} cannot be written as {image_format.name}: {exc}") from exc
    return notices


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

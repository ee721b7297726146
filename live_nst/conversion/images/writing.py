"""Write a stylized image with the color profile, EXIF data and transparency of its original."""

from typing import BinaryIO

from PIL import Image as Pillow

from live_nst.conversion.images.reading import StillImage
from live_nst.errors import ConversionError
from live_nst.files.formats import ImageFormat
from live_nst.files.images import bgr_to_pillow
from live_nst.types import Image


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
        ConversionError: The image is too large for the format.
        OSError: The file cannot be written.
    """
    height, width = stylized.shape[:2]
    if max(width, height) > image_format.max_side:
        raise ConversionError(
            f"{name} cannot be {width}x{height}: {image_format.name} stores at most "
            f"{image_format.max_side} pixels a side",
            "write a .png or .tif",
        )
    notices = []
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
        options["exif"] = original.exif
    if original.dpi is not None:
        options["dpi"] = original.dpi
    try:
        pil_image.save(file, image_format.name, **options)
    except (ValueError, KeyError, SystemError) as exc:
        raise ConversionError(f"{name} cannot be written as {image_format.name}: {exc}") from exc
    return notices

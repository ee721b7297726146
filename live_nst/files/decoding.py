"""Decode image files of any bit depth to 8 bits, upright, with what is known about them."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageCms

from live_nst.files.pixel_formats import decode_elsewhere, has_more_than_8_bits, to_8_bits
from live_nst.files.webp import complete_frames

DECODE_ERRORS: tuple[type[Exception], ...] = (
    *(OSError, ValueError, SyntaxError, EOFError, RuntimeError, MemoryError, LookupError),
    *(TypeError, AttributeError, ArithmeticError, struct.error, ImageCms.PyCMSError),
)
"""What Pillow's decoders raise for damaged data."""

ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
# Width, height, bits, compression, photometric interpretation, strips, samples, rows, byte counts,
# planes, palette: a TIFF of the EXIF data would be one of other pixels.
_PIXEL_TAGS = (
    *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C, 0x0140),
)
# TIFF stores the layout of its pixels among the EXIF data, so only tags that describe the image
# are taken from it: document, description, maker, model, page, program, date, artist, computer,
# copyright, EXIF and GPS data, and Windows' title, comment, author, keywords and subject.
_TIFF_TAGS = (
    *(0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298, 0x8769),
    *(0x8825, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
)


@dataclass(frozen=True)
class DecodedImage:
    """An image as its file stores it, but upright and with 8 bits per color.

    Attributes:
        image: Of any mode of Pillow's with 8 bits.
        mode: The mode that a color profile of the file is for.
        exif: EXIF data without orientation; empty if they are damaged.
        notices: What was lost, as the ends of sentences that begin with the file's name.
    """

    image: Pillow.Image
    mode: str
    exif: Pillow.Exif
    notices: tuple[str, ...]


def decode(pil_image: Pillow.Image, source: Path) -> DecodedImage:
    """Decode an image that was opened from the file `source`.

    Raises:
        UnsupportedImageError: It is of a kind that would be decoded wrongly.
        Exception: One of `DECODE_ERRORS`, if it is damaged.
    """
    notices = []
    if has_more_than_8_bits(pil_image, source):
        notices.append("has more than 8 bits per color, which are not kept")
    exif, orientation = Pillow.Exif(), None
    try:
        orientation = pil_image.getexif().get(ORIENTATION)
        exif = _read_exif(pil_image)
    except DECODE_ERRORS:
        notices.append("has damaged EXIF data, which were left out")
    image = decode_elsewhere(pil_image, source)
    mode = pil_image.mode
    if image is None:
        try:
            pil_image.load()
            if pil_image.format == "TIFF":
                # Pillow has applied it while loading.
                orientation = pil_image.getexif().get(ORIENTATION)
            image = to_8_bits(pil_image)
        except OSError:
            repaired = _jpeg_without_end(source) if pil_image.format in ("JPEG", "MPO") else None
            if repaired is None:
                raise
            image = repaired
            notices.append("lacks its end, but all of its pixels are there")
    if pil_image.format == "WEBP" and complete_frames(source) is not None:
        notices.append("is cut off behind this frame")
    if pil_image.format == "TIFF" and _has_several_pages(source):
        notices.append("has several pages, of which only the first is used")
    if orientation in _TRANSPOSE:
        image = image.transpose(_TRANSPOSE[orientation])
    return DecodedImage(image, mode, exif, tuple(notices))


def to_rgb(pil_image: Pillow.Image) -> Pillow.Image:
    """Return an image of any mode with 8 bits as RGB or, where it has transparency, as RGBA."""
    if pil_image.mode == "La":  # premultiplied, as RGBa
        pil_image = pil_image.convert("LA")
    elif pil_image.mode == "RGBa":
        pil_image = pil_image.convert("RGBA")
    elif pil_image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(pil_image, lab, srgb, outputMode="RGB")
        assert converted is not None  # it is None only when done in place
        return converted
    return pil_image.convert("RGBA" if pil_image.has_transparency_data else "RGB")


def _read_exif(pil_image: Pillow.Image) -> Pillow.Exif:
    """Return a copy of the EXIF data that can be written to a file of any format."""
    stored = pil_image.getexif()
    if pil_image.format != "TIFF":
        stored.pop(ORIENTATION, None)
        for tag in _PIXEL_TAGS:
            stored.pop(tag, None)
        stored.tobytes()  # raises if they are damaged
        return stored
    exif = Pillow.Exif()
    for tag in _TIFF_TAGS:
        if tag in stored:
            ifd = stored.get_ifd(tag) if tag in (0x8769, 0x8825) else None
            exif[tag] = stored[tag] if ifd is None else dict(ifd)
    copy = Pillow.Exif()
    copy.load(exif.tobytes())  # as from a JPEG: not all that is set by hand is written
    return copy


def _has_several_pages(source: Path) -> bool:
    """Return whether a TIFF has more than one page; a second one that is empty is none."""
    try:
        # Opened again: after a page that cannot be read, Pillow does not find back to the first.
        with Pillow.open(source, formats=("TIFF",)) as again:
            again.seek(1)
    except DECODE_ERRORS:
        return False
    return True


def _jpeg_without_end(source: Path) -> Pillow.Image | None:
    """Decode a JPEG whose end marker is missing; None if pixels are missing as well.

    Libjpeg fills what is missing with gray and does not say so. But it ignores what follows the
    last pixel: where other bytes in place of the end change the image, pixels were missing.
    """
    data = source.read_bytes().rstrip(b"\xff")
    images = []
    for filler in (b"", b"\x55\x0a\xa3\x36" * 64):
        with Pillow.open(io.BytesIO(data + filler + b"\xff\xd9"), formats=("JPEG",)) as image:
            image.load()
            images.append(image)
    same = images[0].tobytes() == images[1].tobytes()
    return images[0] if same else None

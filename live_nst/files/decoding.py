"""Decode image files of any bit depth to 8 bits, upright, with what is known about them.

Pillow scales some images of more than 8 bits wrongly; those are scaled here, or decoded by FFmpeg
or OpenCV.
"""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

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
_BITS, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 0x0102, 0x0106, 0x011C, 0x0153  # tags of TIFF
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
_HEADER_BYTES = 1 << 16
_YCC = b"\1\0\0\0\x12"  # of JPEG 2000
_OVERSHOOT = 1.5  # of floating-point white, by filters that sharpen


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


class UnsupportedImageError(Exception):
    """The image is of a kind that is not decoded; the message says which."""


def decode(pil_image: Pillow.Image, source: Path) -> DecodedImage:
    """Decode an image that was opened from the file `source`.

    Raises:
        UnsupportedImageError: It is of a kind that would be decoded wrongly.
        Exception: One of `DECODE_ERRORS`, if it is damaged.
    """
    notices = []
    if _has_more_than_8_bits(pil_image, source):
        notices.append("has more than 8 bits per color, which are not kept")
    if pil_image.format == "TIFF" and getattr(pil_image, "n_frames", 1) > 1:
        notices.append("has several pages, of which only the first is used")
        pil_image.seek(0)
    exif, orientation = Pillow.Exif(), 1
    try:
        orientation = pil_image.getexif().get(ORIENTATION, 1)
        exif = _read_exif(pil_image)
    except DECODE_ERRORS:
        notices.append("has damaged EXIF data, which were left out")
    image = _decode_elsewhere(pil_image, source)
    mode = pil_image.mode
    if image is None:
        try:
            pil_image.load()
            if pil_image.format == "TIFF":
                orientation = 1  # Pillow has applied it
            image = _to_8_bits(pil_image)
        except OSError:
            repaired = _jpeg_without_end(source) if pil_image.format in ("JPEG", "MPO") else None
            if repaired is None:
                raise
            image = repaired
            notices.append("lacks its end, but all of its pixels are there")
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
    exif.tobytes()
    return exif


def _to_8_bits(pil_image: Pillow.Image) -> Pillow.Image:
    """Return a decoded image with 8 bits per color, by what its file says about its values."""
    tags = getattr(pil_image, "tag_v2", {}) if pil_image.format == "TIFF" else {}
    inverted = tags.get(_PHOTOMETRIC) == 0
    if pil_image.mode.startswith("I;16") or pil_image.mode == "I":
        bits = int(tags.get(_BITS, (16,))[0])
        if tags.get(_SAMPLE_FORMAT, (1,))[0] != 1:
            raise UnsupportedImageError("signed numbers")
        values: NDArray[Any] = np.array(pil_image)
        if bits == 32:
            values = values.view(np.uint32)
            if values.max(initial=0) < 1 << 24:  # measurements, which would all be black
                raise UnsupportedImageError(f"numbers up to {values.max()}, where white is 2^32")
        gray = (values >> max(0, bits - 8)).clip(0, 255).astype(np.uint8)
        return Pillow.fromarray(255 - gray if inverted else gray)
    if pil_image.mode == "F":
        values = np.nan_to_num(np.asarray(pil_image))
        if values.max(initial=0) > _OVERSHOOT:
            raise UnsupportedImageError(f"numbers up to {values.max():.5g}, where white is 1")
        gray = (values.clip(0, 1) * 255).astype(np.uint8)
        return Pillow.fromarray(255 - gray if inverted else gray)
    return pil_image


def _decode_elsewhere(pil_image: Pillow.Image, source: Path) -> Pillow.Image | None:
    """Return an image of a kind that Pillow decodes wrongly; None for others.

    FFmpeg and OpenCV decode them. Neither reads all kinds of JPEG 2000, and OpenCV mixes up the
    planes of a TIFF.
    """
    if pil_image.format == "JPEG2000":
        data = source.read_bytes()
        if not _is_unusual_jpeg2000(data):
            return None
        values = _decode_by_ffmpeg("jpeg2000", data)
        if values is None:
            values = _decode_by_opencv(data, max(_jpeg2000_components(data)[0]))
    else:
        tags = getattr(pil_image, "tag_v2", {}) if pil_image.format == "TIFF" else {}
        bits = tags.get(_BITS, (8,))
        if max(bits) <= 8 or len(bits) == 1 or tags.get(_PLANAR, 1) != 2:
            return None
        values = _decode_by_ffmpeg("tiff", source.read_bytes())
    if values is None or sorted(values.shape[:2]) != sorted(pil_image.size):
        raise UnsupportedImageError("its colors have more than 8 bits, or are stored unusually")
    return Pillow.fromarray(values)


def _decode_by_ffmpeg(codec: str, data: bytes) -> NDArray[np.uint8] | None:
    """Return RGB or RGBA `[height, width, 3 or 4]`; None if it cannot be decoded."""
    import av
    import av.error
    from av.video.reformatter import ColorRange

    try:
        decoder = av.VideoCodecContext.create(codec, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        frame = [*decoder.decode(av.Packet(data)), *decoder.decode(None)][0]
    except (av.error.FFmpegError, LookupError, ValueError):
        return None
    alpha = any(component.is_alpha for component in frame.format.components)
    # JPEG 2000's YCC has the full range, which FFmpeg's decoder does not say.
    full = ColorRange.JPEG if frame.format.name.startswith("yuv") else None
    deep = frame.reformat(
        format="rgba64le" if alpha else "rgb48le", src_color_range=full, dst_color_range=full
    )
    values: NDArray[Any] = deep.to_ndarray()
    return (values >> 8).astype(np.uint8)


def _decode_by_opencv(data: bytes, bits: int) -> NDArray[np.uint8] | None:
    """Return the same for an image whose colors have so many bits."""
    import cv2

    try:
        values: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None or values.ndim != 3 or values.shape[2] < 3:
        return None
    order = [2, 1, 0, 3][: values.shape[2]]
    scaled: NDArray[np.uint8] = (values >> max(0, bits - 8)).clip(0, 255).astype(np.uint8)
    return scaled[..., order]


def _is_unusual_jpeg2000(data: bytes) -> bool:
    """Return whether components have over 8 bits, other sizes or another order, or are YCC."""
    depths, steps = _jpeg2000_components(data)
    header = data[: data.find(b"\xff\x4f\xff\x51")]
    colr = header.find(b"colr")
    # The box for colors: how they are given, two bytes, and the number of a color space.
    is_ycc = colr >= 0 and header[colr + 4 : colr + 5] + header[colr + 7 : colr + 11] == _YCC
    unusual = is_ycc or len(set(steps)) > 1 or b"cdef" in header
    return len(depths) >= 3 and (max(depths) > 8 or unusual)


def _jpeg2000_components(data: bytes) -> tuple[list[int], list[bytes]]:
    """Return the bits and the steps (across and down) of each component."""
    place = data.find(b"\xff\x4f\xff\x51")
    if place < 0 or len(data) < place + 42:
        return [8], [b""]
    count = int.from_bytes(data[place + 40 : place + 42], "big")
    parts = [data[at : at + 3] for at in range(place + 42, place + 42 + 3 * count, 3)]
    return [(part[0] & 0x7F) + 1 for part in parts if part], [part[1:] for part in parts]


def _has_more_than_8_bits(pil_image: Pillow.Image, source: Path) -> bool:
    """Return whether an image that is not decoded yet has more than 8 bits per color."""
    if pil_image.format == "TIFF":
        return bool(max(getattr(pil_image, "tag_v2", {}).get(_BITS, (8,))) > 8)
    if pil_image.format in ("JPEG2000", "AVIF", "HEIF"):
        with source.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if pil_image.format == "JPEG2000":
            return max(_jpeg2000_components(header)[0], default=8) > 8
        # The box "pixi" lists the bits of all channels; AV1's own has a flag for more than 8.
        pixi, av1c = header.find(b"pixi"), header.find(b"av1C")
        bits = (
            header[pixi + 9 : pixi + 9 + header[pixi + 8]] if 0 <= pixi < len(header) - 9 else b""
        )
        flag = header[av1c + 6 : av1c + 7] if av1c >= 0 else b"\0"
        return max(bits, default=8) > 8 or (flag != b"" and flag[0] & 0x40 != 0)
    decoder = str(getattr(pil_image, "tile", ""))  # the arguments of Pillow's decoder
    return pil_image.mode in ("I", "F") or ";16" in decoder or "65535" in decoder


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

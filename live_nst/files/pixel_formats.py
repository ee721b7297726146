"""Decode the pixel formats that Pillow scales wrongly: of more than 8 bits, planes, JPEG 2000.

Values are scaled by what the file says of them. FFmpeg and OpenCV decode where Pillow is wrong.
"""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

# Tags of TIFF.
_BITS, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 0x0102, 0x0106, 0x011C, 0x0153
_STRIP_OFFSETS, _STRIP_LENGTHS, _EXTRA_SAMPLES = 0x0111, 0x0117, 0x0152
_HEADER_BYTES = 1 << 16
_YCC = b"\1\0\0\0\x12"  # of JPEG 2000
_OVERSHOOT = 1.5  # of floating-point white, by filters that sharpen


class UnsupportedImageError(Exception):
    """The image is of a kind that is not decoded; the message says which."""


def to_8_bits(pil_image: Pillow.Image) -> Pillow.Image:
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


def decode_elsewhere(pil_image: Pillow.Image, source: Path) -> Pillow.Image | None:
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
        if len(bits) == 1 or tags.get(_PLANAR, 1) != 2:
            return None
        if len(bits) == 2:
            return _join_gray_and_alpha(tags, source)
        if max(bits) <= 8:
            return None
        values = _decode_by_ffmpeg("tiff", source.read_bytes())
    if values is None or sorted(values.shape[:2]) != sorted(pil_image.size):
        raise UnsupportedImageError("its colors have more than 8 bits, or are stored unusually")
    return Pillow.fromarray(values)


def _join_gray_and_alpha(tags: Any, source: Path) -> Pillow.Image:
    """Return a TIFF whose gray and alpha are stored one after the other; Pillow loses the alpha.

    Args:
        tags: The tags of the TIFF.
        source: The TIFF.
    """
    data = source.read_bytes()
    order = "<" if tags.prefix == b"II" else ">"
    starts, lengths = tags[_STRIP_OFFSETS], tags[_STRIP_LENGTHS]
    half = len(starts) // 2
    planes = []
    for first in (0, half):
        strips = [data[starts[n] : starts[n] + lengths[n]] for n in range(first, first + half)]
        offsets = [8 + sum(map(len, strips[:n])) for n in range(half)]
        fields = {
            0x0100: [tags[0x0100]], 0x0101: [tags[0x0101]], _BITS: [tags[_BITS][0]],
            0x0103: [tags.get(0x0103, 1)], _PHOTOMETRIC: [1], _STRIP_OFFSETS: offsets, 0x0115: [1],
            0x0116: [tags.get(0x0116, tags[0x0101])], _STRIP_LENGTHS: [len(s) for s in strips],
            0x013D: [tags.get(0x013D, 1)],
        }  # fmt: skip
        with Pillow.open(io.BytesIO(_tiff(order, fields, b"".join(strips)))) as plane:
            plane.load()
            planes.append(to_8_bits(plane))
    premultiplied = tags.get(_EXTRA_SAMPLES, (0,))[0] == 1
    gray, alpha = planes
    if premultiplied:
        values = np.asarray(gray, np.float32) * 255 / np.maximum(np.asarray(alpha, np.float32), 1)
        gray = Pillow.fromarray(values.round().clip(0, 255).astype(np.uint8))
    return Pillow.merge("LA", (gray, alpha))


def _tiff(order: str, fields: dict[int, list[int]], pixels: bytes) -> bytes:
    """Return a TIFF of 32-bit fields; its pixels begin at byte 8."""
    pixels += bytes(len(pixels) % 2)
    at = 8 + len(pixels)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", at)
    entries, more = struct.pack(f"{order}H", len(fields)), b""
    place = at + 2 + 12 * len(fields) + 4
    for tag, values in sorted(fields.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            more += packed
            packed = struct.pack(f"{order}I", place + len(more) - len(packed))
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    return head + pixels + entries + bytes(4) + more


def _decode_by_ffmpeg(codec: str, data: bytes) -> NDArray[np.uint8] | None:
    """Return RGB or RGBA `[height, width, 3 or 4]`; None if it cannot be decoded."""
    import av
    import av.error
    from av.video.reformatter import ColorRange

    from live_nst.files.packets import packet_of

    try:
        decoder = av.VideoCodecContext.create(codec, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        frame = [*decoder.decode(packet_of(data)), *decoder.decode(None)][0]
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


def has_more_than_8_bits(pil_image: Pillow.Image, source: Path) -> bool:
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

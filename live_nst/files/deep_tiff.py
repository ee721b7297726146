"""Read TIFF files that Pillow does not know: 10, 12 or 14 bits, and RGB in floating point.

OpenCV decodes them; the tags are read by Pillow.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from live_nst.files.pixel_formats import UnsupportedImageError
from live_nst.types import Size

# Tags of TIFF.
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 0x0100, 0x0101, 0x0102, 0x0106
_ORIENTATION, _SAMPLES, _PLANAR, _SAMPLE_FORMAT = 0x0112, 0x0115, 0x011C, 0x0153
_ICC_PROFILE = 0x8773
# Description, maker, model, orientation, program, date, artist and copyright.
_KEPT = (0x010E, 0x010F, 0x0110, _ORIENTATION, 0x0131, 0x0132, 0x013B, 0x8298)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_WHOLE, _FLOAT = 1, 3  # sample formats
# OpenCV scales whole numbers to 16 bits.
_KNOWN = {(_WHOLE, 10), (_WHOLE, 12), (_WHOLE, 14), (_WHOLE, 16), (_FLOAT, 32), (_FLOAT, 64)}
_OVERSHOOT = 1.5  # of floating-point white, by filters that sharpen
_HEAD_BYTES = 8


def open_deep_tiff(source: Path, check_size: Callable[[Size], None]) -> Pillow.Image | None:
    """Return a TIFF with 8 bits per color, and with its tags as Pillow's own TIFF images.

    Args:
        source: The file.
        check_size: Called with (width, height) in pixels before the image is decoded; may raise.

    Returns:
        The image in gray or RGB; None if it is of another kind.

    Raises:
        UnsupportedImageError: Its numbers are larger than white.
        Exception: It is damaged.
    """
    data = source.read_bytes()
    if data[2:4] not in (b"*\0", b"\0*"):  # BigTIFF
        return None
    file = io.BytesIO(data)
    tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(_HEAD_BYTES))
    file.seek(tags.next)
    tags.load(file)
    samples, bits = tags.get(_SAMPLES, 1), set(tags.get(_BITS, ()))
    kinds = {(kind, each) for kind in tags.get(_SAMPLE_FORMAT, (_WHOLE,)) for each in bits}
    photometric = {1: (_WHITE_IS_ZERO, _BLACK_IS_ZERO), 3: (_RGB,)}.get(samples, ())
    if (
        len(kinds) != 1
        or not kinds <= _KNOWN
        or tags.get(_PHOTOMETRIC) not in photometric
        or (samples > 1 and tags.get(_PLANAR, 1) != 1)
    ):
        return None
    check_size((tags[_WIDTH], tags[_HEIGHT]))
    upright = _without_orientation(data)
    image: Any = Pillow.fromarray(_decode(upright, inverted=tags[_PHOTOMETRIC] == _WHITE_IS_ZERO))
    image.format, image.tag_v2 = "TIFF", tags
    exif = Pillow.Exif()
    exif.update((tag, tags[tag]) for tag in _KEPT if tag in tags)
    image.info["exif"] = exif.tobytes()
    if _ICC_PROFILE in tags:
        image.info["icc_profile"] = tags[_ICC_PROFILE]
    return image  # type: ignore[no-any-return]


def _without_orientation(data: bytes) -> bytes:
    """Return a TIFF whose first page has the usual orientation; OpenCV fails for some others."""
    order: Any = "little" if data[:2] == b"II" else "big"
    begin = int.from_bytes(data[4:8], order)
    count = int.from_bytes(data[begin : begin + 2], order)
    for entry in range(begin + 2, begin + 2 + 12 * count, 12):
        if int.from_bytes(data[entry : entry + 2], order) == _ORIENTATION:
            return data[: entry + 8] + (1).to_bytes(2, order) + data[entry + 10 :]
    return data


def _decode(data: bytes, *, inverted: bool) -> NDArray[np.uint8]:
    """Return gray `[height, width]` or RGB `[height, width, 3]` of a file of a known kind."""
    import cv2

    values: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise OSError("OpenCV cannot decode it")
    if values.dtype == np.uint16:
        shown = (values >> 8).astype(np.uint8)
    else:
        values = np.nan_to_num(values)
        if values.max(initial=0) > _OVERSHOOT:
            raise UnsupportedImageError(f"numbers up to {values.max():.5g}, where white is 1")
        shown = (values.clip(0, 1) * 255).astype(np.uint8)
    if inverted:
        shown = 255 - shown
    return np.ascontiguousarray(shown[..., ::-1]) if shown.ndim == 3 else shown

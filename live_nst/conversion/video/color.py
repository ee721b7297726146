"""From a decoded frame to the BGR picture that people see, and back with the same tags.

The numbers are those of ITU-T H.273, as FFmpeg uses them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from live_nst.types import Image, Size

RGB, BT709, UNSPECIFIED, BT470BG, SMPTE170M, BT2020 = 0, 1, 2, 5, 6, 9
LIMITED, FULL = 1, 2
PQ, HLG = 16, 18
_MATRICES = {BT709, 4, BT470BG, SMPTE170M, 7, BT2020}
"""Those that swscale knows."""
_HD_LINES = 720

_UNBIASED = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
"""Without these flags swscale rounds down: what it writes is half a level too dark."""

_ROTATIONS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


@dataclass(frozen=True, slots=True)
class ColorTags:
    """How colors are written down: matrix, range, primaries, transfer function."""

    matrix: int
    range: int
    primaries: int
    transfer: int

    def as_tuple(self) -> tuple[int, int, int, int]:
        """Matrix, range, primaries and transfer function."""
        return self.matrix, self.range, self.primaries, self.transfer

    @property
    def hdr(self) -> bool:
        """Whether it is for screens that are brighter than usual (PQ or HLG)."""
        return self.transfer in (PQ, HLG)


def color_tags_of(frame: av.VideoFrame) -> ColorTags:
    """What a frame says of its colors; what it leaves open is filled in as players do.

    That is BT.709 from 720 lines on and BT.601 below, limited range.
    """
    guess = BT709 if max(frame.height, frame.width * 9 // 16) >= _HD_LINES else SMPTE170M
    matrix = frame.colorspace if frame.colorspace in _MATRICES else guess
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    return ColorTags(matrix, FULL if full else LIMITED, frame.color_primaries, frame.color_trc)


def output_color_tags(color: ColorTags, rgb: bool) -> ColorTags:
    """The tags of an output, from the input's: the same, but HDR becomes BT.709."""
    if color.hdr:
        return ColorTags(BT709, LIMITED, BT709, BT709)
    return ColorTags(color.matrix, LIMITED if rgb else color.range, color.primaries, color.transfer)


class ToBgr:
    """Turns decoded frames into pictures as they are to be seen. For one thread at a time.

    Args:
        size: (width, height) of every picture; a frame of another size is scaled to it.
        turn: Degrees counterclockwise by which frames are turned.
        new: Gives the pictures' memory; None for new arrays.
    """

    def __init__(self, size: Size, rotation: int, new: Callable[[], Image] | None = None) -> None:
        self._size = size
        self._turn = _ROTATIONS.get(rotation % 360)
        self._new = new or (lambda: np.empty((size[1], size[0], 3), np.uint8))
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Image:
        """BGR uint8 `[height, width, 3]`, the frame's own."""
        color = color_tags_of(frame)
        options: dict[str, Any] = {}
        if not is_rgb(frame):
            options |= {"src_colorspace": color.matrix, "src_color_range": color.range}
        if color.hdr:
            options |= {"dst_color_trc": BT709, "dst_color_primaries": BT709}
        width, height = self._size if self._turn in (None, cv2.ROTATE_180) else self._size[::-1]
        picture = self._reformatter.reformat(
            frame, width=width, height=height, format="bgr24", threads=1, **options
        )
        image = self._new()
        if self._turn is None:
            np.copyto(image, _pixels_of(picture))
        else:
            cv2.rotate(_pixels_of(picture), self._turn, dst=image)
        return image


class FromBgr:
    """Turns pictures into frames for an encoder. For one thread at a time.

    Args:
        pixels: The encoder's pixel format.
        color: What the frames are to be.
    """

    def __init__(self, pixels: str, color: ColorTags) -> None:
        self._pixels = pixels
        self._color = color
        self._reformatter = VideoReformatter()
        self._staging = av.VideoFrame(0, 0, "bgr24")

    def __call__(self, image: Image) -> av.VideoFrame:
        """A new frame with the picture of `image`, BGR uint8 `[height, width, 3]`."""
        if self._pixels == "bgr24":
            return av.VideoFrame.from_ndarray(image, format="bgr24")
        self._stage(image)
        if self._pixels.startswith(("bgr", "rgb")):
            return self._reformatter.reformat(self._staging, format=self._pixels, threads=1)
        return self._reformatter.reformat(
            self._staging,
            format=self._pixels,
            dst_colorspace=self._color.matrix,
            dst_color_range=self._color.range,
            interpolation=_UNBIASED,
            threads=1,
        )

    def _stage(self, image: Image) -> None:
        """Put an image where swscale can read it, with the alignment and padding it asks for."""
        height, width = image.shape[:2]
        if (self._staging.width, self._staging.height) != (width, height):
            self._staging = av.VideoFrame(width, height, "bgr24")
        np.copyto(_pixels_of(self._staging), image)


def _pixels_of(frame: av.VideoFrame) -> Image:
    """The memory of a frame in "bgr24", `[height, width, 3]`; rows may be apart."""
    plane: Any = frame.planes[0]  # a writable buffer, which its type does not say
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : 3 * frame.width].reshape(frame.height, frame.width, 3)


def is_rgb(frame: av.VideoFrame) -> bool:
    """Whether the frame holds red, green and blue, or their palette, and no luma."""
    return frame.format.is_rgb or frame.format.has_palette


def rotated_size(size: Size, aspect: Fraction, rotation: int) -> tuple[Size, Fraction]:
    """Size and pixel shape of a frame after it was turned by `rotation` degrees."""
    if rotation % 180:
        return size[::-1], 1 / aspect
    return size, aspect

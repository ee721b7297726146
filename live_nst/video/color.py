"""Convert decoded frames to upright BGR images, and images to frames with given color tags.

The numbers of matrices, ranges, primaries and transfer functions are those of ITU-T H.273, which
FFmpeg uses, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from live_nst.types import Image, Size
from live_nst.video.geometry import Orientation
from live_nst.video.tone_mapping import ToneMapper
from live_nst.video.yuv420 import BgrToYuv420

RGB, BT709, UNSPECIFIED, BT470BG, SMPTE170M, BT2020 = 0, 1, 2, 5, 6, 9
LIMITED, FULL = 1, 2
PQ, HLG = 16, 18
_MATRICES = {BT709, 4, BT470BG, SMPTE170M, 7, BT2020}  # those that swscale supports
_HD_LINES = 720

# Without the last two flags swscale rounds down: its output is darker by half a unit of 255.
# AREA averages the pixels that share a color; wider filters blur colors across edges.
_UNBIASED = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP


@dataclass(frozen=True, slots=True)
class ColorTags:
    """How colors are encoded: matrix, range, primaries and transfer function."""

    matrix: int
    range: int
    primaries: int
    transfer: int

    def as_tuple(self) -> tuple[int, int, int, int]:
        """Return matrix, range, primaries and transfer function."""
        return self.matrix, self.range, self.primaries, self.transfer

    @property
    def hdr(self) -> bool:
        """Whether the transfer function is one of high dynamic range (PQ or HLG)."""
        return self.transfer in (PQ, HLG)


def color_tags_of(frame: av.VideoFrame) -> ColorTags:
    """Return the color tags of a frame; missing ones are guessed as players do.

    The guess is limited range, and the matrix of BT.709 from 720 lines on, of BT.601 below.
    """
    guess = BT709 if max(frame.height, frame.width * 9 // 16) >= _HD_LINES else SMPTE170M
    matrix = frame.colorspace if frame.colorspace in _MATRICES else guess
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    return ColorTags(matrix, FULL if full else LIMITED, frame.color_primaries, frame.color_trc)


def output_color_tags(tags: ColorTags, rgb: bool) -> ColorTags:
    """Return the tags of an output: those of the input, except that HDR becomes BT.709.

    Args:
        tags: The input's tags.
        rgb: Whether the output is encoded as RGB.
    """
    if tags.hdr:
        return ColorTags(BT709, LIMITED, BT709, BT709)
    return ColorTags(tags.matrix, LIMITED if rgb else tags.range, tags.primaries, tags.transfer)


class ToBgr:
    """Converts decoded frames to upright images. Not thread-safe: use one per thread.

    Args:
        size: (width, height) of all images; a frame of another size is scaled.
        orientation: How frames become upright.
        new: Returns an image to fill, BGR uint8 of `size`; None to allocate new arrays.
        threads: How many threads convert one frame; 0 for one per core.
    """

    def __init__(
        self,
        size: Size,
        orientation: Orientation,
        new: Callable[[], Image] | None = None,
        *,
        threads: int = 1,
    ) -> None:
        self._stored_size = size[::-1] if orientation.swaps_sides else size
        self._orientation = orientation
        self._new = new or (lambda: np.empty((size[1], size[0], 3), np.uint8))
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._tone_mapper = ToneMapper()

    def __call__(self, frame: av.VideoFrame) -> Image:
        """Return the image of a frame, BGR uint8 `[height, width, 3]`, which the caller owns."""
        tags = color_tags_of(frame)
        if tags.hdr:
            frame = self._tone_mapper(frame, tags.matrix, tags.range)
            tags = color_tags_of(frame)
        options: dict[str, Any] = {}
        if not is_rgb(frame):
            options |= {"src_colorspace": tags.matrix, "src_color_range": tags.range}
        width, height = self._stored_size
        bgr = self._reformatter.reformat(
            frame, width=width, height=height, format="bgr24", threads=self._threads, **options
        )
        image = self._new()
        self._orientation.apply(_pixels_of(bgr), image)
        return image


class FromBgr:
    """Converts images to frames for an encoder. Not thread-safe: use one per thread.

    Args:
        pixels: FFmpeg's name of the encoder's pixel format.
        tags: The color tags of the frames.
    """

    def __init__(self, pixels: str, tags: ColorTags) -> None:
        self._pixels = pixels
        self._tags = tags
        self._reformatter = VideoReformatter()
        self._buffer = av.VideoFrame(0, 0, "bgr24")
        self._to_yuv420 = None
        if pixels == "yuv420p" and BgrToYuv420.supports(tags.matrix, tags.range):
            self._to_yuv420 = BgrToYuv420(tags.matrix, tags.range)

    def __call__(self, image: Image) -> av.VideoFrame:
        """Return a new frame of an image, BGR uint8 `[height, width, 3]`."""
        if self._pixels == "bgr24":
            return av.VideoFrame.from_ndarray(image, format="bgr24")
        if self._to_yuv420 is not None and not image.shape[0] % 2 and not image.shape[1] % 2:
            frame = self._to_yuv420(image)
            frame.colorspace, frame.color_range = self._tags.matrix, self._tags.range
            return frame
        self._fill_buffer(image)
        if self._pixels.startswith(("bgr", "rgb")):
            return self._reformatter.reformat(self._buffer, format=self._pixels, threads=1)
        return self._reformatter.reformat(
            self._buffer,
            format=self._pixels,
            dst_colorspace=self._tags.matrix,
            dst_color_range=self._tags.range,
            interpolation=_UNBIASED,
            threads=1,
        )

    def _fill_buffer(self, image: Image) -> None:
        """Copy an image to memory with the alignment and padding that swscale needs."""
        height, width = image.shape[:2]
        if (self._buffer.width, self._buffer.height) != (width, height):
            self._buffer = av.VideoFrame(width, height, "bgr24")
        np.copyto(_pixels_of(self._buffer), image)


def is_rgb(frame: av.VideoFrame) -> bool:
    """Return whether a frame stores red, green and blue, or a palette of them, and no luma."""
    return frame.format.is_rgb or frame.format.has_palette


def _pixels_of(frame: av.VideoFrame) -> Image:
    """Return a view of a frame in "bgr24", `[height, width, 3]`; its rows may have gaps."""
    plane: Any = frame.planes[0]  # a writable buffer, which its type does not say
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : 3 * frame.width].reshape(frame.height, frame.width, 3)

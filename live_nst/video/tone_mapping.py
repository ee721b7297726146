"""Convert frames of high dynamic range (PQ and HLG) to standard dynamic range (BT.709).

The formulas are in `hdr_colors`. They are computed once, for a grid of colors (`_Tables`). A frame
then costs a few look-ups per pixel, which use that chroma has fewer pixels than luma: `ToneMapper`
explains them.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from live_nst.video.hdr_colors import Floats, peak_of, to_bt709

Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint16]

# The shares of red and blue in the luma of each matrix (ITU-T H.273, table 4).
_LUMA_SHARES: dict[int, tuple[float, float]] = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.FCC: (0.30, 0.11),
    Colorspace.ITU601: (0.299, 0.114),
    6: (0.299, 0.114),  # that of SMPTE 170M, which PyAV has no name for
    Colorspace.SMPTE240M: (0.212, 0.087),
    Colorspace.BT2020: (0.2627, 0.0593),
}

# The grid: so many codes of 10 bits lie between two of its points. Luma is not interpolated.
_LUMA_STEP, _CHROMA_STEP = 8, 16
_LUMA_POINTS, _CHROMA_POINTS = 1024 // _LUMA_STEP, 1024 // _CHROMA_STEP + 1
_LUMA_MASK = 0xFFFF - (_LUMA_STEP - 1)
_ROWS_PER_CODE, _PER_CODE = _CHROMA_POINTS / _LUMA_STEP, 1 / _CHROMA_STEP

_OFFSET = 320  # largest number of codes by which luma is lowered; it is raised by up to 190
_OFFSET_STEP = 2
_LEVELS = 1 << 14  # of luma, for which the offset is computed

# Pixels of chroma that are converted at once, at most. Fewer make more calls. From 49,152 on OpenCV
# divides a call among threads, and those wait in a loop for the next one.
_STRIP = 48 * 960
_OFFSETS = 0x00FF00FF  # where a point of the grid, read as one number, has the offset: twice


@dataclass(frozen=True, slots=True)
class _Tables:
    """The output's colors, for limited range with 10 bits.

    Attributes:
        grid: For each luma and, below one another, each blue-difference; for each red-difference:
            the luma offset, the output's blue-difference, the offset again, and the output's
            red-difference. The offset is what luma has to be raised by for `curve`, plus
            `_OFFSET`, in units of `_OFFSET_STEP`. uint8
            `[_LUMA_POINTS * _CHROMA_POINTS, _CHROMA_POINTS, 4]`.
        curve: The output's luma for each luma plus offset, uint8 `[65536]`.
    """

    grid: Bytes
    curve: Bytes


class ToneMapper:
    """Converts HDR frames to frames of BT.709, full range, 8 bits. Use one per thread.

    Each position of chroma, with the mean of its luma, is a point in the grid of `_Tables`. There
    the output's chroma is read, and an offset, which is zero for gray. Luma plus this offset gives
    the output's luma, by a curve that is exact for gray.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._form = (0, 0, "yuv420p")
        self._output = _new_output(*self._form)
        self._new_planes = _planes(self._output, np.uint8)
        self._buffers = _Buffers(0, 0, 0, 0)

    def __call__(self, frame: av.VideoFrame, matrix: int, color_range: int) -> av.VideoFrame:
        """Return the frame in BT.709, full range, 8 bits. The next call overwrites it.

        Args:
            frame: A frame with the transfer function PQ or HLG.
            matrix: The number of its matrix.
            color_range: The number of its range.
        """
        tables = _tables(frame.color_trc, frame.color_primaries, matrix, peak_of(frame))
        sampling = _chroma_sampling(frame)
        pixels = f"yuv{sampling}p10le"
        if frame.format.name != pixels or color_range != ColorRange.MPEG:
            frame = self._reformatter.reformat(
                frame,
                format=pixels,
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=color_range,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        form = (frame.width, frame.height, f"yuv{sampling}p")
        if form != self._form:
            self._form, self._output = form, _new_output(*form)
            self._new_planes = _planes(self._output, np.uint8)
        self._convert(frame, tables)
        return self._output

    def _convert(self, frame: av.VideoFrame, tables: _Tables) -> None:
        """Fill the output from `frame`, which has its size and chroma sampling."""
        luma, blue, red = _planes(frame, np.uint16)
        new_luma, new_blue, new_red = self._new_planes
        rows, columns = blue.shape
        down, across = -(-luma.shape[0] // rows), -(-luma.shape[1] // columns)
        padding = (rows * down - luma.shape[0], columns * across - luma.shape[1])
        whole = new_luma
        if any(padding):
            luma = cv2.copyMakeBorder(luma, 0, padding[0], 0, padding[1], cv2.BORDER_REPLICATE)
            whole = np.empty(luma.shape, np.uint8)
        if self._buffers.shape != (rows, columns, down, across):
            self._buffers = _Buffers(rows, columns, down, across)
        height = self._buffers.rows
        for top in range(0, rows, height):
            part, luma_part = slice(top, top + height), slice(top * down, (top + height) * down)
            self._buffers.convert(
                (luma[luma_part], blue[part], red[part]),
                (whole[luma_part], new_blue[part], new_red[part]),
                tables,
            )
        if any(padding):
            np.copyto(new_luma, whole[: new_luma.shape[0], : new_luma.shape[1]])


class _Buffers:
    """Converts strips of a plane, of up to `_STRIP` pixels of chroma. Its memory is reused.

    Args:
        rows: Rows of chroma of a plane.
        columns: Pixels of chroma in a row.
        down: Rows of luma in a row of chroma: 1 or 2.
        across: Columns of luma in a column of chroma: 1 or 2.

    Attributes:
        shape: These arguments.
        rows: Rows of chroma of a strip, at most.
    """

    def __init__(self, rows: int, columns: int, down: int, across: int) -> None:
        self.shape = (rows, columns, down, across)
        self.rows = rows = max(1, min(rows, _STRIP // max(1, columns)))
        self._mean = np.empty((rows, columns), np.uint16)
        # Where to read the grid; afterwards the same memory has the luma with its offset.
        self._maps = np.empty(2 * rows * columns, np.float32)
        self._colors = np.empty((rows, columns, 4), np.uint8)
        self._unused = np.empty((rows, columns), np.uint8)

    def convert(
        self,
        planes: tuple[Codes, Codes, Codes],
        output: tuple[Bytes, Bytes, Bytes],
        tables: _Tables,
    ) -> None:
        """Fill `output` from `planes`, both luma, blue-difference and red-difference."""
        luma, blue, red = planes
        rows, (_, columns, down, across) = len(blue), self.shape
        mean, (x, y) = self._mean[:rows], self._maps[: 2 * blue.size].reshape(2, *blue.shape)
        if down * across > 1:
            cv2.resize(luma, (columns, rows), dst=mean, interpolation=cv2.INTER_AREA)
            np.bitwise_and(mean, _LUMA_MASK, out=mean)
        else:
            np.bitwise_and(luma, _LUMA_MASK, out=mean)
        cv2.addWeighted(mean, _ROWS_PER_CODE, blue, _PER_CODE, 0, dst=y, dtype=cv2.CV_32F)
        np.copyto(x, red)  # faster than to convert and to multiply in one call
        np.multiply(x, np.float32(_PER_CODE), out=x)
        colors, unused = self._colors[:rows], self._unused[:rows]
        cv2.remap(tables.grid, x, y, cv2.INTER_LINEAR, dst=colors)
        cv2.split(colors, [unused, output[1], unused, output[2]])
        # The offset in codes, once for each column of luma: two of 16 bits side by side.
        pairs = colors.view(np.uint32)[..., 0]
        np.bitwise_and(pairs, _OFFSETS, out=pairs)
        np.multiply(pairs, _OFFSET_STEP, out=pairs)
        offsets = pairs.view(np.uint16)[:, :: 2 // across]
        shape = (rows, down, columns * across)
        index = self._maps.view(np.uint16)[: luma.size].reshape(shape)
        np.add(luma.reshape(shape), offsets[:, None], out=index)
        cv2.LUT(index.reshape(luma.shape), tables.curve, dst=output[0])


def _new_output(width: int, height: int, pixels: str) -> av.VideoFrame:
    """Return a frame in BT.709 and full range."""
    frame = av.VideoFrame(width, height, pixels)
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.JPEG
    frame.color_primaries, frame.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return frame


def _chroma_sampling(frame: av.VideoFrame) -> str:
    """Return the closest of 4:2:0, 4:2:2 and 4:4:4 that keeps a frame's chroma, without colons."""
    if frame.format.chroma_width(16) == 16:
        return "444"
    return "422" if frame.format.chroma_height(16) == 16 else "420"


def _planes(frame: av.VideoFrame, kind: type[Any]) -> list[NDArray[Any]]:
    """Return views of the planes of a planar frame, `[height, width]`; their rows may have gaps."""
    size = np.dtype(kind).itemsize
    views = []
    for plane in frame.planes:
        memory: Any = plane  # a buffer, which its type does not say
        shape, strides = (plane.height, plane.width), (plane.line_size, size)
        views.append(np.ndarray(shape, kind, memory, strides=strides))
    return views


_building = threading.Lock()  # so that several threads do not build the same


def _tables(transfer: int, primaries: int, matrix: int, peak: float) -> _Tables:
    """Return the tables for frames with these color tags and this peak; see `to_bt709`."""
    with _building:
        return _build_tables(transfer, primaries, matrix, peak)


@lru_cache(maxsize=4)
def _build_tables(transfer: int, primaries: int, matrix: int, peak: float) -> _Tables:
    """Compute the tables; see `_tables`."""
    codes = np.arange(1024)
    grays = np.repeat((codes[:, None] - 64) / 876, 3, 1)
    curve = to_bt709(grays, transfer, primaries, peak)[:, 0]
    # The code of each level of the output. The curve has to increase everywhere to be inverted.
    code_of = np.interp(np.arange(_LEVELS) / (_LEVELS - 1), curve + 1e-9 * codes, codes)
    code_of = code_of.astype(np.float32)
    grid = np.zeros((_LUMA_POINTS, _CHROMA_POINTS, _CHROMA_POINTS, 4), np.uint8)
    luma_codes = ((np.arange(_LUMA_POINTS) + 0.5) * _LUMA_STEP - 0.5).astype(np.float32)
    chroma = (np.arange(_CHROMA_POINTS, dtype=np.float32) * _CHROMA_STEP - 512) / 896
    for start in range(0, _LUMA_POINTS, 8):  # few points at once, which fit into a core's cache
        part = slice(start, start + 8)
        luma, blue, red = np.meshgrid((luma_codes[part] - 64) / 876, chroma, chroma, indexing="ij")
        rgb = _to_rgb(luma, blue, red, *_LUMA_SHARES[matrix]).reshape(-1, 3).astype(np.float32)
        new = to_bt709(rgb, transfer, primaries, peak).reshape(*luma.shape, 3)
        new_luma, new_blue, new_red = _from_rgb(new)
        offset = code_of[_to_levels(new_luma)] - luma_codes[part, None, None]
        grid[part, :, :, ::2] = _to_bytes((offset + _OFFSET) / _OFFSET_STEP)[..., None]
        grid[part, :, :, 1] = _to_bytes(128 + 255 * new_blue)
        grid[part, :, :, 3] = _to_bytes(128 + 255 * new_red)
    inputs = np.clip(np.arange(1 << 16) - _OFFSET, 0, 1023)
    return _Tables(grid.reshape(-1, _CHROMA_POINTS, 4), _to_bytes(255 * curve)[inputs])


def _to_rgb(luma: Floats, blue: Floats, red: Floats, kr: float, kb: float) -> Floats:
    """Return red, green and blue `[..., 3]` of a luma and two color differences (BT.2100-2)."""
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    return np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b], -1)


def _from_rgb(rgb: Floats) -> tuple[Floats, Floats, Floats]:
    """Return luma and the two color differences of BT.709 colors `[..., 3]`."""
    kr, kb = _LUMA_SHARES[Colorspace.ITU709]
    luma = rgb @ np.array([kr, 1 - kr - kb, kb], rgb.dtype)
    return luma, (rgb[..., 2] - luma) / 2 / (1 - kb), (rgb[..., 0] - luma) / 2 / (1 - kr)


def _to_levels(luma: Floats) -> NDArray[np.int32]:
    """Return the closest of `_LEVELS` levels from 0 to 1."""
    levels: NDArray[np.int32] = np.clip(luma * (_LEVELS - 1) + 0.5, 0, _LEVELS - 1).astype(np.int32)
    return levels


def _to_bytes(values: Floats) -> Bytes:
    """Return the closest whole numbers from 0 to 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

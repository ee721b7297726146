"""Convert frames of high dynamic range (PQ and HLG) to standard dynamic range (BT.709).

Every step follows a recommendation of the ITU-R:

1. The inverse OETF and the OOTF of HLG, or the EOTF of PQ, give the light of a display of 1000
   cd/m2, or of the display that a PQ video was graded on (BT.2100-2, tables 4 and 5).
2. The EETF of BT.2390-10, section 5.4.1, compresses what is brighter than the output's white. It
   is applied to the largest of red, green and blue, and all three are scaled alike: the hue stays,
   and no channel clips. White is 203 cd/m2, the reference white of HDR (BT.2408-5, table 1), so
   that faces and landscapes are as bright as in an SDR recording.
3. A matrix converts the primaries. Colors that BT.709 cannot show move toward the gray of the same
   luminance, by a soft limit, so that different colors stay different (BT.2407-0 describes this
   kind of gamut mapping).
4. The inverse of the EOTF of BT.1886 encodes the result.

This is computed once, for a grid of colors (`_Tables`). A frame then costs a few look-ups per
pixel, which use that chroma has fewer pixels than luma: `ToneMapper` explains them.
"""

import struct
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

WHITE = 203.0
"""Luminance in cd/m2 that becomes the white of the output."""

USUAL_PEAK = 1000.0
"""Luminance in cd/m2 of the display that HLG is made for, and PQ without metadata."""

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.uint16]

_PQ_PEAK = 10_000.0
_OUTPUT_GAMMA = 2.4  # of BT.1886
_HLG_GAMMA = 1.2  # of a display of 1000 cd/m2

# Saturation is 0 for gray and 1 at the edge of BT.709. From `_SOFT` on it is compressed, so that
# `_WIDEST`, the most saturated color of BT.2020 (its blue), reaches the edge.
_SOFT, _WIDEST = 0.8, 2.23

# The shares of red and blue in the luma of each matrix (ITU-T H.273, table 4).
_LUMA_SHARES: dict[int, tuple[float, float]] = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.FCC: (0.30, 0.11),
    Colorspace.ITU601: (0.299, 0.114),
    6: (0.299, 0.114),
    Colorspace.SMPTE240M: (0.212, 0.087),
    Colorspace.BT2020: (0.2627, 0.0593),
}

# The chromaticities of red, green and blue; white is D65 (ITU-T H.273, table 2).
_D65 = (0.3127, 0.3290)
_CHROMATICITIES: dict[int, tuple[tuple[float, float], ...]] = {
    ColorPrimaries.BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    ColorPrimaries.BT470BG: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    ColorPrimaries.SMPTE170M: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    ColorPrimaries.SMPTE240M: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    ColorPrimaries.BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    ColorPrimaries.SMPTE432: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}


def pq_to_light(signal: Floats) -> Floats:
    """Return the luminance in cd/m2 of PQ signals from 0 to 1 (BT.2100-2, table 4)."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.clip(signal, 0, 1) ** (1 / m2)
    light: Floats = _PQ_PEAK * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return light


def light_to_pq(light: Floats) -> Floats:
    """Return the PQ signals from 0 to 1 of luminances in cd/m2 (BT.2100-2, table 4)."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.clip(light / _PQ_PEAK, 0, 1) ** m1
    signal: Floats = ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    return signal


def hlg_to_scene(signal: Floats) -> Floats:
    """Return the light of the scene, 0 to 1, of HLG signals from 0 to 1 (BT.2100-2, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.clip(signal, 0, 1)
    scene: Floats = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return scene


def compress_highlights(light: Floats, peak: float) -> Floats:
    """Return luminances from 0 to `peak` as luminances from 0 to `WHITE`, in cd/m2.

    This is the EETF of BT.2390-10, section 5.4.1, for a black level of zero: in PQ, a straight line
    up to a knee and a Hermite spline above it.
    """
    source, white = light_to_pq(np.array([max(peak, WHITE), WHITE])).tolist()
    signal, white = np.clip(light_to_pq(light) / source, 0, 1), white / source
    knee = 1.5 * white - 0.5
    t = np.clip((signal - knee) / max(1 - knee, 1e-9), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * white
    )
    return pq_to_light(np.where(signal < knee, signal, spline) * source)


def peak_of(frame: av.VideoFrame) -> float:
    """Return the luminance in cd/m2 of the brightest pixels that a frame's video may have.

    That of PQ is the maximum content light level (MaxCLL), else the peak of the display that the
    video was graded on (SMPTE ST 2086), else `USUAL_PEAK`; that of HLG is always `USUAL_PEAK`.
    """
    if frame.color_trc != ColorTrc.SMPTE2084:
        return USUAL_PEAK
    values = []
    for data in frame.side_data:
        # AVContentLightMetadata: MaxCLL, MaxFALL. AVMasteringDisplayMetadata: eight chromaticities,
        # the smallest and the largest luminance as ratios, two flags.
        if data.type == SideDataType.CONTENT_LIGHT_LEVEL:
            values.append((0, float(struct.unpack_from("=I", bytes(data))[0])))
        elif data.type == SideDataType.MASTERING_DISPLAY_METADATA:
            value, unit, _, given = struct.unpack_from("=4i", bytes(data), 72)
            values.append((1, value / unit if given and unit > 0 else 0.0))
    peak = next((value for _, value in sorted(values) if value > 0), USUAL_PEAK)
    return float(round(min(max(peak, WHITE), _PQ_PEAK)))


def to_bt709(
    rgb: Floats,
    transfer: int = ColorTrc.ARIB_STD_B67,
    primaries: int = ColorPrimaries.BT2020,
    peak: float = USUAL_PEAK,
) -> Floats:
    """Return HDR colors as colors of BT.709.

    Args:
        rgb: Encoded red, green and blue, 0 to 1, `[..., 3]`.
        transfer: The number of the transfer function, that of PQ or of HLG.
        primaries: The number of the primaries; unknown ones are taken as those of BT.2020.
        peak: Luminance in cd/m2 that the tone curve maps to white; see `peak_of`.

    Returns:
        Encoded red, green and blue, 0 to 1, `[..., 3]`.
    """
    to_xyz = _rgb_to_xyz(primaries).astype(rgb.dtype)
    if transfer == ColorTrc.SMPTE2084:
        light = pq_to_light(rgb)
    else:
        scene = hlg_to_scene(rgb)
        luminance = np.maximum(scene @ to_xyz[1], 1e-9)[..., None]
        light = USUAL_PEAK * luminance ** (_HLG_GAMMA - 1) * scene
    linear = light @ (np.linalg.inv(_rgb_to_xyz(ColorPrimaries.BT709)) @ to_xyz).T.astype(rgb.dtype)
    linear = _limit_saturation(linear)
    brightest = np.maximum(linear.max(-1, keepdims=True), 1e-6)
    linear = linear * (compress_highlights(brightest, peak) / brightest / WHITE)
    encoded: Floats = np.clip(linear, 0, 1) ** (1 / _OUTPUT_GAMMA)
    return encoded


def _limit_saturation(linear: Floats) -> Floats:
    """Return linear BT.709 colors `[..., 3]` without negative values.

    Colors move along the line to the gray of the same luminance. Saturation is the distance from
    that gray, divided by the distance of the point where the line leaves BT.709.
    """
    luminances = _rgb_to_xyz(ColorPrimaries.BT709)[1].astype(linear.dtype)
    gray = np.maximum(linear @ luminances, 1e-6)[..., None]
    saturation = np.maximum((gray - linear.min(-1, keepdims=True)) / gray, 1e-9)
    above = np.clip(saturation - _SOFT, 0, _WIDEST - _SOFT)
    bend = 1 / (1 - _SOFT) - 1 / (_WIDEST - _SOFT)
    limited = np.minimum(saturation, _SOFT) + above / (1 + above * bend)
    moved: Floats = gray + (linear - gray) * (limited / saturation)
    return moved


def _rgb_to_xyz(primaries: int) -> Floats:
    """Return the matrix from linear RGB with these primaries and white D65 to XYZ, `[3, 3]`."""
    known = _CHROMATICITIES.get(primaries, _CHROMATICITIES[ColorPrimaries.BT2020])
    xy = np.array([*known, _D65])
    xyz = np.column_stack([xy, 1 - xy.sum(1)]) / xy[:, 1:]
    matrix: Floats = xyz[:3].T * np.linalg.solve(xyz[:3].T, xyz[3])
    return matrix


# The grid: so many codes of 10 bits lie between two of its points. Luma is not interpolated.
_LUMA_SHIFT, _CHROMA_STEP = 3, 16
_LUMA_STEP = 1 << _LUMA_SHIFT
_LUMA_POINTS, _CHROMA_POINTS = 1024 // _LUMA_STEP, 1024 // _CHROMA_STEP + 1
_PER_CODE = np.float32(1 / _CHROMA_STEP)

_OFFSET = 320  # largest number of codes by which luma is lowered; it is raised by up to 190
_OFFSET_STEP = 2

_STRIP = 32  # rows of chroma that are converted at once: they fit into a core's cache


@dataclass(frozen=True, slots=True)
class _Tables:
    """The output's colors, for limited range with 10 bits.

    Attributes:
        grid: For each luma and, below one another, each blue-difference; for each red-difference:
            the output's blue-difference and red-difference, and the luma offset. This is what luma
            has to be raised by for `curve`, plus `_OFFSET`, in units of `_OFFSET_STEP`. uint8
            `[_LUMA_POINTS * _CHROMA_POINTS, _CHROMA_POINTS, 4]`; the last channel is not used.
        curve: The output's luma for each luma plus offset, uint8 `[65536]`.
    """

    grid: NDArray[np.uint8]
    curve: NDArray[np.uint8]


class ToneMapper:
    """Converts HDR frames to frames of BT.709, full range, 8 bits. Use one per thread.

    At each position of chroma the mean of luma, and chroma, give a point in the grid of `_Tables`.
    There the output's chroma is read, and an offset for luma. The offset is zero for gray. It is
    added to luma before the output's luma is read from a curve that is exact for gray.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._output = av.VideoFrame(0, 0, "yuv420p")
        self._buffers = _Buffers(0, 0, 0)

    def __call__(self, frame: av.VideoFrame, matrix: int, color_range: int) -> av.VideoFrame:
        """Return the frame in BT.709, full range, 8 bits. The next call overwrites it.

        Args:
            frame: A frame with the transfer function PQ or HLG.
            matrix: The number of its matrix.
            color_range: The number of its range.
        """
        key = (int(frame.color_trc), int(frame.color_primaries), matrix, peak_of(frame))
        tables = _tables(*key)
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
        size = frame.width, frame.height
        if (self._output.width, self._output.height, self._output.format.name) != (
            *size,
            f"yuv{sampling}p",
        ):
            self._output = av.VideoFrame(*size, f"yuv{sampling}p")
            self._output.colorspace, self._output.color_range = Colorspace.ITU709, ColorRange.JPEG
            self._output.color_primaries = ColorPrimaries.BT709
            self._output.color_trc = ColorTrc.BT709
        self._convert(frame, self._output, tables)
        return self._output

    def _convert(self, frame: av.VideoFrame, output: av.VideoFrame, tables: _Tables) -> None:
        """Fill `output` from `frame`, which have the same size and chroma sampling."""
        luma, blue, red = (_plane(frame, index, np.uint16) for index in range(3))
        new_luma, new_blue, new_red = (_plane(output, index, np.uint8) for index in range(3))
        rows, columns = blue.shape
        down, across = -(-luma.shape[0] // rows), -(-luma.shape[1] // columns)
        padding = (rows * down - luma.shape[0], columns * across - luma.shape[1])
        whole = new_luma
        if any(padding):
            luma = cv2.copyMakeBorder(luma, 0, padding[0], 0, padding[1], cv2.BORDER_REPLICATE)
            whole = np.empty(luma.shape, np.uint8)
        if self._buffers.shape != (columns, down, across):
            self._buffers = _Buffers(columns, down, across)
        for top in range(0, rows, _STRIP):
            part, luma_part = slice(top, top + _STRIP), slice(top * down, (top + _STRIP) * down)
            self._buffers.convert(
                (luma[luma_part], blue[part], red[part]),
                (whole[luma_part], new_blue[part], new_red[part]),
                tables,
            )
        if any(padding):
            np.copyto(new_luma, whole[: new_luma.shape[0], : new_luma.shape[1]])


class _Buffers:
    """Converts strips of `_STRIP` rows of chroma, or less. Its memory is reused.

    Args:
        columns: Pixels of chroma in a row.
        down: Rows of luma in a row of chroma: 1 or 2.
        across: Columns of luma in a column of chroma: 1 or 2.
    """

    def __init__(self, columns: int, down: int, across: int) -> None:
        self.shape = (columns, down, across)
        self._mean = np.empty((_STRIP, columns), np.uint16)
        self._x = np.empty((_STRIP, columns), np.float32)
        self._y = np.empty((_STRIP, columns), np.float32)
        self._colors = np.empty((_STRIP, columns, 4), np.uint8)
        self._unused = np.empty((_STRIP, columns), np.uint8)
        self._offset = np.empty((_STRIP, columns), np.uint8)
        self._wide = np.empty((_STRIP, columns), np.uint32 if across == 2 else np.uint16)
        self._index = np.empty((_STRIP, down, columns * across), np.uint16)

    def convert(
        self,
        planes: tuple[Codes, Codes, Codes],
        output: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]],
        tables: _Tables,
    ) -> None:
        """Fill `output` from `planes`, both luma, blue-difference and red-difference."""
        luma, blue, red = planes
        rows, (columns, down, across) = len(blue), self.shape
        mean, x, y = self._mean[:rows], self._x[:rows], self._y[:rows]
        if down * across > 1:
            cv2.resize(luma, (columns, rows), dst=mean, interpolation=cv2.INTER_AREA)
            np.right_shift(mean, _LUMA_SHIFT, out=mean)
        else:
            np.right_shift(luma, _LUMA_SHIFT, out=mean)
        np.multiply(mean, _CHROMA_POINTS, out=mean)
        np.multiply(blue, _PER_CODE, out=x)
        np.copyto(y, mean)
        np.add(y, x, out=y)
        np.multiply(red, _PER_CODE, out=x)
        colors, offset = self._colors[:rows], self._offset[:rows]
        cv2.remap(tables.grid, x, y, cv2.INTER_LINEAR, dst=colors)
        cv2.split(colors, [output[1], output[2], offset, self._unused[:rows]])
        # The offset in codes, once for each column of luma: two of 16 bits side by side.
        wide, index = self._wide[:rows], self._index[:rows]
        np.copyto(wide, offset)
        np.multiply(wide, _OFFSET_STEP * (0x10001 if across == 2 else 1), out=wide)
        shape = (rows, down, columns * across)
        np.add(luma.reshape(shape), wide.view(np.uint16)[:, None], out=index)
        cv2.LUT(index.reshape(luma.shape), tables.curve, dst=output[0])


def _chroma_sampling(frame: av.VideoFrame) -> str:
    """Return the closest of 4:2:0, 4:2:2 and 4:4:4 that keeps a frame's chroma, without colons."""
    if frame.format.chroma_width(16) == 16:
        return "444"
    return "422" if frame.format.chroma_height(16) == 16 else "420"


def _plane(frame: av.VideoFrame, index: int, kind: type[Any]) -> NDArray[Any]:
    """Return a view of a plane of a planar frame, `[height, width]`; its rows may have gaps."""
    plane: Any = frame.planes[index]
    rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // np.dtype(kind).itemsize)
    return rows[: plane.height, : plane.width]


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
    luma_codes = (np.arange(_LUMA_POINTS) + 0.5) * _LUMA_STEP - 0.5
    chroma_codes = np.arange(_CHROMA_POINTS) * float(_CHROMA_STEP)
    luma, blue, red = np.meshgrid(
        (luma_codes - 64) / 876, (chroma_codes - 512) / 896, (chroma_codes - 512) / 896,
        indexing="ij",
    )
    rgb = _to_rgb(luma, blue, red, *_LUMA_SHARES[matrix]).astype(np.float32)
    luma, blue, red = _from_rgb(to_bt709(rgb, transfer, primaries, peak))
    # The curve has to increase everywhere for `np.interp` to invert it.
    offset = np.interp(luma, curve + 1e-9 * codes, codes) - luma_codes[:, None, None]
    channels = [
        128 + 255 * blue, 128 + 255 * red, (offset + _OFFSET) / _OFFSET_STEP, np.zeros_like(offset)
    ]
    grid = _to_bytes(np.stack(channels, -1)).reshape(-1, _CHROMA_POINTS, 4)
    inputs = np.clip(np.arange(1 << 16) - _OFFSET, 0, 1023)
    return _Tables(grid, _to_bytes(255 * curve)[inputs])


def _to_rgb(luma: Floats, blue: Floats, red: Floats, kr: float, kb: float) -> Floats:
    """Return red, green and blue `[..., 3]` of a luma and two color differences (BT.2100-2)."""
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    return np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b], -1)


def _from_rgb(rgb: Floats) -> tuple[Floats, Floats, Floats]:
    """Return luma and the two color differences of BT.709 colors `[..., 3]`."""
    kr, kb = _LUMA_SHARES[Colorspace.ITU709]
    luma = rgb @ np.array([kr, 1 - kr - kb, kb], rgb.dtype)
    return luma, (rgb[..., 2] - luma) / 2 / (1 - kb), (rgb[..., 0] - luma) / 2 / (1 - kr)


def _to_bytes(values: Floats) -> NDArray[np.uint8]:
    """Return the closest whole numbers from 0 to 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

"""Convert the colors of high dynamic range (PQ and HLG) to those of BT.709.

Every step follows a recommendation of the ITU-R:

1. The inverse OETF and the OOTF of HLG, or the EOTF of PQ, give the light of a display of 1000
   cd/m2, or of the display that a PQ video was graded on (BT.2100-2, tables 4 and 5).
2. A matrix converts the primaries. Colors that BT.709 cannot show move toward the gray of the same
   luminance, by a soft limit, so that different colors stay different (BT.2407-0 describes this
   kind of gamut mapping).
3. A curve like the EETF of BT.2390-10, section 5.4.1, compresses what is brighter than the
   output's white; see `compress_highlights`. It is applied to the largest of red, green and blue,
   and all three are scaled alike: the hue stays, and no channel clips. White is 203 cd/m2, the
   reference white of HDR (BT.2408-5, table 1), so that faces and landscapes are as bright as in an
   SDR recording.
4. The inverse of the EOTF of BT.1886 encodes the result.
"""

import struct
from functools import lru_cache
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

WHITE = 203.0
"""Luminance in cd/m2 that becomes the white of the output."""

USUAL_PEAK = 1000.0
"""Luminance in cd/m2 of the display that HLG is made for, and PQ without metadata."""

Floats = NDArray[np.floating[Any]]
_PQ_PEAK = 10_000.0
_OUTPUT_GAMMA = 2.4  # of BT.1886
_HLG_GAMMA = 1.2  # of a display of 1000 cd/m2

_GAINS, _LARGEST = 1 << 14, 3 * _PQ_PEAK  # points of the table of gains; cd/m2 at its end

# Saturation is 0 for gray and 1 at the edge of BT.709. From `_SOFT` on it is compressed, so that
# `_WIDEST`, the most saturated color of BT.2020 (its blue), reaches the edge.
_SOFT, _WIDEST = 0.8, 2.23

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
    up to a knee and a Hermite spline above it. BT.2390 puts the knee at 1.5 * white - 0.5 and ends
    the spline flat, so that with 8 bits everything above 600 cd/m2 would be white. Here the knee is
    lower, and the spline ends with the steepest slope with which it still bends only downward.
    """
    source, white = light_to_pq(np.array([max(peak, WHITE), WHITE])).tolist()
    signal, white = np.clip(light_to_pq(light) / source, 0, 1), white / source
    knee = 1.75 * white - 0.75
    end_slope = 1 / 7
    t = np.clip((signal - knee) / max(1 - knee, 1e-9), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * white
        + (t**3 - t**2) * (1 - knee) * end_slope
    )
    return pq_to_light(np.where(signal < knee, signal, spline) * source)


def peak_of(frame: av.VideoFrame) -> float:
    """Return the luminance in cd/m2 of the brightest pixels that a frame's video may have.

    That of PQ is the maximum content light level (MaxCLL), else the peak of the display that the
    video was graded on (SMPTE ST 2086), else `USUAL_PEAK`; that of HLG is always `USUAL_PEAK`.
    """
    if frame.color_trc != ColorTrc.SMPTE2084:
        return USUAL_PEAK
    try:
        # `frame.side_data` would keep the frame in memory until the garbage collector runs.
        container: Any = SideDataContainer  # its type does not tell its argument
        side_data = container(frame)
    except ValueError:  # PyAV does not know all kinds of side data, and then gives none
        return USUAL_PEAK
    peak = 0.0
    if (content := side_data.get("CONTENT_LIGHT_LEVEL")) is not None:
        (peak,) = struct.unpack_from("=I", bytes(content))  # AVContentLightMetadata.MaxCLL
    display = side_data.get("MASTERING_DISPLAY_METADATA")
    if not peak and display is not None:
        # AVMasteringDisplayMetadata: behind eight chromaticities and the smallest luminance, which
        # are fractions, comes the largest one, and whether each of both groups is given.
        value, unit, _, given = struct.unpack_from("=4i", bytes(display), 72)
        peak = value / unit if given and unit > 0 else 0.0
    if peak <= 0:
        return USUAL_PEAK
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
    # Much faster than `max` along an axis of three.
    brightest = np.maximum(np.maximum(linear[..., :1], linear[..., 1:2]), linear[..., 2:])
    brightest = np.maximum(brightest, 1e-6)
    linear = linear * _highlight_gains(brightest, peak)
    encoded: Floats = np.clip(linear, 0, 1) ** (1 / _OUTPUT_GAMMA)
    return encoded


def _highlight_gains(light: Floats, peak: float) -> Floats:
    """Return by what luminances are multiplied to compress them and to make white 1.

    This is `compress_highlights` from a table, which is ten times as fast.
    """
    table = _gain_table(peak)
    index = np.sqrt(light * (len(table) ** 2 / _LARGEST))
    gains: Floats = table[np.minimum(index, len(table) - 1).astype(np.int32)]
    return gains.astype(light.dtype)


@lru_cache(maxsize=4)
def _gain_table(peak: float) -> Floats:
    """Return the gains of luminances up to `_LARGEST`, of which dark ones lie closer together."""
    light = _LARGEST * ((np.arange(_GAINS) + 0.5) / _GAINS) ** 2
    gains: Floats = compress_highlights(light, peak) / light / WHITE
    return gains


def _limit_saturation(linear: Floats) -> Floats:
    """Return linear BT.709 colors `[..., 3]` without negative values.

    Colors move along the line to the gray of the same luminance. Saturation is the distance from
    that gray, divided by the distance of the point where the line leaves BT.709.
    """
    luminances = _rgb_to_xyz(ColorPrimaries.BT709)[1].astype(linear.dtype)
    gray = np.maximum(linear @ luminances, 1e-6)[..., None]
    smallest = np.minimum(np.minimum(linear[..., :1], linear[..., 1:2]), linear[..., 2:])
    saturation = np.maximum((gray - smallest) / gray, 1e-9)
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

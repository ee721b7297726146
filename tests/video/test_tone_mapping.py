"""HDR frames as `ToBgr` shows them, against the formulas of `hdr_reference`."""

import av
import numpy as np
import pytest

from live_nst.video.color import BT2020, FULL, HLG, LIMITED, PQ, ToBgr
from live_nst.video.geometry import Orientation
from tests.video import hdr_reference

NAMES = {HLG: "HLG", PQ: "PQ"}
COLORS = [  # encoded BT.2020 of HLG; PQ takes three quarters of them, as its peak is at 0.75
    (0.05, 0.05, 0.05),
    (0.38, 0.38, 0.38),
    (0.75, 0.75, 0.75),
    (0.95, 0.95, 0.95),
    (0.52, 0.44, 0.38),  # skin
    (0.45, 0.55, 0.72),  # sky
    (0.33, 0.42, 0.22),  # grass
    (0.90, 0.85, 0.60),  # a lamp
    (0.80, 0.30, 0.25),
    (0.25, 0.70, 0.30),
    (0.20, 0.25, 0.80),
    (0.15, 0.10, 0.08),
]


def signal_of(color: hdr_reference.Color, transfer: int) -> hdr_reference.Color:
    red, green, blue = (value * (1 if transfer == HLG else 0.75) for value in color)
    return red, green, blue


def hdr_frame(
    codes: np.ndarray, transfer: int, pixels: str = "yuv420p10le", full: bool = False
) -> av.VideoFrame:
    """A frame of Y, Cb and Cr in limited range with 10 bits, `[height, width, 3]`."""
    height, width = codes.shape[:2]
    frame = av.VideoFrame(width, height, "yuv444p10le")
    for plane, values in zip(frame.planes, np.moveaxis(codes, -1, 0), strict=True):
        rows = np.zeros((height, plane.line_size // 2), "<u2")
        rows[:, :width] = values
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = BT2020, LIMITED
    # With several threads, swscale sometimes writes wrong pixels where two of them meet.
    frame = frame.reformat(
        format=pixels, dst_colorspace=BT2020, dst_color_range=FULL if full else LIMITED, threads=1
    )
    frame.colorspace, frame.color_range = BT2020, FULL if full else LIMITED
    frame.color_primaries, frame.color_trc = BT2020, transfer
    return frame


def patches(transfer: int) -> np.ndarray:
    """Codes of squares of 16 pixels, one for each color, side by side."""
    codes = [hdr_reference.codes(signal_of(color, transfer)) for color in COLORS]
    return np.array([codes]).repeat(16, 0).repeat(16, 1)


def shown(frame: av.VideoFrame) -> np.ndarray:
    """RGB in the center of each square of `patches`."""
    image = ToBgr((frame.width, frame.height), Orientation())(frame)
    return image[8, 8::16, ::-1].astype(int)


@pytest.mark.parametrize("transfer", NAMES)
@pytest.mark.parametrize(
    ("pixels", "full"),
    [
        ("yuv420p10le", False),
        ("yuv420p10le", True),
        ("yuv422p10le", False),
        ("yuv444p10le", False),
        ("yuv444p12le", False),
        ("p010le", False),
        ("gbrp10le", True),
    ],
)
def test_hdr_colors(transfer: int, pixels: str, full: bool) -> None:
    result = shown(hdr_frame(patches(transfer), transfer, pixels, full))
    signals = [signal_of(color, transfer) for color in COLORS]
    expected = [[255 * v for v in hdr_reference.sdr(s, NAMES[transfer])] for s in signals]
    error = np.abs(result - expected).max(1)
    assert error[:4].max() <= 2  # grays
    assert error.max() <= 5
    assert error.mean() <= 2.5


@pytest.mark.parametrize("transfer", NAMES)
def test_hdr_ramp_does_not_clip(transfer: int) -> None:
    """Gray from black to the peak follows the formulas, never decreases, and does not clip."""
    last = 940 if transfer == HLG else round(64 + 876 * hdr_reference.pq_inverse_eotf(1000))
    levels = np.arange(64, last + 1)
    codes = np.full((16, len(levels), 3), 512)
    codes[..., 0] = levels
    result = ToBgr((len(levels), 16), Orientation())(hdr_frame(codes, transfer))[8].astype(int)
    signals = (levels - 64) / 876
    expected = [255 * hdr_reference.sdr((v, v, v), NAMES[transfer])[0] for v in signals]
    assert np.abs(result - np.array(expected)[:, None]).max() <= 1.6
    assert np.diff(result[:, 1]).min() >= 0
    assert (result == 255).all(1).mean() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (33, 35), (161, 90), (64, 131), (100, 66)])
@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv422p10le", "yuv444p10le"])
def test_hdr_of_any_size(size: tuple[int, int], pixels: str) -> None:
    codes = np.tile(np.array(hdr_reference.codes((0.52, 0.44, 0.38))), (size[1], size[0], 1))
    image = ToBgr(size, Orientation())(hdr_frame(codes, HLG, pixels))
    expected = [255 * value for value in hdr_reference.sdr((0.52, 0.44, 0.38), "HLG")][::-1]
    assert image.shape == (size[1], size[0], 3)
    assert np.abs(image - np.array(expected)).max() <= 3


def test_hdr_sizes_may_change() -> None:
    to_bgr = ToBgr((64, 48), Orientation())
    for size in ((64, 48), (32, 24), (640, 480), (64, 48)):
        codes = np.tile(np.array(hdr_reference.codes((0.5, 0.5, 0.5))), (size[1], size[0], 1))
        image = to_bgr(hdr_frame(codes, HLG))
        assert image.shape == (48, 64, 3)
        assert np.ptp(image) <= 3  # of swscale


def test_hdr_edges_stay_sharp() -> None:
    """A column of one pixel differs from its neighbors although both share their chroma."""
    codes = np.full((32, 32, 3), 512)
    codes[..., 0] = 300
    codes[:, 10, 0] = 800
    image = ToBgr((32, 32), Orientation())(hdr_frame(codes, HLG)).astype(int)
    bright, dark = ((code - 64) / 876 for code in (800, 300))
    expected = [255 * hdr_reference.sdr((v, v, v), "HLG")[0] for v in (dark, bright, dark)]
    assert np.abs(image[16, 9:12] - np.array(expected)[:, None]).max() <= 2

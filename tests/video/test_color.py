from typing import Any

import av
import numpy as np
import pytest

from live_nst.video.color import (
    BT709,
    BT2020,
    FULL,
    HLG,
    LIMITED,
    PQ,
    SMPTE170M,
    UNSPECIFIED,
    ColorTags,
    FromBgr,
    ToBgr,
    color_tags_of,
    output_color_tags,
)
from live_nst.video.geometry import Orientation

BT601_WEIGHTS, BT709_WEIGHTS = (0.299, 0.114), (0.2126, 0.0722)
"""Luma weights of red and blue in ITU-R BT.601 and BT.709."""


def yuv_frame(
    size: tuple[int, int], yuv: tuple[int, int, int], pixels: str = "yuv420p"
) -> av.VideoFrame:
    """A frame of one color, without tags."""
    frame = av.VideoFrame(*size, pixels)
    for plane, value in zip(frame.planes, yuv, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def expected_bgr(
    yuv: tuple[int, int, int], weights: tuple[float, float], full: bool = False
) -> list[float]:
    """BGR of a YCbCr color, by the formulas of ITU-R BT.601 and BT.709."""
    kr, kb = weights
    y = yuv[0] / 255 if full else (yuv[0] - 16) / 219
    cb, cr = ((value - 128) / (255 if full else 224) for value in yuv[1:])
    r, b = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    g = (y - kr * r - kb * b) / (1 - kr - kb)
    return [255 * min(max(value, 0.0), 1.0) for value in (b, g, r)]


YUV = (120, 90, 100)


@pytest.mark.parametrize(
    ("size", "weights"),
    [
        ((720, 576), BT601_WEIGHTS),
        ((1024, 576), BT601_WEIGHTS),
        ((1280, 720), BT709_WEIGHTS),
        ((720, 1280), BT709_WEIGHTS),
        ((1280, 534), BT709_WEIGHTS),
    ],
    ids=["DVD", "wide DVD", "HD", "upright HD", "HD without its black bars"],
)
def test_to_bgr_guesses_the_matrix(size: tuple[int, int], weights: tuple[float, float]) -> None:
    image = ToBgr(size, Orientation())(yuv_frame(size, YUV))
    assert image.shape == (size[1], size[0], 3)
    assert image[8, 8].tolist() == pytest.approx(expected_bgr(YUV, weights), abs=2.5)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(
    ("matrix", "weights"), [(BT709, BT709_WEIGHTS), (SMPTE170M, BT601_WEIGHTS)]
)
def test_to_bgr_obeys_tags(matrix: int, weights: tuple[float, float], full: bool) -> None:
    frame = yuv_frame((64, 48), YUV)
    frame.colorspace, frame.color_range = matrix, FULL if full else LIMITED
    image = ToBgr((64, 48), Orientation())(frame)
    assert image[8, 8].tolist() == pytest.approx(expected_bgr(YUV, weights, full), abs=2.5)


def test_to_bgr_of_motion_jpeg_has_the_full_range() -> None:
    image = ToBgr((64, 48), Orientation())(yuv_frame((64, 48), (255, 128, 128), "yuvj420p"))
    assert image.min() >= 254


def test_to_bgr_keeps_rgb() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
    np.testing.assert_array_equal(ToBgr((64, 48), Orientation())(frame), pixels)


def test_to_bgr_scales_and_rotates() -> None:
    frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
    assert ToBgr((96, 128), Orientation(90))(frame).shape == (128, 96, 3)


def test_to_bgr_fills_the_given_image() -> None:
    own = np.empty((48, 64, 3), np.uint8)
    frame = yuv_frame((64, 48), (235, 128, 128))
    assert ToBgr((64, 48), Orientation(), lambda: own)(frame) is own
    assert own.min() >= 254


@pytest.mark.parametrize("transfer", [HLG, PQ], ids=["HLG", "PQ"])
def test_to_bgr_of_hdr(transfer: int) -> None:
    """Gray stays gray and gets brighter with the signal."""
    to_bgr = ToBgr((64, 48), Orientation())
    levels = []
    for signal in (64, 300, 500, 700):  # of 64 to 940
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, value in zip(frame.planes, (signal, 512, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, value, "<u2").tobytes())
        frame.colorspace, frame.color_range = BT2020, LIMITED
        frame.color_primaries, frame.color_trc = BT2020, transfer
        pixel = to_bgr(frame)[8, 8].astype(int)
        assert np.ptp(pixel) <= 3
        levels.append(pixel.mean())
    assert levels[0] <= 2
    assert levels == sorted(levels)
    assert levels[3] > 200


def test_color_tags_of_untagged_frames() -> None:
    assert color_tags_of(yuv_frame((64, 48), YUV)).as_tuple() == (
        SMPTE170M, LIMITED, UNSPECIFIED, UNSPECIFIED,
    )  # fmt: skip


def test_output_color_tags() -> None:
    tagged = ColorTags(SMPTE170M, FULL, 5, 6)
    assert output_color_tags(tagged, rgb=False) == tagged
    assert output_color_tags(tagged, rgb=True).range == LIMITED
    hdr = output_color_tags(ColorTags(BT2020, LIMITED, BT2020, PQ), rgb=False)
    assert hdr == ColorTags(BT709, LIMITED, BT709, BT709)


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (40, 120, 200), (13, 14, 15)])
def test_from_bgr_and_back(color: tuple[int, int, int]) -> None:
    image: Any = np.full((48, 64, 3), color, np.uint8)
    tags = ColorTags(BT709, LIMITED, BT709, BT709)
    frame = FromBgr("yuv420p", tags)(image)
    frame.colorspace, frame.color_range = BT709, LIMITED
    back = ToBgr((64, 48), Orientation())(frame)
    assert back[8, 8].tolist() == pytest.approx(color, abs=4)


def test_from_bgr_does_not_blur_colors() -> None:
    """Stripes as wide as a color of 4:2:0 get the same colors as whole images of them."""
    from_bgr = FromBgr("yuv420p", ColorTags(BT709, LIMITED, BT709, BT709))
    colors = (200, 60, 40), (40, 60, 200)
    stripes = np.empty((48, 64, 3), np.uint8)
    for number, color in enumerate(colors):
        stripes[:, 2 * number :: 4] = stripes[:, 2 * number + 1 :: 4] = color
    striped = from_bgr(stripes)
    for number, color in enumerate(colors):
        whole = from_bgr(np.full((48, 64, 3), color, np.uint8))
        for plane in (1, 2):
            found = np.frombuffer(striped.planes[plane], np.uint8)[4 + number]
            assert int(found) == pytest.approx(
                np.frombuffer(whole.planes[plane], np.uint8)[0], abs=1
            )

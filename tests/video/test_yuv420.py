from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from live_nst.sources.demo_video import DemoVideo
from live_nst.types import Image
from live_nst.video.color import BT709, BT2020, FULL, LIMITED, SMPTE170M, ColorTags, FromBgr
from live_nst.video.yuv420 import BgrToYuv420

WEIGHTS = {BT709: (0.2126, 0.0722), SMPTE170M: (0.299, 0.114), BT2020: (0.2627, 0.0593)}
"""Luma weights of red and blue in ITU-T H.273, table 4."""


def exact(image: Image, matrix: int, color_range: int) -> list[NDArray[np.float64]]:
    """Y', Cb and Cr by the equations 38 to 46 of ITU-T H.273, not rounded."""
    red, blue = WEIGHTS[matrix]
    b, g, r = np.moveaxis(image / 255, 2, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    half = [
        each.reshape(each.shape[0] // 2, 2, each.shape[1] // 2, 2).mean((1, 3)) for each in (cb, cr)
    ]
    if color_range == FULL:
        return [255 * y, *(128 + 255 * each for each in half)]
    return [16 + 219 * y, *(128 + 224 * each for each in half)]


def planes(frame: Any) -> list[NDArray[np.float64]]:
    return [
        np.frombuffer(plane, np.uint8)
        .reshape(-1, plane.line_size)[: plane.height, : plane.width]
        .astype(np.float64)
        for plane in frame.planes
    ]


def pictures() -> list[Image]:
    random = np.random.default_rng(5)
    with DemoVideo(320, 180) as video:
        return [video.image_at(12.0), random.integers(0, 256, (90, 158, 3), np.uint8)]


@pytest.mark.parametrize("matrix", list(WEIGHTS))
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_equals_the_formulas(matrix: int, color_range: int) -> None:
    for image in pictures():
        found = planes(BgrToYuv420(matrix, color_range)(image))
        for plane, expected in zip(found, exact(image, matrix, color_range), strict=True):
            off = plane - expected.clip(0, 255)
            assert abs(off.mean()) < 0.07
            assert np.abs(off).mean() < 0.3
            assert np.abs(off).max() < 1.0


def test_as_exact_as_swscale() -> None:
    tags = ColorTags(BT709, LIMITED, BT709, BT709)
    scaler = FromBgr("yuv420p", tags)
    scaler._to_yuv420 = None  # what odd sizes take
    for image in pictures():
        truth = exact(image, BT709, LIMITED)
        ours, theirs = planes(FromBgr("yuv420p", tags)(image)), planes(scaler(image))
        for one, other, expected in zip(ours, theirs, truth, strict=True):
            assert np.abs(one - expected).mean() < np.abs(other - expected).mean() + 0.04
            assert np.abs(one - other).max() <= 1


def test_extremes() -> None:
    colors = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    for color in colors:
        image: Image = np.broadcast_to(color, (4, 6, 3)).copy()
        for color_range in (LIMITED, FULL):
            found = planes(BgrToYuv420(BT709, color_range)(image))
            for plane, expected in zip(found, exact(image, BT709, color_range), strict=True):
                assert np.abs(plane - expected.clip(0, 255)).max() <= 0.51


def test_frames_are_new_and_the_image_unchanged() -> None:
    convert = FromBgr("yuv420p", ColorTags(BT709, LIMITED, BT709, BT709))
    one, other = pictures()[0], pictures()[0][::-1].copy()
    kept = one.copy()
    first = convert(one)
    before = planes(first)
    convert(other)
    np.testing.assert_array_equal(one, kept)
    for plane, expected in zip(planes(first), before, strict=True):
        np.testing.assert_array_equal(plane, expected)


def test_sizes_change_and_rows_may_have_gaps() -> None:
    convert = FromBgr("yuv420p", ColorTags(BT709, LIMITED, BT709, BT709))
    for height, width in ((64, 96), (46, 250), (64, 96), (2, 2)):
        image = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
        frame = convert(image[:, ::-1])  # not contiguous, as a mirrored view
        assert (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p")
        assert (frame.colorspace, frame.color_range) == (BT709, LIMITED)
        luma = exact(image[:, ::-1], BT709, LIMITED)[0]
        assert np.abs(planes(frame)[0] - luma).max() < 0.75


def test_odd_sizes_and_other_matrices_go_another_way() -> None:
    assert not BgrToYuv420.supports(2, LIMITED)  # unspecified
    assert not BgrToYuv420.supports(BT709, 0)
    for tags in (ColorTags(BT709, LIMITED, 1, 1), ColorTags(7, LIMITED, 1, 1)):
        frame = FromBgr("yuv420p", tags)(np.zeros((45, 63, 3), np.uint8))
        assert (frame.width, frame.height) == (63, 45)

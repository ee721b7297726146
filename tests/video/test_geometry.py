from fractions import Fraction

import av
import numpy as np
import pytest

from live_nst.runtime.pyav import Ratio
from live_nst.video.geometry import (
    Orientation,
    display_size,
    orientation_of,
    orientation_of_matrix,
    plausible_aspect,
    upright_size,
)

STORED = np.array([[[1], [2], [3]], [[4], [5], [6]]], np.uint8)

# Each matrix with its orientation, and what becomes of STORED.
MATRICES = {
    (1, 0, 0, 1): (Orientation(), [[1, 2, 3], [4, 5, 6]]),
    (0, -1, 1, 0): (Orientation(90), [[3, 6], [2, 5], [1, 4]]),
    (-1, 0, 0, -1): (Orientation(180), [[6, 5, 4], [3, 2, 1]]),
    (0, 1, -1, 0): (Orientation(270), [[4, 1], [5, 2], [6, 3]]),
    (-1, 0, 0, 1): (Orientation(0, mirrored=True), [[3, 2, 1], [6, 5, 4]]),
    (0, 1, 1, 0): (Orientation(90, mirrored=True), [[1, 4], [2, 5], [3, 6]]),
    (1, 0, 0, -1): (Orientation(180, mirrored=True), [[4, 5, 6], [1, 2, 3]]),
    (0, -1, -1, 0): (Orientation(270, mirrored=True), [[6, 3], [5, 2], [4, 1]]),
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_orientation_of_matrix(matrix: tuple[int, int, int, int]) -> None:
    orientation, _ = MATRICES[matrix]
    assert orientation_of_matrix(*matrix) == orientation
    assert orientation_of_matrix(*(65536 * value for value in matrix)) == orientation


def test_orientation_of_matrix_that_also_scales_or_turns_a_little() -> None:
    assert orientation_of_matrix(0, -1, 1.4, 0) == Orientation(90)
    assert orientation_of_matrix(2, 0, 0, -1) == Orientation(180, mirrored=True)
    assert orientation_of_matrix(0.98, 0.17, -0.17, 0.98) == Orientation()


@pytest.mark.parametrize("matrix", [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 1, 1)])
def test_orientation_of_matrix_that_shows_nothing(matrix: tuple[int, int, int, int]) -> None:
    assert orientation_of_matrix(*matrix) == Orientation()


def test_orientation_of_frame_without_matrix() -> None:
    assert orientation_of(av.VideoFrame(64, 48, "yuv420p")) == Orientation()


@pytest.mark.parametrize("matrix", MATRICES)
def test_apply(matrix: tuple[int, int, int, int]) -> None:
    orientation, upright = MATRICES[matrix]
    expected = np.array(upright, np.uint8)
    out = np.zeros((*expected.shape, 1), np.uint8)
    orientation.apply(STORED, out)
    np.testing.assert_array_equal(out[..., 0], expected)
    size, aspect = upright_size((3, 2), Fraction(4, 3), orientation)
    assert size == expected.shape[::-1]
    assert aspect == (Fraction(4, 3) if size == (3, 2) else Fraction(3, 4))


@pytest.mark.parametrize(
    ("ratio", "aspect"),
    [
        (None, 1),
        (Fraction(0), 1),
        (Fraction(64, 45), Fraction(64, 45)),
        (Fraction(1, 5000), 1),
        (Fraction(5000), 1),
    ],
)
def test_plausible_aspect(ratio: Ratio | None, aspect: Fraction) -> None:
    assert plausible_aspect(ratio) == aspect


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((720, 576), Fraction(64, 45), (1024, 576)),
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((640, 480), Fraction(1), (640, 480)),
        ((3840, 2160), Fraction(99), (3840, 22)),
        ((3840, 2160), Fraction(1, 99), (39, 2160)),
        ((20_000, 100), Fraction(1), (20_000, 100)),
    ],
)
def test_display_size(size: tuple[int, int], aspect: Fraction, shown: tuple[int, int]) -> None:
    assert display_size(size, aspect) == shown

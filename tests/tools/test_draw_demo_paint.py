"""The brushes, held to plain NumPy."""

import numpy as np
import pytest

from tools.draw_demo.paint import Sprite, lay, smoothstep, spline, sprite


def some(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def cut_out(width: int, height: int) -> tuple[Sprite, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    color = rng.uniform(0, 255, (height, width, 3)).astype(np.float32)
    mask = rng.uniform(0, 1, (height, width)).astype(np.float32)
    return sprite(color, mask), color, mask


def test_lay() -> None:
    image = some((20, 30, 3), 1)
    before = image.astype(float)
    picture, color, mask = cut_out(8, 6)
    lay(image[5:11, 7:15], picture.layers)
    expected = before.copy()
    expected[5:11, 7:15] += (color - expected[5:11, 7:15]) * mask[..., None]
    assert np.abs(image - expected).max() <= 2
    outside = np.ones((20, 30), bool)
    outside[5:11, 7:15] = False
    np.testing.assert_array_equal(image[outside], before[outside])


@pytest.mark.parametrize(
    "corner", [(-3, -2), (26, 17), (-3, 17), (5, 5), (40, 0), (-8, 0), (0, 20)]
)
def test_blend_crops(corner: tuple[int, int]) -> None:
    picture, _, _ = cut_out(8, 6)
    image, large = some((20, 30, 3), 1), np.zeros((60, 110, 3), np.uint8)
    large[20:40, 40:70] = image
    picture.blend(image, *corner)
    picture.blend(large, corner[0] + 40, corner[1] + 20)
    np.testing.assert_array_equal(image, large[20:40, 40:70])


def test_over() -> None:
    below, _, _ = cut_out(8, 6)
    above = sprite(np.full((6, 8, 3), 200, np.float32), np.full((6, 8), 0.5, np.float32))
    image, same = some((6, 8, 3), 5), some((6, 8, 3), 5)
    lay(image, below.layers)
    lay(image, above.layers)
    lay(same, above.over(below.layers).layers)
    assert np.abs(image.astype(int) - same).max() <= 2


def test_turned() -> None:
    layers = np.zeros((21, 11, 4), np.uint8)
    layers[..., 3] = 255
    layers[0:5, 3:8] = (10, 200, 30, 0)
    turned, left, top = Sprite(layers).turned(90.0, (5, 20))
    image = np.zeros((60, 60, 3), np.uint8)
    turned.blend(image, 30 + left, 30 + top)
    rows, columns = np.nonzero(image[..., 1] > 100)
    # What was above the pivot is on its right.
    assert columns.mean() == pytest.approx(30 + 18, abs=1.5)
    assert rows.mean() == pytest.approx(30, abs=1.5)


@pytest.mark.parametrize("closed", [True, False])
def test_spline(closed: bool) -> None:
    points = [(0.0, 0.0), (4.0, 1.0), (5.0, 5.0), (1.0, 3.0)]
    curve = spline(points, closed=closed, steps=5)
    away = np.abs(curve[:, None] - np.array(points)[None]).max(axis=2).min(axis=0)
    np.testing.assert_allclose(away, 0, atol=1e-6)


def test_smoothstep() -> None:
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0], np.float32)
    np.testing.assert_allclose(smoothstep(0, 1, x), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(smoothstep(1, 0, x), [1, 1, 0.5, 0, 0])

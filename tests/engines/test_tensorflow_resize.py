"""Resizing in a graph, against OpenCV."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from live_nst.engines.tensorflow_resize import area_resize, area_taps, cubic_resize, cubic_taps

RESIZES = [
    ((96, 64), (48, 32)),
    ((96, 64), (32, 16)),
    ((97, 61), (32, 20)),
    ((64, 101), (60, 52)),
    ((640, 360), (384, 216)),
    ((33, 9), (16, 8)),
]


@pytest.mark.parametrize(("source", "target"), RESIZES)
@pytest.mark.parametrize("by_taps", [False, True])
def test_area_resize_equals_opencv(
    source: tuple[int, int], target: tuple[int, int], by_taps: bool
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (source[1], source[0], 3), np.uint8)

    resized = area_resize(tf.constant(image), target, by_taps=by_taps).numpy()

    expected = cv2.resize(image, target, interpolation=cv2.INTER_AREA)
    assert resized.dtype == np.float32
    assert resized.shape == expected.shape
    assert np.abs(resized - expected).max() <= 1


@pytest.mark.parametrize(("source", "target"), [*RESIZES, ((1, 90), (16, 88)), ((5, 5), (16, 16))])
def test_area_resize_by_taps_is_the_same(source: tuple[int, int], target: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (source[1], source[0], 3), np.uint8)

    one, other = (
        area_resize(tf.constant(image), target, by_taps=by_taps).numpy()
        for by_taps in (False, True)
    )

    np.testing.assert_allclose(one, other, rtol=0, atol=0.01)


@settings(deadline=None)  # machines may be busy
@given(st.integers(1, 700), st.integers(1, 700))
def test_area_taps(source: int, target: int) -> None:
    indexes, shares = area_taps(source, target)

    assert indexes.shape == shares.shape
    assert indexes.min() >= 0
    weights = np.zeros((target, source))
    np.add.at(weights, (np.arange(target), indexes), shares)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-4)
    # Every source cell counts as much as any other.
    np.testing.assert_allclose(weights.sum(axis=0), target / source, rtol=1e-3)
    # Nothing is shifted: what a target cell covers lies about its own center.
    centers = weights @ (np.arange(source) + 0.5)
    expected = (np.arange(target) + 0.5) * source / target
    np.testing.assert_allclose(centers, expected, rtol=1e-4, atol=0.5)


def test_area_resize_to_same_size() -> None:
    image = np.random.default_rng(3).integers(0, 256, (8, 12, 3), np.uint8)
    for by_taps in (False, True):
        resized = area_resize(tf.constant(image), (12, 8), by_taps=by_taps)
        np.testing.assert_array_equal(resized, image)


ENLARGEMENTS = [
    ((640, 360), (1280, 720)),
    ((384, 216), (1280, 720)),
    ((48, 32), (97, 61)),
    ((16, 88), (1, 90)),
    ((100, 60), (98, 61)),
    ((96, 64), (96, 64)),
    ((1, 2), (9, 7)),
]


@pytest.mark.parametrize(("source", "target"), ENLARGEMENTS)
@pytest.mark.parametrize("xla", [False, True])
def test_cubic_resize_equals_opencv(
    source: tuple[int, int], target: tuple[int, int], xla: bool
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (source[1], source[0], 3), np.uint8)
    resize = tf.function(cubic_resize, jit_compile=xla)

    resized = resize(tf.constant(image, tf.float32), target).numpy()

    assert resized.dtype == np.float32
    exact = cv2.resize(image.astype(np.float64), target, interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(resized, exact, rtol=0, atol=0.01)
    levels = np.clip(np.floor(resized + 0.5), 0, 255)
    off = np.abs(levels - cv2.resize(image, target, interpolation=cv2.INTER_CUBIC))
    assert off.max() <= 1  # OpenCV computes levels with whole numbers
    assert (off > 0).mean() < (0.005 if off.size > 10_000 else 0.1)


@settings(deadline=None)  # machines may be busy
@given(st.integers(1, 300), st.integers(1, 700))
def test_cubic_taps(source: int, target: int) -> None:
    indexes, weights = cubic_taps(source, target)

    assert indexes.shape == weights.shape == (4, target)
    assert indexes.min() >= 0
    assert indexes.max() < source
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=0, atol=1e-6)
    # Turned around it is the same: nothing is shifted to one side.
    shares = np.zeros((target, source))
    np.add.at(shares, (np.arange(target), indexes), weights)
    np.testing.assert_allclose(shares, shares[::-1, ::-1], rtol=0, atol=1e-5)

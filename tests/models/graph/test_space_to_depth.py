"""Kernels and images in blocks, against NumPy in float64."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.models.graph import space_to_depth
from live_nst.models.graph.space_to_depth import (
    blocks_to_blocks,
    blocks_to_pixels,
    upsampled_to_aligned_blocks,
    upsampled_to_blocks,
    upsampled_transposed,
)


def convolved(x: Any, kernel: Any, stride: int = 1) -> Any:
    """A convolution without padding, written out: `[height, width, channels]` in and out."""
    side = kernel.shape[0]
    height, width = ((n - side) // stride + 1 for n in x.shape[:2])
    result = np.zeros((height, width, kernel.shape[3]))
    for row in range(height):
        for column in range(width):
            y, c = row * stride, column * stride
            result[row, column] = np.tensordot(x[y : y + side, c : c + side], kernel, 3)
    return result


def to_blocks(x: Any) -> Any:
    height, width, channels = x.shape
    split_up = x.reshape(height // 2, 2, width // 2, 2, channels)
    return split_up.transpose(0, 2, 1, 3, 4).reshape(height // 2, width // 2, 4 * channels)


def reflected(x: Any, border: int) -> Any:
    return np.pad(x, ((border, border), (border, border), (0, 0)), "reflect")


def random_case(side: int, channels: tuple[int, int]) -> tuple[Any, Any]:
    random = np.random.default_rng(side)
    kernel = random.normal(size=(side, side, *channels)).astype(np.float32)
    return random.normal(size=(12, 14, channels[0])), kernel


@pytest.mark.parametrize("side", [3, 5, 7, 9, 11])
def test_blocks_to_blocks(side: int) -> None:
    x, kernel = random_case(side, (3, 2))

    blocks, reach = blocks_to_blocks(kernel)
    padded = to_blocks(reflected(x, 2 * reach))

    expected = to_blocks(convolved(reflected(x, side // 2), kernel))
    np.testing.assert_allclose(convolved(padded, blocks), expected, atol=1e-9)


def test_blocks_to_pixels() -> None:
    x, kernel = random_case(3, (3, 2))
    padded = np.pad(to_blocks(x), ((1, 0), (1, 0), (0, 0)), "edge")
    expected = convolved(reflected(x, 1), kernel, stride=2)
    np.testing.assert_allclose(convolved(padded, blocks_to_pixels(kernel)), expected, atol=1e-9)


def test_upsampled_kernels() -> None:
    x, kernel = random_case(3, (3, 2))
    enlarged = x.repeat(2, 0).repeat(2, 1)
    expected = convolved(reflected(enlarged, 1), kernel)
    edged = np.pad(x, ((1, 1), (1, 1), (0, 0)), "edge")

    blocks = convolved(edged, upsampled_to_blocks(kernel))
    height, width, _ = blocks.shape
    pixels = blocks.reshape(height, width, 2, 2, 2).transpose(0, 2, 1, 3, 4)
    cropped = pixels.reshape(2 * height, 2 * width, 2)[1:-1, 1:-1]
    np.testing.assert_allclose(cropped, expected, atol=1e-5)

    aligned = convolved(edged, upsampled_to_aligned_blocks(kernel))
    np.testing.assert_allclose(aligned, to_blocks(expected), atol=1e-5)

    transposed = upsampled_transposed(kernel)
    spread = np.zeros((2 * edged.shape[0] + 2, 2 * edged.shape[1] + 2, 2))
    for row in range(edged.shape[0]):
        for column in range(edged.shape[1]):
            spread[2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += (
                transposed @ edged[row, column]
            )
    np.testing.assert_allclose(spread[3:-3, 3:-3], expected, atol=1e-5)


def image(height: int, width: int, channels: int) -> Any:
    return np.random.default_rng(3).normal(size=(height, width, channels)).astype(np.float32)


@pytest.mark.parametrize("sides", [(12, 16), (8, 10), (10, 8)])
@pytest.mark.parametrize("border", [1, 2, 3])
def test_pad_blocks_by_reflection(sides: tuple[int, int], border: int) -> None:
    x = image(*sides, 5)
    pixels = 2 * border
    expected = to_blocks(np.pad(x, ((pixels, pixels), (pixels, pixels), (0, 0)), "reflect"))
    found = space_to_depth.pad_blocks_by_reflection(tf.constant(to_blocks(x)[None]), border)
    np.testing.assert_array_equal(found[0], expected)


def test_to_blocks_and_back() -> None:
    x = image(6, 10, 3)
    blocks = space_to_depth.to_blocks(tf.constant(x[None]))
    np.testing.assert_array_equal(blocks[0], to_blocks(x))
    np.testing.assert_array_equal(space_to_depth.to_pixels(blocks)[0], x)

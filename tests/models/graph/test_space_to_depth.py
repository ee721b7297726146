"""Pictures in blocks, against NumPy's padding and reshaping of the same pictures."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.models.graph import space_to_depth as layout
from tests.models.graph.test_rewrite import to_blocks


def picture(height: int, width: int, channels: int) -> Any:
    return np.random.default_rng(3).normal(size=(height, width, channels)).astype(np.float32)


@pytest.mark.parametrize("sides", [(12, 16), (8, 10), (10, 8)])
@pytest.mark.parametrize("border", [1, 2, 3])
def test_blocks_are_padded_as_their_picture_is(sides: tuple[int, int], border: int) -> None:
    x = picture(*sides, 5)
    pixels = 2 * border
    expected = to_blocks(np.pad(x, ((pixels, pixels), (pixels, pixels), (0, 0)), "reflect"))
    found = layout.pad_blocks_by_reflection(tf.constant(to_blocks(x)[None]), border)
    np.testing.assert_array_equal(found[0], expected)


def test_to_blocks_and_back() -> None:
    x = picture(6, 10, 3)
    blocks = layout.to_blocks(tf.constant(x[None]))
    np.testing.assert_array_equal(blocks[0], to_blocks(x))
    np.testing.assert_array_equal(layout.to_pixels(blocks)[0], x)

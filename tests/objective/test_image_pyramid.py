"""Levels, sizes, tiles that fit into memory."""

from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.errors import UsageError
from live_nst.objective.image_pyramid import pyramid_sizes, resize_image, resize_mask
from live_nst.objective.tiling import BYTES_PER_PIXEL, choose_tile_side
from tests.objective.conftest import picture


@pytest.mark.parametrize(
    ("size", "levels", "expected"),
    [
        (256, None, [(256, 144)]),
        (512, None, [(256, 144), (512, 288)]),
        (1280, None, [(320, 180), (640, 360), (1280, 720)]),
        (512, 1, [(512, 288)]),
        (512, 4, [(64, 36), (128, 72), (256, 144), (512, 288)]),
    ],
)
def test_pyramid_sizes(size: int, levels: int | None, expected: list[Any]) -> None:
    assert pyramid_sizes((1280, 720), size, levels) == expected


def test_pyramid_sizes_refuses_small_levels() -> None:
    with pytest.raises(UsageError, match="32x4"):
        pyramid_sizes((800, 100), 128, 3)


@given(width=st.integers(1, 60), height=st.integers(1, 60))
def test_resize(width: int, height: int) -> None:
    resized = resize_image(picture(23, 31, 1), (width, height))
    assert resized.shape == (height, width, 3) and resized.dtype == np.uint8
    mask = resize_mask(np.eye(23, 31, dtype=np.float32), (width, height))
    assert mask.shape == (height, width) and mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1


class Memory:
    def __init__(self, available: float) -> None:
        self.available = available


@pytest.fixture
def available(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(number: float) -> None:
        monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(number))

    return give


def test_choose_tile_side(available: Any) -> None:
    available(16e9)
    assert choose_tile_side((1024, 768), 128, "lbfgs", "CPU:0") is None
    available(4e9)
    side = choose_tile_side((2048, 1536), 128, "lbfgs", "CPU:0")
    assert side is not None and 128 <= side < 1000
    assert (side + 256) ** 2 * BYTES_PER_PIXEL < 4e9


def test_choose_tile_side_without_enough_memory(available: Any) -> None:
    available(4e9)
    with pytest.raises(UsageError, match=r"16000x16000 pixels need .* GB") as error:
        choose_tile_side((16000, 16000), 128, "lbfgs", "CPU:0")
    assert "--size" in error.value.hint and "adam" in error.value.hint
    assert choose_tile_side((5000, 3000), 128, "adam", "CPU:0") is not None

"""`Stylizer.still`: pictures at their full size, in tiles when they are large."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from live_nst import stylizer as module
from live_nst.errors import UsageError
from live_nst.sources.demo_scene import DemoScene
from live_nst.stylizer import Stylizer


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def stylizer(said: list[str]) -> Iterator[Stylizer]:
    with Stylizer("mobile", ["starry"], size=64, device="cpu", say=said.append) as one:
        yield one


def scene(width: int, height: int) -> Any:
    return DemoScene(width, height).draw(1.0)


@pytest.mark.parametrize("size", [(120, 80), (101, 67), (7, 5), (1, 1), (300, 3)])
def test_a_still_is_painted_at_its_own_size(stylizer: Stylizer, size: tuple[int, int]) -> None:
    image = scene(*size)
    content, painted = stylizer.still(image)
    assert painted.shape == image.shape
    np.testing.assert_array_equal(content, image)


def test_what_is_added_at_the_edges_is_taken_off_again(stylizer: Stylizer) -> None:
    image = scene(120, 80)
    whole = stylizer.still(image).stylised.astype(int)
    cut = stylizer.still(np.ascontiguousarray(image[:78, :117])).stylised
    # The picture did not move; edges and statistics differ a little.
    assert np.abs(whole[:78, :117] - cut).mean() < 8
    assert np.abs(whole[2:80, 3:120] - cut).mean() > 12


def test_size_bounds_what_the_network_sees(stylizer: Stylizer) -> None:
    content, painted = stylizer.still(scene(300, 144), size=100)
    assert content.shape == painted.shape == (48, 100, 3)
    assert stylizer.still(scene(60, 40), size=100).stylised.shape == (40, 60, 3)
    with pytest.raises(UsageError):
        stylizer.still(scene(300, 150), size=5)


def test_large_ones_run_in_tiles_and_look_the_same(
    stylizer: Stylizer, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(202, 131)
    whole = stylizer.still(image).stylised
    monkeypatch.setattr(module, "WHOLE_PIXELS", 10_000)
    said.clear()
    tiled = stylizer.still(image).stylised
    stylizer.still(image)
    assert tiled.shape == image.shape
    assert np.abs(tiled.astype(int) - whole).mean() < 4  # engines and precisions differ
    (sentence,) = said
    assert "in tiles" in sentence


def test_the_style_is_the_one_in_use(stylizer: Stylizer) -> None:
    image = scene(64, 64)
    first = stylizer.still(image).stylised
    stylizer.select("ink")
    second = stylizer.still(image).stylised
    stylizer.select("starry")
    assert np.abs(first.astype(int) - second).mean() > 10

"""`Stylizer.still`: pictures at their full size, in tiles when they are large."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from live_nst.errors import UsageError
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer import still_network as stills
from live_nst.stylizer.core import StylizerCore


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def stylizer(said: list[str]) -> Iterator[StylizerCore]:
    with StylizerCore("mobile", ["starry"], size=64, device="cpu", notify=said.append) as one:
        yield one


def scene(width: int, height: int) -> Any:
    return DemoVideo(width, height).image_at(1.0)


@pytest.mark.parametrize("size", [(120, 80), (101, 67), (7, 5), (1, 1), (300, 3)])
def test_a_still_is_painted_at_its_own_size(stylizer: StylizerCore, size: tuple[int, int]) -> None:
    image = scene(*size)
    before = image.copy()
    painted = stylizer.still(image)
    assert painted.shape == image.shape
    np.testing.assert_array_equal(image, before)


def test_what_is_added_at_the_edges_is_taken_off_again(stylizer: StylizerCore) -> None:
    image = scene(120, 80)
    whole = stylizer.still(image).astype(int)
    cut = stylizer.still(np.ascontiguousarray(image[:78, :117]))
    # The picture did not move; edges and statistics differ a little.
    assert np.abs(whole[:78, :117] - cut).mean() < 8
    assert np.abs(whole[2:80, 3:120] - cut).mean() > 12


def test_size_bounds_what_the_network_sees(stylizer: StylizerCore) -> None:
    image = scene(300, 144)
    small, full = stylizer.still(image, size=100), stylizer.still(image)
    assert small.shape == full.shape == image.shape
    sharpness = [float(np.abs(np.diff(each.astype(int), axis=1)).mean()) for each in (small, full)]
    assert sharpness[0] < 0.7 * sharpness[1]  # what was painted at 100 is enlarged
    np.testing.assert_array_equal(stylizer.still(image, size=300), full)
    with pytest.raises(UsageError):
        stylizer.still(scene(300, 150), size=5)


def test_large_ones_run_in_tiles_and_look_the_same(
    stylizer: StylizerCore, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(202, 131)
    whole = stylizer.still(image)
    monkeypatch.setattr(stills, "WHOLE_PIXELS", 10_000)
    said.clear()
    tiled = stylizer.still(image)
    stylizer.still(image)
    assert tiled.shape == image.shape
    assert np.abs(tiled.astype(int) - whole).mean() < 4  # engines and precisions differ
    (sentence,) = said
    assert "in tiles" in sentence


def test_the_style_is_the_one_in_use(stylizer: StylizerCore) -> None:
    image = scene(64, 64)
    first = stylizer.still(image)
    stylizer.select("ink")
    second = stylizer.still(image)
    stylizer.select("starry")
    assert np.abs(first.astype(int) - second).mean() > 10


def test_neither_the_stabilizer_nor_another_picture_plays_a_part() -> None:
    one, other = scene(64, 48), scene(64, 48)[::-1].copy()
    with StylizerCore("mobile", ["starry"], size=64, device="cpu", stabilize="fast") as steady:
        first = steady.still(one)
        steady.still(other)
        steady(other)
        np.testing.assert_array_equal(steady.still(one), first)


def test_the_look_holds(stylizer: StylizerCore) -> None:
    image = scene(64, 48)
    stylizer.strength = 0.0
    np.testing.assert_array_equal(stylizer.still(image), image)
    stylizer.strength = 1.0

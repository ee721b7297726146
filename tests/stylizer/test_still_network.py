"""`Stylizer.still`: images at their full size, in tiles if they are large."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from live_nst.errors import UsageError
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer import still_network
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def stylizer(said: list[str]) -> Iterator[StylizerCore]:
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("starry",), size=64, device="cpu"),
        notify=said.append,
    ) as one:
        yield one


def scene(width: int, height: int) -> Any:
    return DemoVideo(width, height).image_at(1.0)


@pytest.mark.parametrize("size", [(120, 80), (101, 67), (7, 5), (1, 1), (300, 3)])
def test_still_keeps_any_image_size(stylizer: StylizerCore, size: tuple[int, int]) -> None:
    image = scene(*size)
    before = image.copy()
    painted = stylizer.still(image)
    assert painted.shape == image.shape
    np.testing.assert_array_equal(image, before)


def test_still_padding_does_not_shift(stylizer: StylizerCore) -> None:
    image = scene(120, 80)
    whole = stylizer.still(image).astype(int)
    cut = stylizer.still(np.ascontiguousarray(image[:78, :117]))
    # The picture did not move; edges and statistics differ a little.
    assert np.abs(whole[:78, :117] - cut).mean() < 8
    assert np.abs(whole[2:80, 3:120] - cut).mean() > 12


def test_still_size_limits_the_network_size(stylizer: StylizerCore) -> None:
    image = scene(300, 144)
    small, full = stylizer.still(image, size=100), stylizer.still(image)
    assert small.shape == full.shape == image.shape
    sharpness = [float(np.abs(np.diff(each.astype(int), axis=1)).mean()) for each in (small, full)]
    assert sharpness[0] < 0.7 * sharpness[1]  # what was stylized at 100 is upscaled
    np.testing.assert_array_equal(stylizer.still(image, size=300), full)
    with pytest.raises(UsageError):
        stylizer.still(scene(300, 150), size=5)


def test_still_large_images_run_in_tiles(
    stylizer: StylizerCore, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(202, 131)
    whole = stylizer.still(image)
    monkeypatch.setattr(still_network, "MAX_UNTILED_PIXELS", 10_000)
    said.clear()
    tiled = stylizer.still(image)
    stylizer.still(image)
    assert tiled.shape == image.shape
    assert np.abs(tiled.astype(int) - whole).mean() < 4  # engines and precisions differ
    (sentence,) = said
    assert "in tiles" in sentence


def test_still_uses_the_selected_style(stylizer: StylizerCore) -> None:
    image = scene(64, 64)
    first = stylizer.still(image)
    stylizer.select("ink")
    second = stylizer.still(image)
    stylizer.select("starry")
    assert np.abs(first.astype(int) - second).mean() > 10


def test_still_is_independent_of_stabilizer_and_other_images() -> None:
    one, other = scene(64, 48), scene(64, 48)[::-1].copy()
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("starry",), size=64, device="cpu", stabilize="fast")
    ) as stabilized:
        first = stabilized.still(one)
        stabilized.still(other)
        stabilized(other)
        np.testing.assert_array_equal(stabilized.still(one), first)


def test_still_uses_the_look(stylizer: StylizerCore) -> None:
    image = scene(64, 48)
    stylizer.look = Look(strength=0.0)
    np.testing.assert_array_equal(stylizer.still(image), image)
    stylizer.look = Look(strength=1.0)

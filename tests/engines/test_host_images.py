"""Downscaling against exact area averaging, and planar images against NumPy."""

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.engines.host_images import PlanarConverter, downscale
from live_nst.live.size_controller import SIZE_STEPS
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image

CAMERAS = [(1280, 720), (1920, 1080), (640, 480), (641, 481), (1281, 720)]


@cache
def scene(camera: tuple[int, int]) -> Image:
    """A drawing, whose edges are sharper than any camera's."""
    return DemoVideo(*camera).image_at(3.0)


def exact(image: Image, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("long_side", [128, 384, 448, 960])
def test_downscale_is_nearly_area_averaging(camera: tuple[int, int], long_side: int) -> None:
    image = scene(camera)
    size = network_size(camera, long_side)
    small = downscale(image, size)
    assert small.shape == (size[1], size[0], 3) and small.dtype == np.uint8
    off = small - exact(image, size)
    assert abs(off.mean()) < 0.4  # no brighter, no darker
    assert np.abs(off).mean() < 3.0


@pytest.mark.parametrize("size", [(640, 360), (320, 180), (160, 90)])
def test_downscale_by_powers_of_two_is_exact(size: tuple[int, int]) -> None:
    image = scene((1280, 720))
    halvings = (1280 // size[0]).bit_length() - 1
    # Each halving rounds.
    assert np.abs(downscale(image, size) - exact(image, size)).max() <= 0.5 * halvings + 0.01


@pytest.mark.parametrize("long_side", SIZE_STEPS)
def test_downscale_moves_nothing(long_side: int) -> None:
    width, height = network_size((1280, 720), long_side)
    ramp = np.linspace(0, 255, 1280).astype(np.uint8)
    image = np.repeat(np.tile(ramp, (720, 1))[..., None], 3, axis=2)
    off = downscale(image, (width, height))[:, 2:-2] - exact(image, (width, height))[:, 2:-2]
    assert np.abs(off).max() <= 1.5  # a shift by a pixel would be two values at 128
    assert abs(off.mean()) < 0.8  # OpenCV rounds halves up, and here there are many


def test_downscale_does_not_alias() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, ::2] = 200
    small = downscale(image, (384, 216))
    assert np.abs(small.astype(int) - 100).max() <= 1


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (384, 216)])
def test_downscale_returns_a_new_array(size: tuple[int, int]) -> None:
    image = scene((1280, 720))
    before = image.copy()
    small = downscale(image, size)
    small[:] = 0
    np.testing.assert_array_equal(image, before)


def random_image(height: int, width: int) -> Image:
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def planes_of(image: Any, border: int) -> Any:
    """Written out: every plane is every second pixel of one color."""
    padded = np.pad(image[..., ::-1], ((border, border), (border, border), (0, 0)), "reflect")
    return np.stack([padded[y::2, x::2, c] for y in (0, 1) for x in (0, 1) for c in range(3)])[None]


@pytest.mark.parametrize("border", [0, 2, 4, 9])
@pytest.mark.parametrize("size", [(20, 12), (34, 22), (128, 72)])
def test_to_planes(size: tuple[int, int], border: int) -> None:
    image = random_image(*size[::-1])
    converter = PlanarConverter(size, border)
    for frame in (image[::-1], image):  # nothing is left of the image before
        np.testing.assert_array_equal(converter.to_planes(frame), planes_of(frame, border))
    assert converter.to_planes(image) is converter.planes


@pytest.mark.parametrize("size", [(20, 12), (34, 22), (128, 72)])
def test_to_image(size: tuple[int, int]) -> None:
    converter = PlanarConverter(size, 2)  # the border is for the way to the network only
    first, second = random_image(*size[::-1]), random_image(*size[::-1])[::-1]
    returned = converter.to_image(planes_of(first, 0))
    np.testing.assert_array_equal(converter.to_image(planes_of(second, 0)), second)
    np.testing.assert_array_equal(returned, first)  # a new array each time

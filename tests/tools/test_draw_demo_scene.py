"""The drawn scene: always the same, always moving, at every size."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from live_nst.types import Image, check_image
from tools.draw_demo import scene as module
from tools.draw_demo.scene import PERIOD, DemoScene

WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def scene() -> DemoScene:
    return DemoScene(WIDTH, HEIGHT)


def changed(one: Image, other: Image) -> np.ndarray:
    """Where two pictures differ, [h, w]."""
    return (one != other).any(axis=2)


@pytest.mark.parametrize("time", [0.0, 1.5, 4.75, 11.3, 19.99])
def test_draw_is_deterministic(scene: DemoScene, time: float) -> None:
    first = scene.draw(time)
    scene.draw(time + 7.1)
    np.testing.assert_array_equal(scene.draw(time), first)
    np.testing.assert_array_equal(DemoScene(WIDTH, HEIGHT).draw(time), first)


@pytest.mark.parametrize("time", [0.0, 0.1, 5 / 30, 12.345, 19.9999])
@pytest.mark.parametrize("periods", [1, 7, 1000])
def test_draw_repeats_after_the_period(scene: DemoScene, time: float, periods: int) -> None:
    np.testing.assert_array_equal(scene.draw(time + periods * PERIOD), scene.draw(time))


def test_the_loop_has_no_seam(scene: DemoScene) -> None:
    step = 1 / 30
    frames = [scene.draw(PERIOD + k * step).astype(int) for k in range(-30, 31)]
    jumps = [float(np.abs(new - old).mean()) for old, new in pairwise(frames)]
    seam = jumps[29]
    assert seam <= 1.2 * max(jumps[:29] + jumps[30:])


def test_draw_returns_new_images(scene: DemoScene) -> None:
    first = scene.draw(3.0)
    kept = first.copy()
    second = scene.draw(3.0)
    assert not np.shares_memory(first, second)
    second[:] = 0
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(scene.draw(3.0), kept)


@pytest.mark.parametrize(
    ("width", "height"),
    [(16, 16), (17, 31), (64, 64), (65, 97), (321, 243), (180, 320), (640, 16), (16, 640)],
)
def test_any_size(width: int, height: int) -> None:
    scene = DemoScene(width, height)
    for time in np.arange(0, PERIOD, 0.7):
        image = check_image(scene.draw(float(time)))
        assert image.shape == (height, width, 3)
        assert image.flags.c_contiguous
        assert image.flags.writeable


def test_large_size_is_enlarged(monkeypatch: pytest.MonkeyPatch) -> None:
    painted = DemoScene(160, 90).draw(5.0)
    monkeypatch.setattr(module, "_PAINTED", 160 * 90)
    large = DemoScene(320, 180).draw(5.0)
    assert large.shape == (180, 320, 3)
    np.testing.assert_array_equal(large, cv2.resize(painted, (320, 180)))


def test_person_moves_and_background_does_not(scene: DemoScene) -> None:
    frames = [scene.draw(k / 30) for k in range(0, 600, 3)]
    face = (
        slice(int(0.25 * HEIGHT), int(0.62 * HEIGHT)),
        slice(int(0.4 * WIDTH), int(0.6 * WIDTH)),
    )
    moved = np.zeros((HEIGHT, WIDTH), bool)
    for old, new in pairwise(frames):
        difference = changed(old, new)
        assert difference[face].mean() > 0.05
        moved |= difference
    wall = moved[: int(0.14 * HEIGHT), int(0.36 * WIDTH) :]
    shelf = moved[: int(0.3 * HEIGHT), int(0.83 * WIDTH) :]
    assert not wall.any()
    assert not shelf.any()
    assert 0.2 < moved.mean() < 0.75


def test_draw_at_60_fps(scene: DemoScene) -> None:
    frames = [scene.draw(k / 60) for k in range(120)]
    assert all(changed(a, b).any() for a, b in pairwise(frames))


def test_cat_behind_person(scene: DemoScene) -> None:
    band = slice(int(0.60 * HEIGHT), int(0.72 * HEIGHT))
    right = (band, slice(int(0.86 * WIDTH), WIDTH))
    chest = (slice(int(0.85 * HEIGHT), HEIGHT), slice(int(0.45 * WIDTH), int(0.55 * WIDTH)))
    empty, later, with_cat = scene.draw(0.5), scene.draw(5.0), scene.draw(15.5)
    np.testing.assert_array_equal(empty[right], later[right])
    assert changed(empty, with_cat)[right].mean() > 0.2
    # Red wool is in front of it all the way.
    for time in np.arange(7, 11, 0.25):
        blue, _, red = np.moveaxis(scene.draw(float(time))[chest].astype(int), 2, 0)
        assert np.median(red - blue) > 60


def test_balloon_behind_window() -> None:
    scene = DemoScene(640, 360)
    frames = np.stack([scene.draw(float(t))[:110, :240] for t in np.arange(0, PERIOD, 0.5)])
    moved = (frames != frames[0]).any(axis=(0, 3))
    assert moved.any()
    bar = slice(112, 117)
    assert not moved[:, bar].any()
    assert not moved[:, :40].any()
    assert not moved[:, 195:].any()


def test_person_in_tall_image() -> None:
    tall, wide = DemoScene(300, 600), DemoScene(600, 400)
    faces = [
        scene.draw(0.0)[height - 272 : height - 172, width // 2 - 30 : width // 2 + 30].astype(int)
        for scene, width, height in ((tall, 300, 600), (wide, 600, 400))
    ]
    assert np.abs(faces[0] - faces[1]).mean() < 2


def test_contrast(scene: DemoScene) -> None:
    gray = scene.draw(2.0).mean(axis=2)
    dark, bright = np.percentile(gray, (2, 98))
    assert dark < 40
    assert bright > 190
    assert 40 < gray.std() < 80

"""The drawn scene: always the same, always moving, at every size."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from live_nst.sources import demo_video as demo_scene
from live_nst.sources.demo_video import LOOP_SECONDS, DemoVideo
from live_nst.types import Image, check_image

WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def scene() -> DemoVideo:
    return DemoVideo(WIDTH, HEIGHT)


def changed(one: Image, other: Image) -> np.ndarray:
    """Where two pictures differ, [h, w]."""
    return (one != other).any(axis=2)


@pytest.mark.parametrize("time", [0.0, 1.5, 4.75, 11.3, 19.99])
def test_the_same_time_gives_the_same_picture(scene: DemoVideo, time: float) -> None:
    first = scene.image_at(time)
    scene.image_at(time + 7.1)
    np.testing.assert_array_equal(scene.image_at(time), first)
    np.testing.assert_array_equal(DemoVideo(WIDTH, HEIGHT).image_at(time), first)


@pytest.mark.parametrize("time", [0.0, 0.1, 5 / 30, 12.345, 19.9999])
@pytest.mark.parametrize("periods", [1, 7, 1000])
def test_it_repeats_after_the_period(scene: DemoVideo, time: float, periods: int) -> None:
    np.testing.assert_array_equal(
        scene.image_at(time + periods * LOOP_SECONDS), scene.image_at(time)
    )


def test_the_loop_has_no_seam(scene: DemoVideo) -> None:
    step = 1 / 30
    frames = [scene.image_at(LOOP_SECONDS + k * step).astype(int) for k in range(-30, 31)]
    jumps = [float(np.abs(new - old).mean()) for old, new in pairwise(frames)]
    seam = jumps[29]
    assert seam <= 1.2 * max(jumps[:29] + jumps[30:])


def test_every_picture_is_a_new_one(scene: DemoVideo) -> None:
    first = scene.image_at(3.0)
    kept = first.copy()
    second = scene.image_at(3.0)
    assert not np.shares_memory(first, second)
    second[:] = 0
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(scene.image_at(3.0), kept)


@pytest.mark.parametrize(
    ("width", "height"),
    [(16, 16), (17, 31), (64, 64), (65, 97), (321, 243), (180, 320), (640, 16), (16, 640)],
)
def test_any_size(width: int, height: int) -> None:
    scene = DemoVideo(width, height)
    for time in np.arange(0, LOOP_SECONDS, 0.7):
        image = check_image(scene.image_at(float(time)))
        assert image.shape == (height, width, 3)
        assert image.flags.c_contiguous
        assert image.flags.writeable


def test_a_large_picture_is_enlarged(monkeypatch: pytest.MonkeyPatch) -> None:
    painted = DemoVideo(160, 90).image_at(5.0)
    monkeypatch.setattr(demo_scene, "_PAINTED", 160 * 90)
    large = DemoVideo(320, 180).image_at(5.0)
    assert large.shape == (180, 320, 3)
    np.testing.assert_array_equal(large, cv2.resize(painted, (320, 180)))


def test_the_person_moves_in_every_frame_and_the_background_never(scene: DemoVideo) -> None:
    frames = [scene.image_at(k / 30) for k in range(0, 600, 3)]
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


def test_frames_of_a_fast_camera_differ_too(scene: DemoVideo) -> None:
    frames = [scene.image_at(k / 60) for k in range(120)]
    assert all(changed(a, b).any() for a, b in pairwise(frames))


def test_a_cat_comes_by_behind_the_person(scene: DemoVideo) -> None:
    band = slice(int(0.60 * HEIGHT), int(0.72 * HEIGHT))
    right = (band, slice(int(0.86 * WIDTH), WIDTH))
    chest = (slice(int(0.85 * HEIGHT), HEIGHT), slice(int(0.45 * WIDTH), int(0.55 * WIDTH)))
    empty, later, with_cat = scene.image_at(0.5), scene.image_at(5.0), scene.image_at(15.5)
    np.testing.assert_array_equal(empty[right], later[right])
    assert changed(empty, with_cat)[right].mean() > 0.2
    # Red wool is in front of it all the way.
    for time in np.arange(7, 11, 0.25):
        blue, _, red = np.moveaxis(scene.image_at(float(time))[chest].astype(int), 2, 0)
        assert np.median(red - blue) > 60


def test_the_balloon_stays_behind_bars_and_curtains() -> None:
    scene = DemoVideo(640, 360)
    frames = np.stack(
        [scene.image_at(float(t))[:110, :240] for t in np.arange(0, LOOP_SECONDS, 0.5)]
    )
    moved = (frames != frames[0]).any(axis=(0, 3))
    assert moved.any()
    bar = slice(112, 117)
    assert not moved[:, bar].any()
    assert not moved[:, :40].any()
    assert not moved[:, 195:].any()


def test_the_person_keeps_their_shape_in_a_tall_picture() -> None:
    tall, wide = DemoVideo(300, 600), DemoVideo(600, 400)
    faces = [
        scene.image_at(0.0)[height - 272 : height - 172, width // 2 - 30 : width // 2 + 30].astype(
            int
        )
        for scene, width, height in ((tall, 300, 600), (wide, 600, 400))
    ]
    assert np.abs(faces[0] - faces[1]).mean() < 2


def test_it_has_the_contrast_of_a_photograph(scene: DemoVideo) -> None:
    gray = scene.image_at(2.0).mean(axis=2)
    dark, bright = np.percentile(gray, (2, 98))
    assert dark < 40
    assert bright > 190
    assert 40 < gray.std() < 80

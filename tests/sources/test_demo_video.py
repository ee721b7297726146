"""The shipped demo video: complete, the same at every call, and a loop."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from live_nst.sources.demo_video import FPS, LOOP_SECONDS, VIDEO, DemoVideo
from live_nst.types import check_image
from tools.draw_demo.scene import DemoScene

WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def video() -> DemoVideo:
    return DemoVideo(WIDTH, HEIGHT)


@pytest.mark.parametrize("seconds", [0.0, 4.75, 11.3, 19.99])
def test_image_at_is_the_same_in_any_order(video: DemoVideo, seconds: float) -> None:
    first = video.image_at(seconds)
    video.image_at(seconds + 7.1)
    np.testing.assert_array_equal(video.image_at(seconds), first)
    with DemoVideo(WIDTH, HEIGHT) as other:
        np.testing.assert_array_equal(other.image_at(seconds), first)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 5 / 30, 12.345, 19.9999])
@pytest.mark.parametrize("loops", [1, 1000])
def test_image_at_repeats_after_the_loop(video: DemoVideo, seconds: float, loops: int) -> None:
    again = video.image_at(seconds + loops * LOOP_SECONDS)
    np.testing.assert_array_equal(again, video.image_at(seconds))


def test_every_frame_moves_and_the_loop_has_no_seam(video: DemoVideo) -> None:
    frames = [video.image_at(k / FPS) for k in range(round(FPS * LOOP_SECONDS) + 1)]
    changes = [float(cv2.absdiff(new, old).mean()) for old, new in pairwise(frames)]
    assert min(changes) > 0.02
    assert changes[-1] <= 1.2 * max(changes[:-1])
    wall = np.stack([frame[:25, 120:200] for frame in frames]).astype(float)
    assert np.abs(wall - wall.mean(axis=0)).mean() < 1


def test_image_at_above_the_rate_of_the_video_repeats_images(video: DemoVideo) -> None:
    images = [video.image_at(k / 60) for k in range(6)]
    for first, second in zip(images[::2], images[1::2], strict=True):
        np.testing.assert_array_equal(first, second)
        assert not np.shares_memory(first, second)


@pytest.mark.parametrize(
    "size",
    [(16, 16), (17, 31), (65, 97), (321, 243), (180, 320), (640, 16), (16, 640), (960, 720),
     (1280, 720), (1920, 1080)],
)  # fmt: skip
def test_any_size(size: tuple[int, int]) -> None:
    with DemoVideo(*size) as video:
        image = check_image(video.image_at(1.0))
    assert image.shape == (size[1], size[0], 3)
    assert image.flags.c_contiguous
    assert image.flags.writeable


def test_video_shows_what_the_tool_draws() -> None:
    scene = DemoScene(1280, 720)
    with DemoVideo(1280, 720) as video:
        for seconds in (0.0, 5.0, 10.0):
            difference = video.image_at(seconds) - scene.draw(seconds).astype(float)
            assert 10 * np.log10(255**2 / np.mean(difference**2)) > 35  # dB
            assert np.abs(difference.mean(axis=(0, 1))).max() < 0.5


def test_video_is_small() -> None:
    assert VIDEO.stat().st_size < 3_000_000

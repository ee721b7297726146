"""Whether the camera rests, from motion that is never exact."""

import numpy as np
import pytest

from benchmarks.motion.scenes import positions
from live_nst.stabilizer.motion import (
    SAMPLE_POINTS,
    Flow,
    is_camera_static,
    sample_motion,
    update_mean_motion,
)
from tests.stabilizer.scenes import texture

WIDTH, HEIGHT, FRAMES = 384, 216, 25
GRAY = texture(WIDTH, HEIGHT)[..., 1].copy()


def rests(flows: list[Flow]) -> bool:
    mean = np.zeros((SAMPLE_POINTS, 2), np.float32)
    for flow in flows:
        sample = sample_motion(flow)
        mean = update_mean_motion(sample, mean)
    return is_camera_static(sample, mean, GRAY)


def guesses(motion: Flow, error: float = 0.15) -> list[Flow]:
    """The motion as it is found: wrong by `error` at every point, otherwise in every frame."""
    random = np.random.default_rng(0)
    return [
        (motion + random.normal(0, error, motion.shape)).astype(np.float32) for _ in range(FRAMES)
    ]


STILLNESS = np.zeros((HEIGHT, WIDTH, 2), np.float32)


def test_rest_is_rest_in_spite_of_the_error() -> None:
    assert rests(guesses(STILLNESS))


@pytest.mark.parametrize("pan", [0.3, 1.0, 8.0])
def test_a_pan_is_no_rest(pan: float) -> None:
    assert not rests(guesses(STILLNESS + np.float32((pan, 0))))


def test_a_zoom_is_no_rest() -> None:
    middle = np.float32((WIDTH / 2, HEIGHT / 2))
    assert not rests(guesses((positions(HEIGHT, WIDTH) - middle) * np.float32(0.005)))


def test_a_subject_does_not_hide_that_the_camera_rests() -> None:
    motion = STILLNESS.copy()
    motion[60:, 120:270] = (0.3, 0.1)
    assert rests(guesses(motion))


def test_a_camera_that_shakes_is_no_rest_though_its_mean_motion_is_none() -> None:
    flows = [flow + np.float32((0.3 * (-1) ** t, 0)) for t, flow in enumerate(guesses(STILLNESS))]
    assert not rests(flows)


def test_motion_that_is_no_number_is_no_harm() -> None:
    assert rests([np.full((40, 30, 2), np.nan, np.float32)]) in (True, False)

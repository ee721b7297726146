"""`is_camera_static`, for estimated motion, which is never exact."""

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


def is_static(flows: list[Flow]) -> bool:
    mean = np.zeros((SAMPLE_POINTS, 2), np.float32)
    for flow in flows:
        sample = sample_motion(flow)
        mean = update_mean_motion(sample, mean)
    return is_camera_static(sample, mean, GRAY)


def estimates(motion: Flow, error: float = 0.15) -> list[Flow]:
    """The motion with another random error at every point of every frame."""
    random = np.random.default_rng(0)
    return [
        (motion + random.normal(0, error, motion.shape)).astype(np.float32) for _ in range(FRAMES)
    ]


NO_MOTION = np.zeros((HEIGHT, WIDTH, 2), np.float32)


def test_static_camera_with_estimation_error() -> None:
    assert is_static(estimates(NO_MOTION))


@pytest.mark.parametrize("pan", [0.3, 1.0, 8.0])
def test_pan_is_not_static(pan: float) -> None:
    assert not is_static(estimates(NO_MOTION + np.float32((pan, 0))))


def test_zoom_is_not_static() -> None:
    middle = np.float32((WIDTH / 2, HEIGHT / 2))
    assert not is_static(estimates((positions(HEIGHT, WIDTH) - middle) * np.float32(0.005)))


def test_subject_moves_before_a_static_camera() -> None:
    motion = NO_MOTION.copy()
    motion[60:, 120:270] = (0.3, 0.1)
    assert is_static(estimates(motion))


def test_shaking_camera_is_not_static_though_its_mean_motion_is_zero() -> None:
    flows = [flow + np.float32((0.3 * (-1) ** t, 0)) for t, flow in enumerate(estimates(NO_MOTION))]
    assert not is_static(flows)


def test_nan_is_harmless() -> None:
    assert is_static([np.full((40, 30, 2), np.nan, np.float32)]) in (True, False)

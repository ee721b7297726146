"""Where the points of one frame are in another, for motions that are known."""

import cv2
import numpy as np
import pytest

from live_nst.stabilizer.motion import DisFlowEstimator, Flow, GrayImage
from live_nst.types import Image
from tests.stabilizer.scenes import view

INNER = np.s_[4:-4, 6:-6]


def gray(step: float) -> GrayImage:
    """A halved frame, seen `step` pixels of the whole frame further to the right."""
    picture: Image = view(step / 2, width=192, height=108)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def error(flow: Flow, x: float) -> float:
    """Pixels, in the mean over the points not near the edge."""
    return float(np.abs(flow[INNER] - np.float32((x, 0))).mean())


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("x", [0.0, 1.5, 6.0])
def test_the_motion_is_found_in_pixels_of_the_whole_frame(x: float, fine: bool) -> None:
    assert error(DisFlowEstimator(fine=fine)(gray(0), gray(-x), None), x) < 0.35


def test_a_guess_is_gone_on_from() -> None:
    """A motion that the finest scale alone would not find is found from a guess beside it."""
    motion, x = DisFlowEstimator(), 40.0
    now, then = gray(0), gray(-x)
    nothing = np.zeros_like(motion(now, then, None))
    near = nothing + np.float32((x - 5, 0))
    assert error(motion(now, then, near), x) < 1
    assert error(motion(now, then, nothing), x) > 5


def test_a_guess_is_left_as_it_is_and_one_of_another_size_is_none() -> None:
    motion, now, then = DisFlowEstimator(), gray(0), gray(-3)
    guess = np.full_like(motion(now, then, None), 2)
    before = guess.copy()
    motion(now, then, guess)
    np.testing.assert_array_equal(guess, before)
    other = np.full((9, 16, 2), 99, np.float32)
    np.testing.assert_array_equal(motion(now, then, other), motion(now, then, None))

"""Optical flow and warping, for motion that is known."""

import cv2
import numpy as np
import pytest

from live_nst.stabilizer.confidence import flow_confidence
from live_nst.stabilizer.innovation import GRID_SPACING
from live_nst.stabilizer.motion import (
    DisFlowEstimator,
    Flow,
    GrayImage,
    part_of_flow,
    warp_image,
    warp_maps,
)
from live_nst.types import Image
from tests.stabilizer.scenes import view

INNER = np.s_[4:-4, 6:-6]


def gray(step: float) -> GrayImage:
    """A half-size frame, `step` pixels of the full frame further to the right."""
    image: Image = view(step / 2, width=192, height=108)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def error(flow: Flow, x: float) -> float:
    """Mean error in pixels, away from the border."""
    return float(np.abs(flow[INNER] - np.float32((x, 0))).mean())


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("x", [0.0, 1.5, 6.0])
def test_flow_is_in_pixels_of_the_full_frame(x: float, fine: bool) -> None:
    assert error(DisFlowEstimator(fine=fine)(gray(0), gray(-x), None), x) < 0.35


def test_flow_continues_from_a_guess() -> None:
    """From a guess nearby the finest scale finds a motion that it would not find alone."""
    motion, x = DisFlowEstimator(), 40.0
    now, then = gray(0), gray(-x)
    nothing = np.zeros_like(motion(now, then, None))
    near = nothing + np.float32((x - 5, 0))
    assert error(motion(now, then, near), x) < 1
    assert error(motion(now, then, nothing), x) > 5


def test_guess_is_not_modified_and_ignored_at_another_size() -> None:
    motion, now, then = DisFlowEstimator(), gray(0), gray(-3)
    guess = np.full_like(motion(now, then, None), 2)
    before = guess.copy()
    motion(now, then, guess)
    np.testing.assert_array_equal(guess, before)
    other = np.full((9, 16, 2), 99, np.float32)
    np.testing.assert_array_equal(motion(now, then, other), motion(now, then, None))


@pytest.mark.parametrize("bicubic", [False, True])
def test_warp_image_follows_the_formula(bicubic: bool) -> None:
    """Against bilinear and Catmull-Rom-like (Keys, a = -0.75) weights in float64."""
    image = np.random.default_rng(0).uniform(0, 255, (31, 45, 3)).astype(np.float32)
    flow = np.full((15, 22, 2), (2.25, 0), np.float32)

    warped = warp_image(image, flow, bicubic=bicubic)

    f = 0.25
    weights = {0: 1 - f, 1: f}
    if bicubic:
        near = lambda x: 1.25 * x**3 - 2.25 * x**2 + 1  # noqa: E731
        far = lambda x: -0.75 * (x**3 - 5 * x**2 + 8 * x - 4)  # noqa: E731
        weights = {-1: far(1 + f), 0: near(f), 1: near(1 - f), 2: far(2 - f)}
    expected = sum(w * np.roll(image.astype(float), -2 - k, 1) for k, w in weights.items())
    inner = np.s_[:, 2:-6]
    np.testing.assert_allclose(warped[inner], np.maximum(expected, 0)[inner], atol=0.01)


@pytest.mark.parametrize("bicubic", [False, True])
def test_warp_image_without_motion_is_exact(bicubic: bool) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (31, 45, 3)).astype(np.float32)
    flow = np.zeros((15, 22, 2), np.float32)
    np.testing.assert_array_equal(warp_image(image, flow, bicubic=bicubic), image)


@pytest.mark.parametrize("columns", [48, 96])
def test_warp_maps(columns: int) -> None:
    """From a flow as fine as the points, and from a finer one."""
    values = np.random.default_rng(1).normal(0, 9, (27, 48)).astype(np.float32)
    flow = np.full((27 * columns // 48, columns, 2), (-GRID_SPACING, 0), np.float32)
    (moved,) = warp_maps([values], flow)
    np.testing.assert_allclose(moved[:, 1:], values[:, :-1], atol=1e-4)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ((3, 6), (2, 9)),
        ((0, 1), (0, 1)),
        ((9, 12), (0, 16)),
        ((0, 12), (15, 16)),
        ((0, 12), (0, 16)),
    ],
)
@pytest.mark.parametrize("bicubic", [False, True])
def test_warp_of_the_moving_part_alone(
    rows: tuple[int, int], columns: tuple[int, int], bicubic: bool
) -> None:
    """What does not move is skipped, and the result is that of the whole image."""
    random = np.random.default_rng(5)
    image = random.uniform(0, 255, (50, 66, 4)).astype(np.float32)
    part = np.s_[slice(*rows), slice(*columns)]
    flow, static = np.zeros((12, 16, 2), np.float32), np.full((12, 16), 255, np.uint8)
    flow[part], static[part] = random.uniform(-9, 9, (*flow[part].shape,)), 0
    whole = warp_image(image, flow, bicubic=bicubic)
    before = image.copy()

    warped = warp_image(image, flow, static=static, bicubic=bicubic)

    np.testing.assert_allclose(warped, whole, atol=0.02)
    np.testing.assert_array_equal(image, before)


def test_warp_of_what_does_not_move_is_the_image_itself() -> None:
    image = np.zeros((50, 66, 4), np.float32)
    flow, static = np.zeros((12, 16, 2), np.float32), np.full((12, 16), 255, np.uint8)
    assert warp_image(image, flow, static=static) is image


@pytest.mark.parametrize("shape", [(24, 32), (48, 64), (12, 16), (50, 66), (36, 16), (9, 10)])
def test_part_of_flow(shape: tuple[int, int]) -> None:
    """At whole multiples of the flow's size, and at others: a part of the whole flow."""
    flow = np.random.default_rng(2).uniform(-9, 9, (12, 16, 2)).astype(np.float32)
    whole = cv2.resize(flow, shape[::-1], interpolation=cv2.INTER_LINEAR)
    for rows, columns in (
        (slice(0, shape[0]), slice(0, shape[1])),
        (slice(2, 7), slice(3, 4)),
        (slice(shape[0] - 1, shape[0]), slice(0, shape[1] - 1)),
    ):
        expected = whole[rows, columns] + np.float32((columns.start, rows.start))
        np.testing.assert_allclose(part_of_flow(flow, shape, rows, columns), expected, atol=1e-4)


@pytest.mark.parametrize("moving", [(slice(3, 6), slice(2, 9)), (slice(0, 0), slice(0, 0))])
def test_confidence_of_the_moving_part_alone(moving: tuple[slice, slice]) -> None:
    random = np.random.default_rng(6)
    now, then = (
        cv2.cvtColor(cv2.blur(random.integers(0, 256, (48, 64, 3), np.uint8), (5, 5)), 0)
        for _ in range(2)
    )
    then = cv2.addWeighted(now, 0.6, then, 0.4, 0)
    flow, static = np.zeros((24, 32, 2), np.float32), np.full((24, 32), 255, np.uint8)
    flow[moving], static[moving] = random.uniform(-3, 3, flow[moving].shape), 0
    gray = cv2.cvtColor(now, cv2.COLOR_BGRA2GRAY)
    whole = flow_confidence(now, gray, then, flow)
    assert 0 < whole.mean() < 255
    np.testing.assert_array_equal(flow_confidence(now, gray, then, flow, static), whole)

"""Whether the camera rests, though the motion that is found says so never exactly."""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.stabilize.motion import Flow, Gray

cv: Any = cv2  # its type stubs do not know which dtypes come back

STILL = 0.12
"""Pixels a frame: what moves less, over some frames, may be at rest."""

_GRID = (18, 32)  # rows, columns of sample points
POINTS = _GRID[0] * _GRID[1]

Points = NDArray[np.float32]
"""Motion of the sample points: `[POINTS, 2]`, (x, y) in pixels a frame."""

_LARGEST = 0.5  # pixels; a sample that moves more says no more than that it moves
_NEWS = 0.15  # share of the newest frame in the mean motion
_JERK = 0.06  # pixels; a camera that shakes moves more in one frame, though not in the mean
_SHARE = 0.4  # of the contrast must be still before a camera at rest
_FAINT = 4.0  # levels of contrast that may be noise
_RIDGE = 1e-3 * np.eye(3, dtype=np.float32)  # a few points on a line must not be singular
_CORNERS = np.array([(x, y, 1) for x in (-1, 1) for y in (-1, 1)], np.float32)


def sample_motion(flow: Flow) -> Points:
    """The motion of the sample points."""
    rows, columns = _GRID
    sample = cv.resize(flow, (columns, rows), interpolation=cv.INTER_NEAREST).reshape(-1, 2)
    clipped: Points = np.fmin(np.fmax(sample, -_LARGEST), _LARGEST)  # also what is no number
    return clipped


def mean_motion(sample: Points, before: Points) -> Points:
    """Their mean motion over the last few frames."""
    mean: Points = before + np.float32(_NEWS) * (sample - before)
    return mean


def camera_speed(sample: Points, mean: Points, gray: Gray) -> float:
    """How fast a camera moves that hardly moves.

    A slow pan or zoom moves each point by less than the flow's error. The affine motion that fits
    the points that hardly move, taken over some frames, is far more exact. Points count by their
    contrast: where there is none, the flow is a guess.

    Args:
        sample: The `sample_motion`.
        mean: The `mean_motion`.
        gray: The frame, in any size.

    Returns:
        Pixels a frame at the corners; infinity if they are many.
    """
    rows, columns = _GRID
    small = cv.resize(gray, (3 * columns, 3 * rows), interpolation=cv.INTER_LINEAR)
    contrast = cv.morphologyEx(small, cv.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    contrast = cv.resize(contrast, (columns, rows), interpolation=cv.INTER_AREA).reshape(-1)
    weights = np.clip(contrast.astype(np.float32) - _FAINT, 0.05, 30)
    still = (np.abs(mean) < STILL).all(1)
    calm = weights * still
    if calm.sum() < _SHARE * weights.sum():
        return np.inf
    # Products by einsum: BLAS would wake its threads for them, beside the network's.
    if np.abs(np.einsum("p,pi->i", calm, sample)).max() > _JERK * calm.sum():
        return np.inf
    places = _places()
    weighted = places * calm[:, None]
    square = np.einsum("pi,pj->ij", weighted, places) + _RIDGE
    fit = np.linalg.solve(square, np.einsum("pi,pj->ij", weighted, mean))
    return float(np.abs(np.einsum("ci,ij->cj", _CORNERS, fit)).max())


@lru_cache(maxsize=1)
def _places() -> NDArray[np.float32]:
    """The points' places, -1..1 each way, and 1: an affine motion is a product with it."""
    rows, columns = _GRID
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    return np.stack([x.ravel(), y.ravel(), np.ones(POINTS)], 1).astype(np.float32)

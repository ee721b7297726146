"""Whether the camera rests, though the motion that is found says so never exactly."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.stabilize.motion import Flow, Gray

cv: Any = cv2  # its type stubs do not know which dtypes come back

_GRID = (18, 32)  # rows, columns of sample points
POINTS = _GRID[0] * _GRID[1]

Points = NDArray[np.float32]
"""Motion of the sample points: `[POINTS, 2]`, (x, y) in pixels a frame."""

_STILL = 0.12  # pixels a frame: what moves less, over some frames, may be at rest
_LARGEST = 0.5  # pixels; a sample that moves more says no more than that it moves
_NEWS = 0.15  # share of the newest frame in the mean motion
_JERK = 0.06  # pixels; a camera that shakes moves more in one frame, though not in the mean
_SHARE = 0.4  # of the contrast must be still before a camera at rest
_BOX = np.ones((3, 3), np.uint8)
_FAINT = np.float32(4)  # levels of contrast that may be noise


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


def camera_rests(sample: Points, mean: Points, gray: Gray) -> bool:
    """Whether most of what can be seen to move does not.

    Points count by their contrast: where there is none, the flow is a guess. A camera that creeps
    slower than the flow's error at one point may be taken for one at rest.

    Args:
        sample: The `sample_motion`.
        mean: The `mean_motion`.
        gray: The frame, in any size.
    """
    rows, columns = _GRID
    small = cv.resize(gray, (3 * columns, 3 * rows), interpolation=cv.INTER_LINEAR)
    contrast = cv.morphologyEx(small, cv.MORPH_GRADIENT, _BOX)
    contrast = cv.resize(contrast, (columns, rows), interpolation=cv.INTER_AREA).reshape(-1)
    weights = np.clip(contrast - _FAINT, np.float32(0.05), np.float32(30))
    x, y = np.abs(mean.T) < _STILL
    calm = weights * (x & y)
    total = calm.sum()
    if total < _SHARE * weights.sum():
        return False
    # By einsum: BLAS would wake its threads for it, beside the network's.
    x, y = np.einsum("p,pi->i", calm, sample)
    return bool(max(abs(x), abs(y)) <= _JERK * total)

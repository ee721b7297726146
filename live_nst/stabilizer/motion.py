"""How the picture moved from one frame to the next."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its type stubs do not know what comes back

GrayImage = NDArray[np.uint8]
"""`[height, width]`, 0..255."""

Flow = NDArray[np.float32]
"""`[rows, columns, 2]`: for points of one frame, how far off (x, y) they are in another."""

FlowEstimator = Callable[[GrayImage, GrayImage, Flow | None], Flow]
"""From (this frame, the other frame, a first guess), both frames halved, to a new array: evenly
spaced points, as many as are found apart, and their motion in pixels of the whole frame. The guess
is what it found for the frame before, or None; it need not be right nor of the same size."""

MIN_FLOW_SIDE = 12
"""Pixels: in a halved frame with a shorter side no motion is looked for."""

_MATCHING = 6  # steps
_WIDE = 160  # pixels; a halved frame with a longer side is halved once more


class DisFlowEstimator:
    """Dense inverse search (Kroeger et al. 2016), as OpenCV has it.

    From a guess on, only the finest scale is searched: from frame to frame motion changes little,
    so the search goes on where it ended, and finds more than one from coarse to fine each time.

    The result depends on what is given alone, not on earlier calls nor on the number of threads.
    It may be called from one thread at a time.

    Args:
        fine: Take ten times as long, and find more, without a guess.
    """

    def __init__(self, *, fine: bool = False) -> None:
        self._fine = fine
        preset = cv.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv.DISOPTICAL_FLOW_PRESET_ULTRAFAST
        self._whole, self._finest = (cv.DISOpticalFlow_create(preset) for _ in range(2))
        for search in (self._whole, self._finest):
            search.setFinestScale(0)
            if not fine:
                search.setGradientDescentIterations(_MATCHING)
        self._finest.setCoarsestScale(0)

    def __call__(self, now: GrayImage, then: GrayImage, guess: Flow | None = None) -> Flow:
        """Where the points of `now` are in `then`, both at least `SMALLEST` pixels each way."""
        flow: Flow
        if self._fine:
            flow = self._whole.calc(now, then, None)
            flow *= 2
            return flow
        scale = 2
        if max(now.shape) >= _WIDE:
            size = now.shape[1] // 2, now.shape[0] // 2
            now, then = (cv.resize(one, size, interpolation=cv.INTER_AREA) for one in (now, then))
            scale = 4
        if guess is not None and guess.shape[:2] == now.shape:
            flow = self._finest.calc(now, then, guess * np.float32(1 / scale))
        else:
            flow = self._whole.calc(now, then, None)
        flow *= scale
        return flow


_GRID = (18, 32)  # rows, columns of sample points
SAMPLE_POINTS = _GRID[0] * _GRID[1]

SampleMotion = NDArray[np.float32]
"""Motion of the sample points: `[POINTS, 2]`, (x, y) in pixels a frame."""

_STILL = 0.12  # pixels a frame: what moves less, over some frames, may be at rest
_LARGEST = 0.5  # pixels; a sample that moves more says no more than that it moves
_NEWS = 0.15  # share of the newest frame in the mean motion
_JERK = 0.06  # pixels; a camera that shakes moves more in one frame, though not in the mean
_SHARE = 0.4  # of the contrast must be still before a camera at rest
_BOX = np.ones((3, 3), np.uint8)
_FAINT = np.float32(4)  # levels of contrast that may be noise


def sample_motion(flow: Flow) -> SampleMotion:
    """The motion of the sample points."""
    rows, columns = _GRID
    sample = cv.resize(flow, (columns, rows), interpolation=cv.INTER_NEAREST).reshape(-1, 2)
    clipped: SampleMotion = np.fmin(np.fmax(sample, -_LARGEST), _LARGEST)  # also what is no number
    return clipped


def update_mean_motion(sample: SampleMotion, before: SampleMotion) -> SampleMotion:
    """Their mean motion over the last few frames."""
    mean: SampleMotion = before + np.float32(_NEWS) * (sample - before)
    return mean


def is_camera_static(sample: SampleMotion, mean: SampleMotion, gray: GrayImage) -> bool:
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

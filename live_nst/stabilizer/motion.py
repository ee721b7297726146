"""Motion from one frame to the next: optical flow, static cameras, and warping along the flow."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.stabilizer.innovation import GRID_SPACING, FloatMap, limit_values, sample_on_grid

cv: Any = cv2  # its type stubs lack optional maps and the dtypes of results

GrayImage = NDArray[np.uint8]
"""uint8 `[height, width]`."""

FloatImage = NDArray[np.float32]
"""BGR and 255, float32 `[height, width, 4]`, with values from 0 to 255 and above.

Four channels are warped twice as fast as three.
"""

Flow = NDArray[np.float32]
"""Optical flow `[rows, columns, 2]`: how far points of one frame are moved, (x, y), in another."""

FlowEstimator = Callable[[GrayImage, GrayImage, Flow | None], Flow]
"""Estimates the flow from (this frame, the other frame, an initial guess) and returns a new array.

Both frames have half their size. The flow is on an evenly spaced grid of any size, in pixels of the
full frame. The guess is the flow of the frame before, or None; its size may differ.
"""

MIN_FLOW_SIDE = 12
"""Shortest side, in pixels, of a half-size frame for which flow is estimated."""

SampleMotion = NDArray[np.float32]
"""Motion of the sample points: `[SAMPLE_POINTS, 2]`, (x, y) in pixels per frame."""

_SAMPLE_GRID = (18, 32)  # rows, columns
SAMPLE_POINTS = _SAMPLE_GRID[0] * _SAMPLE_GRID[1]

_ITERATIONS = 6  # of gradient descent, per patch
_MAX_SIDE = 160  # pixels; half-size frames with a longer side are halved again

_STATIC_MOTION = 0.12  # pixels per frame: less, on average, may be no motion at all
_MAX_SAMPLE = 0.5  # pixels: samples are clipped, as larger motion says nothing more
_NEW_SHARE = 0.15  # weight of the newest frame in the mean motion
_MAX_JERK = 0.06  # pixels: a shaking camera moves by more in one frame, though not on average
_STATIC_SHARE = 0.4  # share of the contrast that is static in front of a static camera
_NOISE_CONTRAST = np.float32(4)  # uint8 values of contrast that may be noise

_BOX = np.ones((3, 3), np.uint8)
_RELATIVE_LINEAR = cv.INTER_LINEAR | cv.WARP_RELATIVE_MAP
_RELATIVE_CUBIC = cv.INTER_CUBIC | cv.WARP_RELATIVE_MAP


class DisFlowEstimator:
    """Estimates flow by dense inverse search (Kroeger et al. 2016), as OpenCV implements it.

    With a guess only the finest scale is searched. Motion changes little from frame to frame, so
    the search continues where it ended, and finds more than a coarse-to-fine search each time.

    The result depends only on the arguments, not on earlier calls or the number of threads. Call
    it from one thread at a time.

    Args:
        fine: Search all scales without a guess: ten times slower and more exact.
    """

    def __init__(self, *, fine: bool = False) -> None:
        self._fine = fine
        preset = cv.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv.DISOPTICAL_FLOW_PRESET_ULTRAFAST
        self._all_scales, self._finest = (cv.DISOpticalFlow_create(preset) for _ in range(2))
        for search in (self._all_scales, self._finest):
            search.setFinestScale(0)
            if not fine:
                search.setGradientDescentIterations(_ITERATIONS)
        self._finest.setCoarsestScale(0)

    def __call__(self, now: GrayImage, then: GrayImage, guess: Flow | None = None) -> Flow:
        """Return where the points of `now` are in `then`; see `FlowEstimator`.

        Both images have at least `MIN_FLOW_SIDE` pixels in each direction.
        """
        flow: Flow
        if self._fine:
            flow = self._all_scales.calc(now, then, None)
            flow *= 2
            return flow
        scale = 2
        if max(now.shape) >= _MAX_SIDE:
            size = now.shape[1] // 2, now.shape[0] // 2
            now, then = (cv.resize(one, size, interpolation=cv.INTER_AREA) for one in (now, then))
            scale = 4
        if guess is not None and guess.shape[:2] == now.shape:
            flow = self._finest.calc(now, then, guess * np.float32(1 / scale))
        else:
            flow = self._all_scales.calc(now, then, None)
        flow *= scale
        return flow


def sample_motion(flow: Flow) -> SampleMotion:
    """Return the motion of the sample points, clipped to half a pixel; NaN is clipped as well."""
    rows, columns = _SAMPLE_GRID
    sample = cv.resize(flow, (columns, rows), interpolation=cv.INTER_NEAREST).reshape(-1, 2)
    clipped: SampleMotion = np.fmin(np.fmax(sample, -_MAX_SAMPLE), _MAX_SAMPLE)
    return clipped


def update_mean_motion(sample: SampleMotion, before: SampleMotion) -> SampleMotion:
    """Return the mean motion over the last few frames."""
    mean: SampleMotion = before + np.float32(_NEW_SHARE) * (sample - before)
    return mean


def is_camera_static(sample: SampleMotion, mean: SampleMotion, gray: GrayImage) -> bool:
    """Return whether most of what has contrast does not move.

    Points are weighted by their contrast, as the flow is unreliable where there is none. A camera
    that moves more slowly than the error of the flow at one point may count as static.

    Args:
        sample: The result of `sample_motion` for this frame.
        mean: The result of `update_mean_motion`.
        gray: The frame, at any size.
    """
    x, y = np.abs(mean.T) < _STATIC_MOTION
    still = x & y
    if not still.any():
        return False  # a camera that moves: the contrast need not be known
    rows, columns = _SAMPLE_GRID
    small = cv.resize(gray, (3 * columns, 3 * rows), interpolation=cv.INTER_LINEAR)
    contrast = cv.morphologyEx(small, cv.MORPH_GRADIENT, _BOX)
    contrast = cv.resize(contrast, (columns, rows), interpolation=cv.INTER_AREA).reshape(-1)
    weights = contrast - _NOISE_CONTRAST
    limit_values(weights, 0.05, 30)
    static = weights * still
    total = static.sum()
    if total < _STATIC_SHARE * weights.sum():
        return False
    # einsum: a matrix product would start threads of BLAS, which compete with the network's.
    x, y = np.einsum("p,pi->i", static, sample)
    return bool(max(abs(x), abs(y)) <= _MAX_JERK * total)


def warp_image(
    image: FloatImage,
    flow: Flow,
    *,
    static: NDArray[np.uint8] | None = None,
    bicubic: bool = False,
    buffer: Flow | None = None,
) -> FloatImage:
    """Return the image before, warped along the flow to the present frame.

    Args:
        image: The image before.
        flow: From the present frame to the one before, on a grid of any size.
        static: 255 where the flow is exactly 0, of the flow's size; None if that is not known.
        bicubic: Interpolate bicubically: sharper where it moves, and three times slower.
        buffer: Memory `[height, width, 2]` for the flow at full size.

    Returns:
        A new array; the image itself if nothing moves.
    """
    height, width = image.shape[:2]
    flags = _RELATIVE_CUBIC if bicubic else _RELATIVE_LINEAR
    if static is None:
        full_flow = cv.resize(flow, (width, height), buffer, interpolation=cv.INTER_LINEAR)
        warped: FloatImage = cv.remap(image, full_flow, None, flags, None, cv.BORDER_REPLICATE)
    else:
        rows, columns = moving_part(static, (height, width))
        if rows.stop == rows.start:
            return image
        step = part_of_flow(flow, (height, width), rows, columns)
        warped = image.copy()
        cv.remap(image, step, None, flags, warped[rows, columns], cv.BORDER_REPLICATE)
    if bicubic:
        cv.threshold(warped, 0, 0, cv.THRESH_TOZERO, warped)  # overshoots below black
    return warped


def moving_part(static: NDArray[np.uint8], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of an image outside of which the flow is 0; empty if it all is.

    The flow of a static point is not 0 between it and its neighbors.
    """
    x, y, width, height = cv.boundingRect(cv.bitwise_not(static))
    return tuple(  # type: ignore[return-value]
        slice(
            max(0, (first - 1) * pixels // points),
            min(pixels, -(-(first + count + 1) * pixels // points)),
        )
        if count
        else slice(0, 0)
        for first, count, pixels, points in zip(
            (y, x), (height, width), shape, static.shape, strict=True
        )
    )


def part_of_flow(flow: Flow, shape: tuple[int, int], rows: slice, columns: slice) -> Flow:
    """Return part of the flow, at the size `shape` of an image, as a relative map for cv2.remap.

    The map counts from the part's corner. Its displacements are in the unit of the flow.
    """
    steps = [pixels // points for pixels, points in zip(shape, flow.shape, strict=False)]
    if [step * points for step, points in zip(steps, flow.shape, strict=False)] == list(shape):
        # Whole steps: the points around the part are enough.
        near = [
            slice(max(0, part.start // step - 1), -(-part.stop // step) + 1)
            for part, step in zip((rows, columns), steps, strict=True)
        ]
        flow = flow[tuple(near)]
        shape = flow.shape[0] * steps[0], flow.shape[1] * steps[1]
        corner = [around.start * step for around, step in zip(near, steps, strict=True)]
    else:
        corner = [0, 0]
    resized = cv.resize(flow, shape[::-1], interpolation=cv.INTER_LINEAR)
    inside = resized[
        rows.start - corner[0] : rows.stop - corner[0],
        columns.start - corner[1] : columns.stop - corner[1],
    ]
    part: Flow = cv.add(inside, (columns.start, rows.start, 0, 0))
    return part


def warp_maps(maps: Sequence[FloatMap], flow: Flow) -> list[FloatMap]:
    """Return maps on the grid of `innovation`, warped along the flow to the present frame."""
    step = sample_on_grid(flow, maps[0].shape[::-1]) * np.float32(1 / GRID_SPACING)
    return [cv.remap(m, step, None, _RELATIVE_LINEAR, None, cv.BORDER_REPLICATE) for m in maps]

"""The temporal filter: each stylized frame is averaged with the one before, warped to it.

It adds no delay. `Stabilizer` keeps its state from frame to frame.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np

from live_nst.stabilizer.confidence import (
    BgraImage,
    ByteMap,
    flow_confidence,
    freeze_static_points,
)
from live_nst.stabilizer.innovation import (
    FloatMap,
    Innovation,
    best_window,
    grid_size,
    limit_values,
    sample_on_grid,
    update_innovation,
    zero_innovation,
)
from live_nst.stabilizer.motion import (
    MIN_FLOW_SIDE,
    SAMPLE_POINTS,
    FloatImage,
    Flow,
    FlowEstimator,
    GrayImage,
    SampleMotion,
    is_camera_static,
    sample_motion,
    update_mean_motion,
    warp_image,
    warp_maps,
)
from live_nst.types import Image

cv: Any = cv2  # its type stubs lack optional maps and the dtypes of results

STATE_FORMAT = 4
"""Version of `StabilizerState`. Raise it when the fields or their meaning change."""

_VALID_CONFIDENCE = 128  # from this confidence, of 255, the innovation counts
_CUT_CONFIDENCE = 0.15  # mean confidence below which this frame begins another scene
_GUESS_CONFIDENCE = 0.5  # mean confidence below which the flow is no guess for the next frame

# Number of frames that are averaged before the new one, moving and static.
_MAX_MOVING, _MAX_STATIC = 5.5, 60.0
_MIN_MOVING, _MIN_STATIC = 5.0, 2.0
_WINDOW_TOLERANCE = 2.5  # see `best_window`
_INITIAL_FRAMES = 0.7  # what a confident point counts for in its first frame
_MAX_STYLE_LAG = 0.05  # share of the old style in the result after a change of style

_MAX_FLOW = 1e4  # pixels
_NO_FLOW: Flow = np.zeros((0, 0, 2), np.float32)
_BAND_PIXELS = 20_000  # so that their intermediate results stay in the cache of a core
_WEIGHT_SUM = 1000.0  # cv2.blendLinear divides by the sum of weights + 0.00001


class StabilizerState(NamedTuple):
    """What is kept of one frame for the next. Its arrays must not be modified.

    Attributes:
        gray: The frame at half its size, uint8 `[rows, columns]`.
        half: The same in BGR and 255, uint8 `[rows, columns, 4]`.
        average: The stabilized image, BGR and 255, float32 `[height, width, 4]`.
        frame_counts: Over how many frames it is an average, at the grid points of `innovation`,
            float32 `[rows, columns]`.
        flow: The flow, if it is a guess for the next frame, else an empty array.
        mean_motion: Mean motion of sample points over the last frames, float32 `[points, 2]`.
        innovation, covariance, variance: The fields of `Innovation`.
    """

    gray: GrayImage
    half: BgraImage
    average: FloatImage
    frame_counts: FloatMap
    flow: Flow
    mean_motion: SampleMotion
    innovation: FloatMap
    covariance: FloatMap
    variance: FloatMap


class ScratchBuffers:
    """Memory for intermediate results, reused for every frame.

    Allocating it for every frame would take a fifth of the time. No result depends on its content.
    """

    def __init__(self, height: int = 0, width: int = 0) -> None:
        self.resize(height, width)

    def resize(self, height: int, width: int) -> None:
        """Allocate memory for images of that size."""
        self.size = (height, width)
        self.band = max(1, _BAND_PIXELS // max(1, width))
        self.bytes = np.empty((self.band, width, 4), np.uint8)
        self.image = np.empty((self.band, width, 4), np.float32)
        self.new_weight = np.empty((self.band, width), np.float32)
        self.old_weight = np.empty((height, width), np.float32)
        self.flow = np.empty((height, width, 2), np.float32)


def stabilize_frame(
    state: StabilizerState | None,
    content: Image,
    stylized: Image,
    estimate_flow: FlowEstimator,
    *,
    style_change: float = 0.0,
    bicubic: bool = False,
    scratch: ScratchBuffers | None = None,
) -> tuple[StabilizerState, Image]:
    """Stabilize one stylized frame.

    The image before is warped along the motion of the content and averaged with the new one,
    wherever the content is the same: over as many frames as the point has been visible, unless the
    average lags behind what the network now outputs. New content is taken from the new frame
    alone. A cut resets everything; a new size does not.

    Args:
        state: What the call for the frame before returned, or None for the first frame.
        content: The frame, BGR uint8 `[height, width, 3]`.
        stylized: The network's output for it, of the same shape.
        estimate_flow: Estimates the motion between two frames.
        style_change: How much the style changed since the frame before; 1 is another style. The
            average then runs over fewer frames, so that at most a twentieth of it is the old style.
        bicubic: Warp bicubically: sharper where it moves, and three times slower.
        scratch: Memory to reuse; it has no influence on the result.

    Returns:
        The state for the next frame, and the stabilized image, a new array like `stylized`.
    """
    half = _half_size(content)
    gray: GrayImage = cv.cvtColor(half, cv.COLOR_BGRA2GRAY)
    scratch = scratch or ScratchBuffers()
    if scratch.size != content.shape[:2]:
        scratch.resize(*content.shape[:2])
    before = None if state is None else _resize_state(state, content.shape[:2])
    if before is None or min(gray.shape) < MIN_FLOW_SIDE:
        return _first_state(gray, half, stylized), stylized.copy()

    guess = before.flow if before.flow.size else None
    flow = estimated = _clean_flow(estimate_flow(gray, before.gray, guess))
    sample = sample_motion(flow)
    mean_motion = update_mean_motion(sample, before.mean_motion)
    static = None
    if is_camera_static(sample, mean_motion, gray):
        flow, static = freeze_static_points(flow, half, before.half)
    confidence = flow_confidence(half, gray, before.half, flow, static)
    mean_confidence = cv.mean(confidence)[0] / 255
    if mean_confidence < _CUT_CONFIDENCE:
        return _first_state(gray, half, stylized), stylized.copy()

    warped = warp_image(before.average, flow, static=static, bicubic=bicubic, buffer=scratch.flow)
    grid = before.frame_counts.shape[::-1]
    grid_confidence = cv.resize(confidence, grid, interpolation=cv.INTER_AREA)
    counts, last = warp_maps((before.frame_counts, before.innovation), flow)
    innovation = _measure_innovation(
        Innovation(last, before.covariance, before.variance), stylized, warped, grid_confidence
    )
    limit = _max_frames(counts, static, innovation, style_change)
    counts, share = _count_frames(counts, grid_confidence, limit)
    average = np.empty_like(warped) if warped is before.average else warped
    stabilized = _blend(warped, stylized, _old_weight(share, confidence), scratch, average)
    next_guess = estimated if mean_confidence >= _GUESS_CONFIDENCE else _NO_FLOW
    state = StabilizerState(gray, half, average, counts, next_guess, mean_motion, *innovation)
    return state, stabilized


def _first_state(gray: GrayImage, half: BgraImage, stylized: Image) -> StabilizerState:
    """Return the state after the first frame of a scene."""
    innovation = zero_innovation(*stylized.shape[:2])
    counts = np.ones_like(innovation.last)
    mean_motion = np.zeros((SAMPLE_POINTS, 2), np.float32)
    average = cv.cvtColor(stylized, cv.COLOR_BGR2BGRA).astype(np.float32)
    return StabilizerState(gray, half, average, counts, _NO_FLOW, mean_motion, *innovation)


def _half_size(content: Image) -> BgraImage:
    height, width = content.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    half: BgraImage = cv.cvtColor(
        cv.resize(content, size, interpolation=cv.INTER_AREA), cv.COLOR_BGR2BGRA
    )
    return half


def _clean_flow(flow: Flow) -> Flow:
    """Replace NaN by 0 and limit the length, in place."""
    cv.patchNaNs(flow, 0)
    if cv.norm(flow, cv.NORM_INF) > _MAX_FLOW:  # an eighth of the time of limiting it
        limit_values(flow, -_MAX_FLOW, _MAX_FLOW)
    return flow


def _resize_state(state: StabilizerState, shape: tuple[int, ...]) -> StabilizerState | None:
    """Return the state at another size; None if the aspect ratio differs: another source."""
    rows, columns = state.average.shape[:2]
    if (rows, columns) == shape:
        return state
    height, width = shape
    if abs(width * rows - height * columns) > 0.05 * width * rows:
        return None
    half = max(1, width // 2), max(1, height // 2)
    grid_fields = ("frame_counts", "innovation", "covariance", "variance")
    resized = {
        name: cv.resize(getattr(state, name), size, interpolation=cv.INTER_LINEAR)
        for size, names in (
            ((width, height), ("average",)),
            (half, ("gray", "half")),
            (grid_size(height, width), grid_fields),
        )
        for name in names
    }
    mean_motion = state.mean_motion * np.float32(width / columns)
    return state._replace(**resized, flow=_NO_FLOW, mean_motion=mean_motion)


def _measure_innovation(
    before: Innovation, stylized: Image, average: FloatImage, confidence: ByteMap
) -> Innovation:
    """Return the innovation of a frame; `confidence` is on the grid."""
    grid = confidence.shape[::-1]
    measured = cv.cvtColor(sample_on_grid(stylized, grid), cv.COLOR_BGR2GRAY)
    predicted = cv.cvtColor(sample_on_grid(average, grid), cv.COLOR_BGRA2GRAY)
    valid = (confidence >= _VALID_CONFIDENCE).astype(np.float32)
    return update_innovation(before, measured, predicted, valid)


def _max_frames(
    counts: FloatMap, static: ByteMap | None, innovation: Innovation, style_change: float
) -> FloatMap:
    """Return over how many frames to average at most, without the new one, on the grid."""
    best = best_window(innovation, counts, _WINDOW_TOLERANCE)
    limit = np.copy(best)
    limit_values(limit, _MIN_MOVING, _MAX_MOVING)
    if static is not None:
        where = cv.compare(sample_on_grid(static, counts.shape[::-1]), 0, cv.CMP_GT)
        limit_values(best, _MIN_STATIC, _MAX_STATIC)
        cv.copyTo(best, where, limit)
    if style_change * _MAX_STATIC > _MAX_STYLE_LAG:
        limit = np.minimum(limit, np.float32(_MAX_STYLE_LAG / style_change))
    return limit


def _count_frames(
    counts: FloatMap, confidence: ByteMap, limit: FloatMap
) -> tuple[FloatMap, FloatMap]:
    """Return over how many frames the new average runs, and the old one's share in it."""
    frames = counts + np.float32(_INITIAL_FRAMES)
    frames *= np.multiply(confidence, np.float32(1 / 255), dtype=np.float32)
    frames = cv.min(frames, limit, frames)
    new_counts: FloatMap = frames + np.float32(1)
    return new_counts, frames / new_counts


def _old_weight(share: FloatMap, confidence: ByteMap) -> FloatMap:
    """Return the weight of the old image at half size, 0 to `_WEIGHT_SUM`."""
    upscaled = cv.resize(share, confidence.shape[::-1], interpolation=cv.INTER_LINEAR)
    weight: FloatMap = cv.multiply(upscaled, confidence, None, _WEIGHT_SUM / 255, cv.CV_32F)
    return weight


def _blend(
    warped: FloatImage,
    stylized: Image,
    weight: FloatMap,
    scratch: ScratchBuffers,
    average: FloatImage,
) -> Image:
    """Average the old image with the new one into `average`, and return it as uint8.

    `weight` is that of the old image, at half size. `average` may be `warped`.
    """
    height, width = warped.shape[:2]
    old_weight = cv.resize(
        weight, (width, height), scratch.old_weight, interpolation=cv.INTER_LINEAR
    )
    stabilized: Image = np.empty_like(stylized)
    for top in range(0, height, scratch.band):
        rows = slice(top, min(top + scratch.band, height))
        count = rows.stop - top
        in_bytes, image = scratch.bytes[:count], scratch.image[:count]
        np.copyto(image, cv.cvtColor(stylized[rows], cv.COLOR_BGR2BGRA, in_bytes))
        new_weight = np.subtract(
            np.float32(_WEIGHT_SUM), old_weight[rows], out=scratch.new_weight[:count]
        )
        cv.blendLinear(warped[rows], image, old_weight[rows], new_weight, average[rows])
        cv.convertScaleAbs(average[rows], in_bytes)
        cv.cvtColor(in_bytes, cv.COLOR_BGRA2BGR, stabilized[rows])
    return stabilized

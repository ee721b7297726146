"""Steadying without delay: each frame leans on the one before it, carried along by the motion."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.stabilizer.innovation import (
    GRID_SPACING,
    Innovation,
    best_window,
    grid_size,
    sample_on_grid,
    update_innovation,
    zero_innovation,
)
from live_nst.stabilizer.motion import (
    MIN_FLOW_SIDE,
    SAMPLE_POINTS,
    Flow,
    FlowEstimator,
    GrayImage,
    is_camera_static,
    sample_motion,
    update_mean_motion,
)
from live_nst.types import Image

FloatMap = NDArray[np.float32]
"""`[height, width]`."""
ByteMap = NDArray[np.uint8]
"""`[height, width]`, 0..255."""
BgraImage = NDArray[np.uint8]
"""`[height, width, 4]`, the last 255; four channels are carried along twice as fast as three."""
FloatImage = NDArray[np.float32]
"""`[height, width, 3]`, BGR, 0..255 and beyond."""

cv: Any = cv2  # its type stubs know neither optional maps nor the dtypes that come back

STATE_FORMAT = 2
"""Which `State` this is: to be raised when what it keeps, or what that means, changes."""

_SURE, _UNSURE = 8.0, 24.0  # levels by which a point may differ: trusted fully, not at all
_TEXTURE = 0.25  # that share of what a pixel's neighbors differ by is excused
_MOVING, _RESTING = 5.5, 60.0  # frames that are averaged before the new one, at most
_SHORTEST_MOVING, _SHORTEST_RESTING = 5.0, 2.0  # frames, however far the average is behind
_TOLERANCE = 2.5  # see `lag.best_length`
_HEAD_START = 0.7  # frames that a trusted point counts for, however new
_STILL_LEVELS = 9.0  # a point that changes less is at rest
_FAR = 1e4  # pixels
_SURE_SHARE = 128  # of 255; from that trust on the news counts
_CUT = 0.15  # share of the picture that is trusted; below it, this is another scene
_LOST = 0.5  # the same; below it, the motion is no guess for the next
_NO_FLOW: Flow = np.zeros((0, 0, 2), np.float32)
_LAG = 0.05  # see `steady`
_WHOLE = 1000.0  # what weights add up to: cv2.blendLinear divides by their sum + 0.00001
_LINEARLY = cv.INTER_LINEAR | cv.WARP_RELATIVE_MAP
_BOX = np.ones((3, 3), np.uint8)


class StabilizerState(NamedTuple):
    """What is kept of one frame for the next. Nobody writes into its arrays.

    Attributes:
        gray: The frame at half its size, uint8 `[rows, columns]`.
        half: The same in BGR and 255, uint8 `[rows, columns, 4]`.
        picture: The steadied picture, BGR, float32 `[height, width, 3]`.
        ages: Over how many frames the picture is an average, at points `lag.SPACING` pixels
            apart, float32 `[rows, columns]`.
        flow: The motion that was found, if it is a guess for the next, else of no size.
        drift: The mean motion of sample points over the last few frames, float32 `[points, 2]`.
        last, common, power: The `News` of the last frames.
    """

    gray: GrayImage
    half: BgraImage
    picture: FloatImage
    ages: FloatMap
    flow: Flow
    drift: FloatMap
    last: FloatMap
    common: FloatMap
    power: FloatMap


class ScratchBuffers:
    """Memory for what lies between a frame and its result, used again for the next frame.

    Fresh memory of this size would cost a fifth of the time. Nothing in it outlives a call.
    """

    def __init__(self, height: int = 0, width: int = 0) -> None:
        self.resize(height, width)

    def resize(self, height: int, width: int) -> None:
        """Get ready for pictures of that size."""
        self.size = (height, width)
        self.picture = np.empty((height, width, 3), np.float32)
        self.old_weight, self.new_weight = (np.empty((height, width), np.float32) for _ in range(2))
        self.flow = np.empty((height, width, 2), np.float32)


def stabilize_frame(
    state: StabilizerState | None,
    content: Image,
    stylized: Image,
    motion: FlowEstimator,
    *,
    change: float = 0.0,
    fine: bool = False,
    scratch: ScratchBuffers | None = None,
) -> tuple[StabilizerState, Image]:
    """Steady one stylized frame.

    The picture before is carried along by the motion of the content and averaged with the new
    one, wherever the content is the same: over as many frames as the point has been in sight, as
    long as the average does not lag behind what the network makes of it by now. What came into
    sight is taken as it is. A cut resets everything; a new size carries on.

    Args:
        state: What the frame before gave, or None to begin.
        content: The frame, BGR uint8 `[height, width, 3]`.
        stylized: What the network made of it, of the same shape.
        motion: Finds where the points of one frame are in another.
        change: By how much the style changed since the frame before, 1 being another style. The
            average then runs over fewer frames, so that it lags behind by a twentieth at most.
        fine: Carry the picture along bicubically, not bilinearly: sharper where it moves, and
            three times as long.
        scratch: Memory to use; it makes no difference to the result.

    Returns:
        The state for the next frame, and the steadied picture, a new array like `stylized`.
    """
    half = _halve(content)
    gray: GrayImage = cv.cvtColor(half, cv.COLOR_BGRA2GRAY)
    scratch = scratch or ScratchBuffers()
    if scratch.size != content.shape[:2]:
        scratch.resize(*content.shape[:2])
    before = None if state is None else _fit(state, content.shape[:2])
    if before is not None and min(gray.shape) >= MIN_FLOW_SIDE:
        guess = before.flow if before.flow.size else None
        flow = found = _within_reach(motion(gray, before.gray, guess))
        sample = sample_motion(flow)
        drift = update_mean_motion(sample, before.drift)
        resting = None
        if is_camera_static(sample, drift, gray):
            flow, resting = _rest(found, half, before.half)
        half_flow: Flow = cv.resize(
            flow * np.float32(0.5), gray.shape[::-1], interpolation=cv.INTER_LINEAR
        )
        trust = _confidence(half, gray, before.half, half_flow)
        share = cv.mean(trust)[0] / 255
        if share >= _CUT:
            picture = _warp(before.picture, flow, scratch, fine)
            size = before.ages.shape[::-1]
            sure = cv.resize(trust, size, interpolation=cv.INTER_AREA)
            ages, last = _warp_maps((before.ages, before.last), flow)
            heard = Innovation(last, before.common, before.power)
            news = _listen(heard, stylized, picture, sure)
            limit = _limit(ages, resting, news, change)
            ages, weight = _age(ages, sure, limit)
            _average(picture, stylized, _weight(weight, trust), scratch)
            kept = found if share >= _LOST else _NO_FLOW
            state = StabilizerState(gray, half, picture, ages, kept, drift, *news)
            return state, cv.convertScaleAbs(picture)
    drift = np.zeros((SAMPLE_POINTS, 2), np.float32)
    picture = stylized.astype(np.float32)
    news = zero_innovation(*content.shape[:2])
    ages = np.ones_like(news.last)
    return StabilizerState(gray, half, picture, ages, _NO_FLOW, drift, *news), stylized.copy()


def _halve(content: Image) -> BgraImage:
    height, width = content.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    half: BgraImage = cv.cvtColor(
        cv.resize(content, size, interpolation=cv.INTER_AREA), cv.COLOR_BGR2BGRA
    )
    return half


def _within_reach(flow: Flow) -> Flow:
    """The same array with no motion where it is no number, and none beyond all pictures."""
    cv.patchNaNs(flow, 0)
    np.clip(flow, -_FAR, _FAR, out=flow)
    return flow


def _fit(state: StabilizerState, shape: tuple[int, ...]) -> StabilizerState | None:
    """The state at another size; None if it has another shape, so is another source's."""
    rows, columns = state.picture.shape[:2]
    if (rows, columns) == shape:
        return state
    height, width = shape
    if abs(width * rows - height * columns) > 0.05 * width * rows:
        return None
    half = max(1, width // 2), max(1, height // 2)
    resized = {
        name: cv.resize(getattr(state, name), size, interpolation=cv.INTER_LINEAR)
        for size, names in (
            ((width, height), ("picture",)),
            (half, ("gray", "half")),
            (grid_size(height, width), ("ages", "last", "common", "power")),
        )
        for name in names
    }
    return state._replace(**resized, flow=_NO_FLOW, drift=state.drift * np.float32(width / columns))


def _rest(flow: Flow, now: BgraImage, then: BgraImage) -> tuple[Flow, ByteMap]:
    """The flow, 0 where nothing moves before a camera at rest, and where that is, 255.

    Without it the flow's small errors would shake a picture that is at rest.
    """
    difference = cv.resize(
        _difference(now, then)[0], flow.shape[1::-1], interpolation=cv.INTER_AREA
    )
    resting: ByteMap = cv.compare(cv.blur(difference, (3, 3)), _STILL_LEVELS, cv.CMP_LT)
    moving: Flow = cv.copyTo(flow, cv.bitwise_not(resting))
    return moving, resting


def _confidence(now: BgraImage, gray: GrayImage, then: BgraImage, flow: Flow) -> ByteMap:
    """How far each point is the one that the motion says it is."""
    # The fourth channel tells what was outside: it is 255 inside and less beyond.
    carried = cv.remap(then, flow, None, _LINEARLY, None, cv.BORDER_CONSTANT, (0, 0, 0, 0))
    difference, outside = _difference(now, carried)
    inside = cv.compare(outside, 0, cv.CMP_EQ)
    cv.bitwise_and(difference, inside, difference)
    texture = cv.morphologyEx(gray, cv.MORPH_GRADIENT, _BOX)
    slope = 255 / (_UNSURE - _SURE)
    trust: ByteMap = cv.addWeighted(difference, -slope, texture, slope * _TEXTURE, slope * _UNSURE)
    # What was uncovered spoils its surroundings, too.
    cv.bitwise_and(cv.erode(trust, _BOX), inside, trust)
    return trust


def _difference(one: BgraImage, other: BgraImage) -> tuple[ByteMap, ByteMap]:
    """The largest over the colors, and the fourth channel's."""
    difference = cv.absdiff(one, other)
    # Weights would take less time, but miss what changes in one color; cv2.split takes longer.
    blue, green, red, last = (cv.extractChannel(difference, which) for which in range(4))
    return cv.max(cv.max(blue, green, blue), red, blue), last


def _warp_maps(planes: tuple[FloatMap, ...], flow: Flow) -> list[FloatMap]:
    """What is known at points far apart, carried along."""
    step = sample_on_grid(flow, planes[0].shape[::-1]) * np.float32(1 / GRID_SPACING)
    return [cv.remap(p, step, None, _LINEARLY, None, cv.BORDER_REPLICATE) for p in planes]


def _listen(before: Innovation, stylized: Image, carried: FloatImage, sure: ByteMap) -> Innovation:
    """What the frame brings that is new, at points far apart."""
    size = sure.shape[::-1]
    new, old = (
        cv.cvtColor(sample_on_grid(each, size), cv.COLOR_BGR2GRAY) for each in (stylized, carried)
    )
    return update_innovation(before, new, old, (sure >= _SURE_SHARE).astype(np.float32))


def _limit(ages: FloatMap, resting: ByteMap | None, news: Innovation, change: float) -> FloatMap:
    """Over how many frames to average before the new one, at most."""
    best = best_window(news, ages, _TOLERANCE)
    limit: FloatMap = cv.min(cv.max(best, _SHORTEST_MOVING), _MOVING)
    if resting is not None:
        still = cv.compare(sample_on_grid(resting, ages.shape[::-1]), 0, cv.CMP_GT)
        cv.copyTo(cv.min(cv.max(best, _SHORTEST_RESTING), _RESTING), still, limit)
    if change * _RESTING > _LAG:
        limit = cv.min(limit, _LAG / change)
    return limit


def _age(ages: FloatMap, sure: ByteMap, limit: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Over how many frames the new picture is an average, and the old one's weight in it."""
    frames = ages + np.float32(_HEAD_START)
    frames *= np.multiply(sure, np.float32(1 / 255), dtype=np.float32)
    frames = cv.min(frames, limit, frames)
    new_ages: FloatMap = frames + np.float32(1)
    return new_ages, frames / new_ages


def _weight(weight: FloatMap, trust: ByteMap) -> FloatMap:
    """The old picture's weight at half the size, 0.._WHOLE."""
    fine = cv.resize(weight, trust.shape[::-1], interpolation=cv.INTER_LINEAR)
    weights: FloatMap = cv.multiply(fine, trust, None, _WHOLE / 255, cv.CV_32F)
    return weights


def _warp(picture: FloatImage, flow: Flow, scratch: ScratchBuffers, fine: bool) -> FloatImage:
    """The picture before, carried along: a new array."""
    height, width = picture.shape[:2]
    whole = cv.resize(flow, (width, height), scratch.flow, interpolation=cv.INTER_LINEAR)
    way = cv.INTER_CUBIC if fine else cv.INTER_LINEAR
    carried: FloatImage = cv.remap(
        picture, whole, None, way | cv.WARP_RELATIVE_MAP, None, cv.BORDER_REPLICATE
    )
    if fine:
        cv.threshold(carried, 0, 0, cv.THRESH_TOZERO, carried)  # no overshoots below black
    return carried


def _average(old: FloatImage, stylized: Image, weight: FloatMap, scratch: ScratchBuffers) -> None:
    """Average the old picture with the new one, in its place."""
    height, width = old.shape[:2]
    np.copyto(scratch.picture, stylized)
    old_weight = cv.resize(
        weight, (width, height), scratch.old_weight, interpolation=cv.INTER_LINEAR
    )
    new_weight = np.subtract(np.float32(_WHOLE), old_weight, out=scratch.new_weight)
    cv.blendLinear(old, scratch.picture, old_weight, new_weight, old)

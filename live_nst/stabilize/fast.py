"""Steadying without delay: each frame leans on the one before it, carried along by the motion."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.frames import Image
from live_nst.stabilize.lag import News, at_points, best_length, listen, no_news, points
from live_nst.stabilize.motion import SMALLEST, Flow, Gray, MotionFinder, positions
from live_nst.stabilize.rest import POINTS, camera_rests, mean_motion, sample_motion

Plane = NDArray[np.float32]
"""`[height, width]`."""
Mask = NDArray[np.uint8]
"""`[height, width]`, 0..255."""
Bgra = NDArray[np.uint8]
"""`[height, width, 4]`, the last 255; four channels are carried along twice as fast as three."""
Picture = NDArray[np.float32]
"""`[height, width, 3]`, BGR, 0..255 and beyond."""

cv: Any = cv2  # its type stubs know neither optional maps nor the dtypes that come back

_SURE, _UNSURE = 6.0, 12.0  # levels by which a point may differ: trusted fully, not at all
_TEXTURE = 0.25  # that share of what a pixel's neighbours differ by is excused
_MOVING, _RESTING = 6.5, 60.0  # frames that are averaged before the new one, at most
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
_CUBICALLY = cv.INTER_CUBIC | cv.WARP_RELATIVE_MAP
_BOX = np.ones((3, 3), np.uint8)


class State(NamedTuple):
    """What is kept of one frame for the next. Nobody writes into its arrays.

    Attributes:
        gray: The frame at half its size, uint8 `[rows, columns]`.
        half: The same in BGR and 255, uint8 `[rows, columns, 4]`.
        ages: Over how many frames the picture is an average, float32 `[rows, columns]`.
        picture: The steadied picture, BGR, float32 `[height, width, 3]`.
        flow: The motion that was found, if it is a guess for the next, else of no size.
        drift: The mean motion of sample points over the last few frames, float32 `[points, 2]`.
        last, common, power: The `News` of the last frames.
    """

    gray: Gray
    half: Bgra
    ages: Plane
    picture: Picture
    flow: Flow
    drift: Plane
    last: Plane
    common: Plane
    power: Plane


class Scratch:
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
        self.nowhere = np.zeros((max(1, height // 2), max(1, width // 2), 2), np.float32)


def steady(
    state: State | None,
    content: Image,
    stylised: Image,
    motion: MotionFinder,
    *,
    change: float = 0.0,
    scratch: Scratch | None = None,
) -> tuple[State, Image]:
    """Steady one stylised frame.

    The picture before is carried along by the motion of the content and averaged with the new
    one, wherever the content is the same: over as many frames as the point has been in sight, as
    long as the average does not lag behind what the network makes of it by now. What came into
    sight is taken as it is. A cut resets everything; a new size carries on.

    Args:
        state: What the frame before gave, or None to begin.
        content: The frame, BGR uint8 `[height, width, 3]`.
        stylised: What the network made of it, of the same shape.
        motion: Finds where the points of one frame are in another.
        change: By how much the style changed since the frame before, 1 being another style. The
            average then runs over fewer frames, so that it lags behind by a twentieth at most.
        scratch: Memory to use; it makes no difference to the result.

    Returns:
        The state for the next frame, and the steadied picture, a new array like `stylised`.
    """
    half = _halve(content)
    gray: Gray = cv.cvtColor(half, cv.COLOR_BGRA2GRAY)
    scratch = scratch or Scratch()
    if scratch.size != content.shape[:2]:
        scratch.resize(*content.shape[:2])
    before = None if state is None else _fit(state, content.shape[:2])
    if before is not None and min(gray.shape) >= SMALLEST:
        guess = before.flow if before.flow.size else None
        flow = found = _within_reach(motion(gray, before.gray, guess))
        sample = sample_motion(flow)
        drift = mean_motion(sample, before.drift)
        half_flow: Flow = cv.resize(flow, gray.shape[::-1], interpolation=cv.INTER_LINEAR)
        resting = None
        if camera_rests(sample, drift, gray):
            resting = _rest(half_flow, half, before.half, scratch)
            flow = half_flow
        half_flow = half_flow * np.float32(0.5)
        trust = _trust(half, gray, before.half, half_flow)
        share = cv.mean(trust)[0] / 255
        if share >= _CUT:
            picture = _carry(before.picture, flow, resting, scratch)
            news = _listen(before, stylised, picture, half_flow, trust)
            limit = _limit(before.ages, resting, news, change)
            ages, weight = _age(before.ages, half_flow, trust, limit)
            _average(picture, stylised, weight, scratch)
            kept = found if share >= _LOST else _NO_FLOW
            state = State(gray, half, ages, picture, kept, drift, *news)
            return state, cv.convertScaleAbs(picture)
    ages = np.ones(half.shape[:2], np.float32)
    drift = np.zeros((POINTS, 2), np.float32)
    news = no_news(*content.shape[:2])
    picture = stylised.astype(np.float32)
    return State(gray, half, ages, picture, _NO_FLOW, drift, *news), stylised.copy()


def _halve(content: Image) -> Bgra:
    height, width = content.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    half: Bgra = cv.cvtColor(
        cv.resize(content, size, interpolation=cv.INTER_AREA), cv.COLOR_BGR2BGRA
    )
    return half


def _within_reach(flow: Flow) -> Flow:
    """The same array with no motion where it is no number, and none beyond all pictures."""
    cv.patchNaNs(flow, 0)
    np.clip(flow, -_FAR, _FAR, out=flow)
    return flow


def _fit(state: State, shape: tuple[int, ...]) -> State | None:
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
            (half, ("gray", "half", "ages")),
            (points(height, width), ("last", "common", "power")),
        )
        for name in names
    }
    return state._replace(**resized, flow=_NO_FLOW, drift=state.drift * np.float32(width / columns))


def _rest(flow: Flow, now: Bgra, then: Bgra, scratch: Scratch) -> Mask:
    """Where nothing moves before a camera at rest, 255; the halved `flow` is made 0 there.

    Without it the flow's small errors would shake a picture that is at rest.
    """
    difference = cv.blur(_difference(now, then)[0], (5, 5))
    resting: Mask = cv.compare(difference, _STILL_LEVELS, cv.CMP_LT)
    cv.copyTo(scratch.nowhere, resting, flow)
    return resting


def _trust(now: Bgra, gray: Gray, then: Bgra, flow: Flow) -> Mask:
    """How far each point is the one that the motion says it is."""
    # The fourth channel tells what was outside: it is 255 inside and less beyond.
    carried = cv.remap(then, flow, None, _LINEARLY, None, cv.BORDER_CONSTANT, (0, 0, 0, 0))
    difference, outside = _difference(now, carried)
    inside = cv.compare(outside, 0, cv.CMP_EQ)
    cv.bitwise_and(difference, inside, difference)
    trust: Mask = cv.blur(difference, (3, 3))
    texture = cv.morphologyEx(gray, cv.MORPH_GRADIENT, _BOX)
    slope = 255 / (_UNSURE - _SURE)
    cv.addWeighted(trust, -slope, texture, slope * _TEXTURE, slope * _UNSURE, trust)
    # What was uncovered spoils its surroundings, too.
    cv.bitwise_and(cv.erode(trust, _BOX), inside, trust)
    return trust


def _difference(one: Bgra, other: Bgra) -> tuple[Mask, Mask]:
    """The largest over the colours, and the fourth channel's."""
    blue, green, red, last = cv.split(cv.absdiff(one, other))
    return cv.max(cv.max(blue, green, blue), red, blue), last


def _listen(before: State, stylised: Image, carried: Picture, flow: Flow, trust: Mask) -> News:
    """What the frame brings that is new, at points far apart."""
    size = points(*stylised.shape[:2])
    step = at_points(flow, size) * np.float32(0.5)
    sure = (at_points(trust, size) >= _SURE_SHARE).astype(np.float32)
    news = News(before.last, before.common, before.power)
    new, old = (
        cv.cvtColor(at_points(each, size), cv.COLOR_BGR2GRAY) for each in (stylised, carried)
    )
    return listen(news, new, old, step, sure)


def _limit(ages: Plane, resting: Mask | None, news: News, change: float) -> Plane:
    """Over how many frames to average before the new one, at most."""
    size = news.power.shape[::-1]
    shortest: Plane | float = _SHORTEST_MOVING
    longest: Plane | float = _MOVING
    if resting is not None:
        still = at_points(resting, size) > 0
        shortest = np.where(still, np.float32(_SHORTEST_RESTING), np.float32(_SHORTEST_MOVING))
        longest = np.where(still, np.float32(_RESTING), np.float32(_MOVING))
    best = np.clip(best_length(news, at_points(ages, size), _TOLERANCE), shortest, longest)
    if change * _RESTING > _LAG:
        best = np.fmin(best, _LAG / change)
    limit: Plane = cv.resize(
        best.astype(np.float32), ages.shape[::-1], interpolation=cv.INTER_LINEAR
    )
    return limit


def _age(ages: Plane, flow: Flow, trust: Mask, limit: Plane) -> tuple[Plane, Plane]:
    """Over how many frames the new picture is an average, and the old one's weight in it."""
    frames = cv.remap(ages, flow, None, _LINEARLY, None, cv.BORDER_REPLICATE)
    sure = np.multiply(trust, np.float32(1 / 255), dtype=np.float32)
    frames += np.float32(_HEAD_START)
    frames *= sure
    frames = cv.min(frames, limit, frames)
    new_ages: Plane = frames + np.float32(1)
    frames /= new_ages
    frames *= sure
    frames *= np.float32(_WHOLE)
    return new_ages, frames


def _carry(picture: Picture, flow: Flow, resting: Mask | None, scratch: Scratch) -> Picture:
    """The picture before, carried along: a new array; only where something moves if at rest."""
    height, width = picture.shape[:2]
    whole = cv.resize(flow, (width, height), scratch.flow, interpolation=cv.INTER_LINEAR)
    carried: Picture
    if resting is None:
        carried = cv.remap(picture, whole, None, _CUBICALLY, None, cv.BORDER_REPLICATE)
        return carried
    carried = picture.copy()
    x, y, columns, rows = cv.boundingRect(cv.bitwise_not(resting))
    if columns == 0:
        return carried
    left, top = max(0, 2 * x - 2), max(0, 2 * y - 2)
    right, bottom = min(width, 2 * (x + columns) + 2), min(height, 2 * (y + rows) + 2)
    part = np.s_[top:bottom, left:right]
    places = whole[part] + positions(height, width)[part]
    cv.remap(picture, places, None, cv.INTER_CUBIC, carried[part], cv.BORDER_REPLICATE)
    return carried


def _average(old: Picture, stylised: Image, weight: Plane, scratch: Scratch) -> None:
    """Average the old picture with the new one, in its place."""
    height, width = old.shape[:2]
    np.copyto(scratch.picture, stylised)
    old_weight = cv.resize(
        weight, (width, height), scratch.old_weight, interpolation=cv.INTER_LINEAR
    )
    new_weight = np.subtract(np.float32(_WHOLE), old_weight, out=scratch.new_weight)
    cv.blendLinear(old, scratch.picture, old_weight, new_weight, old)
    cv.threshold(old, 0, 0, cv.THRESH_TOZERO, old)  # no overshoots below black

"""Whether an average lags behind what it averages, told by what each frame brings that is new.

The difference of a new picture and the average so far is noise, as long as the average is true:
another one in every frame. An average that is behind differs the same way frame after frame. So
the correlation of successive differences tells how much of them is lag: R. Mehra, "On the
identification of variances and adaptive Kalman filtering", IEEE Trans. Automatic Control 15, 1970.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its type stubs do not know which dtypes come back

FloatMap = NDArray[np.float32]
"""`[rows, columns]`."""

GRID_SPACING = 4
"""Pixels from one point at which the news is looked at to the next."""

_SURROUNDINGS = 11  # points each way, over which the correlation is taken
_MEMORY = 0.8  # share of the frames before in it
_LARGEST = 0.95  # correlation
_SMALLEST = 1e-4
_FAINT = 1e-3  # squared levels; where there are no news there is no correlation


class Innovation(NamedTuple):
    """What the last frames brought, at points `SPACING` pixels apart.

    Attributes:
        last: The last difference in brightness of new picture and average, in levels, float32
            `[rows, columns]`; 0 where the average did not hold.
        common: The mean product of successive differences, float32 `[rows, columns]`.
        power: Their mean square, float32 `[rows, columns]`.
    """

    last: FloatMap
    common: FloatMap
    power: FloatMap


def zero_innovation(height: int, width: int) -> Innovation:
    """What there is before the second frame of `height` x `width` pixels."""
    columns, rows = grid_size(height, width)
    blank = np.zeros((rows, columns), np.float32)
    return Innovation(blank, blank, blank)


def grid_size(height: int, width: int) -> tuple[int, int]:
    """How many points there are: (columns, rows)."""
    return max(1, width // GRID_SPACING), max(1, height // GRID_SPACING)


def sample_on_grid(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A plane's values at the points."""
    values: NDArray[Any] = cv.resize(plane, size, interpolation=cv.INTER_NEAREST)
    return values


def update_innovation(
    before: Innovation, new: NDArray[Any], old: FloatMap, sure: FloatMap
) -> Innovation:
    """Take in what a frame brings.

    Args:
        before: What the frame before gave, carried along to this one.
        new: The new picture's brightness `at_points`.
        old: That of the average so far, carried along, too.
        sure: Where the average holds, 1, or not, 0.
    """
    then = before.last
    last = cv.subtract(new, old, None, None, cv.CV_32F)
    last *= sure
    power = cv.addWeighted(cv.multiply(last, last), 0.5, cv.multiply(then, then), 0.5, 0)
    return Innovation(
        last, _mean(before.common, cv.multiply(last, then)), _mean(before.power, power)
    )


def _mean(before: FloatMap, now: FloatMap) -> FloatMap:
    """The mean over the frames so far, and over the surroundings."""
    around = cv.blur(now, (_SURROUNDINGS, _SURROUNDINGS))
    mean: FloatMap = cv.addWeighted(before, _MEMORY, around, 1 - _MEMORY, 0)
    return mean


def best_window(news: Innovation, length: FloatMap, tolerance: float) -> FloatMap:
    """Over how many frames to average, for the least error.

    Of the differences' power P, the share r is lag. Over n frames the lag is n times the change
    per frame, and the noise left is (1 - r) P / n, so the error is
    (n / length)^2 r P + (1 - r) P / n, least at n^3 = length^2 (1 - r) / (2 r).

    Args:
        news: What the last frames brought.
        length: Over how many frames the average goes now, `[rows, columns]`.
        tolerance: By how much n^3 is longer, for a steadier picture: 0.5 would be none.
    """
    lag = news.common / (news.power + np.float32(_FAINT))
    lag = np.clip(lag, np.float32(_SMALLEST), np.float32(_LARGEST))
    best: FloatMap = np.cbrt(length * length * np.float32(tolerance) * (1 - lag) / lag)
    return best

"""How many frames to average: enough against noise, but not so many that the average lags behind.

The innovation is the new measurement minus its prediction: here a new stylized image minus the
average so far. While the average is correct, the innovation is noise and differs in every frame.
When the average lags behind, the innovation is similar in successive frames. So the correlation of
successive innovations tells how much of them is lag: R. Mehra, "On the identification of variances
and adaptive Kalman filtering", IEEE Transactions on Automatic Control 15, 1970.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its type stubs lack the dtypes of results

FloatMap = NDArray[np.float32]
"""float32 `[rows, columns]`."""

GRID_SPACING = 4
"""Distance of the grid points at which the innovation is computed, in pixels."""

_BLUR_POINTS = 11  # side of the square over which the correlation is averaged
_MEMORY = 0.8  # weight of the frames before in the running means
_MAX_CORRELATION = 0.95
_MIN_CORRELATION = 1e-4
_MIN_VARIANCE = 1e-3  # squared uint8 values; without any innovation there is no correlation


class Innovation(NamedTuple):
    """Statistics of the innovation at every grid point, float32 `[rows, columns]` each.

    Attributes:
        last: Innovation of the last frame in uint8 values; 0 where the average was not valid.
        covariance: Running mean of the product of successive innovations.
        variance: Running mean of their square.
    """

    last: FloatMap
    covariance: FloatMap
    variance: FloatMap


def zero_innovation(height: int, width: int) -> Innovation:
    """Return the statistics before the second frame of `height` x `width` pixels."""
    columns, rows = grid_size(height, width)
    zeros = np.zeros((rows, columns), np.float32)
    return Innovation(zeros, zeros, zeros)


def grid_size(height: int, width: int) -> tuple[int, int]:
    """Return how many grid points an image has: (columns, rows)."""
    return max(1, width // GRID_SPACING), max(1, height // GRID_SPACING)


def sample_on_grid(values: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return the values of a map or image at the grid points; `size` is (columns, rows)."""
    sampled: NDArray[Any] = cv.resize(values, size, interpolation=cv.INTER_NEAREST)
    return sampled


def limit_values(values: NDArray[np.float32], least: float, most: float) -> None:
    """Limit float32 values in place; numpy.clip takes several times as long for small arrays."""
    np.maximum(values, np.float32(least), out=values)
    np.minimum(values, np.float32(most), out=values)


def update_innovation(
    before: Innovation, measured: NDArray[Any], predicted: FloatMap, valid: FloatMap
) -> Innovation:
    """Return the statistics after one more frame.

    Args:
        before: The statistics of the frame before, warped to this frame.
        measured: Brightness of the new stylized image on the grid.
        predicted: Brightness of the average so far on the grid, warped to this frame.
        valid: 1 where the average is valid, else 0, float32.
    """
    last = measured.astype(np.float32)  # cv2.subtract takes longer for two types
    last -= predicted
    last *= valid
    squares = cv.addWeighted(
        cv.multiply(last, last), 0.5, cv.multiply(before.last, before.last), 0.5, 0
    )
    products = cv.multiply(last, before.last)
    return Innovation(
        last,
        _running_mean(before.covariance, products),
        _running_mean(before.variance, squares),
    )


def _running_mean(before: FloatMap, now: FloatMap) -> FloatMap:
    """Return the mean over the frames so far and over neighboring points."""
    blurred = cv.blur(now, (_BLUR_POINTS, _BLUR_POINTS))
    mean: FloatMap = cv.addWeighted(before, _MEMORY, blurred, 1 - _MEMORY, 0)
    return mean


def best_window(innovation: Innovation, window: FloatMap, tolerance: float) -> FloatMap:
    """Return over how many frames to average for the smallest error.

    Let P be the variance of the innovation and r the share of it that is lag. The lag of an average
    over n frames is n times the change per frame, and the remaining noise is (1 - r) P / n. So the
    error is (n / window)^2 r P + (1 - r) P / n, smallest at n^3 = window^2 (1 - r) / (2 r).

    Args:
        innovation: The statistics so far.
        window: Over how many frames the average runs now, float32 `[rows, columns]`.
        tolerance: Factor of n^3. 0.5 gives the smallest error; more gives less flicker.
    """
    lag = innovation.covariance / (innovation.variance + np.float32(_MIN_VARIANCE))
    limit_values(lag, _MIN_CORRELATION, _MAX_CORRELATION)
    cubes = window * window * np.float32(tolerance) * (1 - lag) / lag
    best: FloatMap = cv.pow(cubes, 1 / 3)  # a twelfth of the time of numpy.cbrt
    return best

"""Innovation statistics of averages whose lag and noise are known."""

import numpy as np
import pytest

from live_nst.stabilizer.innovation import (
    Innovation,
    best_window,
    grid_size,
    update_innovation,
    zero_innovation,
)

HEIGHT, WIDTH, NOISE = 160, 240, 4.0
COLUMNS, ROWS = grid_size(HEIGHT, WIDTH)
SHAPE = (ROWS, COLUMNS)
VALID = np.ones((ROWS, COLUMNS), np.float32)
TOLERANCE = 0.5  # the smallest error


def innovation_of(slope: float, length: float, frames: int = 60) -> Innovation:
    """Of an average over `length` frames of noise that rises by `slope` per frame."""
    random = np.random.default_rng(0)
    average = np.zeros(SHAPE)
    innovation = zero_innovation(HEIGHT, WIDTH)
    for t in range(frames):
        new = slope * t + random.normal(0, NOISE, SHAPE)
        innovation = update_innovation(
            innovation, new.astype(np.float32), average.astype(np.float32), VALID
        )
        average += (new - average) / length
    return innovation


def best(innovation: Innovation, length: float) -> np.ndarray:
    return best_window(innovation, np.full_like(innovation.variance, length), TOLERANCE)


@pytest.mark.parametrize(("slope", "length"), [(1.0, 8.0), (0.5, 8.0), (2.0, 4.0), (0.6, 12.0)])
def test_best_window_has_the_smallest_error(slope: float, length: float) -> None:
    """The error of an average over n frames is (slope n)^2 + noise^2 / n; found by trying."""
    lengths = np.linspace(1, 60, 2000)
    errors = (slope * lengths) ** 2 + NOISE**2 / lengths
    expected = lengths[np.argmin(errors)]

    assert np.median(best(innovation_of(slope, length), length)) == pytest.approx(
        expected, rel=0.25
    )


def test_best_window_is_long_without_lag() -> None:
    # Of noise alone, the correlation is a small negative one: each average holds the last noise.
    assert np.median(best(innovation_of(0.0, 10.0), 10.0)) > 60


def test_best_window_is_short_only_where_the_average_lags() -> None:
    left, right = innovation_of(0.0, 10.0), innovation_of(2.0, 10.0)
    half = COLUMNS // 2
    innovation = Innovation(
        *(np.hstack([a[:, :half], b[:, half:]]) for a, b in zip(left, right, strict=True))
    )
    lengths = best(innovation, 10.0)
    assert np.median(lengths[:, :half]) > 5 * np.median(lengths[:, half:])


def test_repeated_difference_correlates() -> None:
    difference = np.random.default_rng(1).normal(0, 9, SHAPE).astype(np.float32)
    blank = np.zeros(SHAPE, np.float32)
    before = Innovation(difference, *zero_innovation(HEIGHT, WIDTH)[1:])
    for new, alike in ((difference, True), (np.roll(difference, 1, 1), False)):
        innovation = update_innovation(before, new, blank, VALID)
        correlation = np.median(innovation.covariance / innovation.variance)
        assert correlation == pytest.approx(1, abs=0.05) if alike else abs(correlation) < 0.2


def test_innovation_is_zero_where_the_average_is_not_valid() -> None:
    blank = np.zeros(SHAPE, np.float32)
    innovation = update_innovation(zero_innovation(HEIGHT, WIDTH), blank + 200, blank, 0 * VALID)
    assert (
        not innovation.last.any()
        and not innovation.covariance.any()
        and not innovation.variance.any()
    )

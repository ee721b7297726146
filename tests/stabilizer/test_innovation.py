"""How far an average lags, against averages whose lag and noise are known."""

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
SURE = np.ones((ROWS, COLUMNS), np.float32)
TOLERANCE = 0.5  # none: the least error


def watch(slope: float, length: float, frames: int = 60) -> Innovation:
    """News of an average over `length` frames of noise that rises by `slope` a frame."""
    random = np.random.default_rng(0)
    average = np.zeros(SHAPE)
    news = zero_innovation(HEIGHT, WIDTH)
    for t in range(frames):
        new = slope * t + random.normal(0, NOISE, SHAPE)
        news = update_innovation(news, new.astype(np.float32), average.astype(np.float32), SURE)
        average += (new - average) / length
    return news


def best(news: Innovation, length: float) -> np.ndarray:
    return best_window(news, np.full_like(news.power, length), TOLERANCE)


@pytest.mark.parametrize(("slope", "length"), [(1.0, 8.0), (0.5, 8.0), (2.0, 4.0), (0.6, 12.0)])
def test_the_length_is_that_of_the_least_error(slope: float, length: float) -> None:
    """The error of an average over n frames is (slope n)^2 + noise^2 / n; found by trying."""
    lengths = np.linspace(1, 60, 2000)
    errors = (slope * lengths) ** 2 + NOISE**2 / lengths
    expected = lengths[np.argmin(errors)]

    assert np.median(best(watch(slope, length), length)) == pytest.approx(expected, rel=0.25)


def test_an_average_that_is_true_may_go_on() -> None:
    # Of noise alone, the correlation is a small negative one: each average holds the last noise.
    assert np.median(best(watch(0.0, 10.0), 10.0)) > 60


def test_only_where_it_lags_it_becomes_shorter() -> None:
    left, right = watch(0.0, 10.0), watch(2.0, 10.0)
    half = COLUMNS // 2
    news = Innovation(
        *(np.hstack([a[:, :half], b[:, half:]]) for a, b in zip(left, right, strict=True))
    )
    lengths = best(news, 10.0)
    assert np.median(lengths[:, :half]) > 5 * np.median(lengths[:, half:])


def test_what_differs_the_same_way_again_is_lag() -> None:
    difference = np.random.default_rng(1).normal(0, 9, SHAPE).astype(np.float32)
    blank = np.zeros(SHAPE, np.float32)
    before = Innovation(difference, *zero_innovation(HEIGHT, WIDTH)[1:])
    for new, alike in ((difference, True), (np.roll(difference, 1, 1), False)):
        news = update_innovation(before, new, blank, SURE)
        correlation = np.median(news.common / news.power)
        assert correlation == pytest.approx(1, abs=0.05) if alike else abs(correlation) < 0.2


def test_where_the_average_does_not_hold_there_is_no_news() -> None:
    blank = np.zeros(SHAPE, np.float32)
    news = update_innovation(zero_innovation(HEIGHT, WIDTH), blank + 200, blank, 0 * SURE)
    assert not news.last.any() and not news.common.any() and not news.power.any()

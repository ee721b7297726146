import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.styles.bottlenecks import bottleneck_distance, interpolate_bottlenecks
from live_nst.stylizer.transition import Transition

FIRST = np.array([0, 1, -2, 10], np.float32)
SECOND = np.array([1, 1, 2, -30], np.float32)
THIRD = np.array([5, 5, 5, 5], np.float32)

SECONDS = st.floats(0.01, 100)
MOMENTS = st.floats(-10, 1e6)
SHARES = st.floats(0, 1)


def style_fade(first: np.ndarray) -> Transition[np.ndarray]:
    return Transition(first, interpolate_bottlenecks)


def share(bottleneck: np.ndarray) -> float:
    """How far from FIRST to SECOND."""
    return float((bottleneck[3] - FIRST[3]) / (SECOND[3] - FIRST[3]))


def test_at_without_changes() -> None:
    fade = style_fade(FIRST)
    for moment in (-5.0, 0.0, 1e9):
        assert fade.at(moment) is FIRST


@given(SECONDS, MOMENTS)
def test_at_start_and_end(seconds: float, start: float) -> None:
    fade = style_fade(FIRST)
    fade.to(SECOND, seconds, start)

    np.testing.assert_array_equal(fade.at(start), FIRST)
    np.testing.assert_array_equal(fade.at(start - 1), FIRST)
    assert fade.at(start + seconds) is SECOND
    assert fade.at(start + seconds * 2) is SECOND


def test_at_half_time() -> None:
    fade = style_fade(FIRST)
    fade.to(SECOND, 2.0, 10.0)

    np.testing.assert_allclose(fade.at(11.0), (FIRST + SECOND) / 2)
    assert fade.at(11.0).dtype == np.float32


@given(SECONDS, SHARES, SHARES)
def test_at_is_monotonic(seconds: float, one: float, other: float) -> None:
    fade = style_fade(FIRST)
    fade.to(SECOND, seconds, 0.0)
    earlier, later = sorted((one * seconds, other * seconds))

    shares = share(fade.at(earlier)), share(fade.at(later))

    assert 0 <= shares[0] <= shares[1] + 1e-6 <= 1 + 2e-6


@given(SECONDS, SHARES)
def test_at_is_smooth(seconds: float, moment: float) -> None:
    """Never faster than one and a half times the mean speed, and slow at either end."""
    fade = style_fade(FIRST)
    fade.to(SECOND, seconds, 0.0)
    step = 0.01

    before, after = (share(fade.at((moment + s) * seconds)) for s in (0, step))

    assert after - before <= 1.5 * step + 1e-4
    assert share(fade.at(step * seconds)) < 0.001
    assert share(fade.at((1 - step) * seconds)) > 0.999


@given(SECONDS, SHARES, SECONDS)
def test_to_during_a_fade_continues_from_the_current_value(
    seconds: float, moment: float, next_seconds: float
) -> None:
    fade = style_fade(FIRST)
    fade.to(SECOND, seconds, 0.0)
    now = moment * seconds
    shown = fade.at(now).copy()

    fade.to(THIRD, next_seconds, now)

    np.testing.assert_array_equal(fade.at(now), shown)
    just_after = fade.at(now + next_seconds * 1e-3)
    assert np.abs(just_after - shown).max() < 1e-4 * np.abs(THIRD - shown).max() + 1e-6
    assert fade.at(now + next_seconds * 1.001) is THIRD


def test_to_without_fade_is_immediate() -> None:
    fade = style_fade(FIRST)
    fade.to(SECOND, 0.0, 100.0)
    assert fade.at(99.9) is FIRST
    assert fade.at(100.0) is fade.at(150.0) is fade.last is SECOND


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 30)), max_size=6), st.lists(MOMENTS))
def test_to_in_advance(changes: list[tuple[float, float]], moments: list[float]) -> None:
    """Whatever was asked for in between, a moment has one value."""
    styles = [np.full(4, index, np.float32) for index in range(len(changes) + 1)]
    timetable, stepwise = style_fade(styles[0]), style_fade(styles[0])
    for style, (start, seconds) in zip(styles[1:], sorted(changes), strict=True):
        timetable.to(style, seconds, start)
    seen = {moment: timetable.at(moment) for moment in moments}
    for moment in reversed(moments):
        np.testing.assert_array_equal(timetable.at(moment), seen[moment])
    changing = list(zip(styles[1:], sorted(changes), strict=True))
    for moment in sorted(moments):
        while changing and changing[0][1][0] <= moment:
            style, (start, seconds) = changing.pop(0)
            stepwise.to(style, seconds, start)
        np.testing.assert_array_equal(stepwise.at(moment), seen[moment])


def test_to_drops_changes_that_begin_later() -> None:
    fade = style_fade(FIRST)
    fade.to(SECOND, 1.0, 100.0)
    fade.to(THIRD, 0.0, 50.0)
    assert fade.at(49.0) is FIRST
    assert fade.at(200.0) is THIRD


def test_values_are_not_modified() -> None:
    first, second = FIRST.copy(), SECOND.copy()
    fade = style_fade(first)
    fade.to(second, 1.0, 0.0)
    fade.at(0.5)[:] = 99
    np.testing.assert_array_equal(first, FIRST)
    np.testing.assert_array_equal(second, SECOND)


def test_bottleneck_distance() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(0, 1, (2, 100)).astype(np.float32)
    assert bottleneck_distance(one, one) == 0
    assert bottleneck_distance(one, one.copy()) == 0
    assert 1 < bottleneck_distance(one, other) < 2
    nearby = interpolate_bottlenecks(one, other, 0.05)
    assert bottleneck_distance(one, nearby) == pytest.approx(
        0.05 * bottleneck_distance(one, other), rel=0.1
    )
    assert bottleneck_distance(0 * one, 0 * other) == 0

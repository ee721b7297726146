import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.styles.fade import StyleFade

FIRST = np.array([0, 1, -2, 10], np.float32)
SECOND = np.array([1, 1, 2, -30], np.float32)
THIRD = np.array([5, 5, 5, 5], np.float32)

SECONDS = st.floats(0.01, 100)
MOMENTS = st.floats(-10, 1e6)
SHARES = st.floats(0, 1)


def share(bottleneck: np.ndarray) -> float:
    """How far from FIRST to SECOND."""
    return float((bottleneck[3] - FIRST[3]) / (SECOND[3] - FIRST[3]))


def test_without_a_change_it_is_the_first_style_at_any_time() -> None:
    fade = StyleFade(FIRST)
    for moment in (-5.0, 0.0, 1e9):
        assert fade.at(moment) is FIRST


@given(SECONDS, MOMENTS)
def test_it_starts_and_ends_exactly(seconds: float, start: float) -> None:
    fade = StyleFade(FIRST)
    fade.to(SECOND, seconds, start)

    np.testing.assert_array_equal(fade.at(start), FIRST)
    np.testing.assert_array_equal(fade.at(start - 1), FIRST)
    assert fade.at(start + seconds) is SECOND
    assert fade.at(start + seconds * 2) is SECOND


def test_it_is_halfway_at_half_time() -> None:
    fade = StyleFade(FIRST)
    fade.to(SECOND, 2.0, 10.0)

    np.testing.assert_allclose(fade.at(11.0), (FIRST + SECOND) / 2)
    assert fade.at(11.0).dtype == np.float32


@given(SECONDS, SHARES, SHARES)
def test_it_only_goes_forward(seconds: float, one: float, other: float) -> None:
    fade = StyleFade(FIRST)
    fade.to(SECOND, seconds, 0.0)
    earlier, later = sorted((one * seconds, other * seconds))

    shares = share(fade.at(earlier)), share(fade.at(later))

    assert 0 <= shares[0] <= shares[1] + 1e-6 <= 1 + 2e-6


@given(SECONDS, SHARES)
def test_it_is_smooth(seconds: float, moment: float) -> None:
    """Never faster than one and a half times the mean speed, and slow at either end."""
    fade = StyleFade(FIRST)
    fade.to(SECOND, seconds, 0.0)
    step = 0.01

    before, after = (share(fade.at((moment + s) * seconds)) for s in (0, step))

    assert after - before <= 1.5 * step + 1e-4
    assert share(fade.at(step * seconds)) < 0.001
    assert share(fade.at((1 - step) * seconds)) > 0.999


@given(SECONDS, SHARES, SECONDS)
def test_a_change_midway_goes_on_from_what_shows(
    seconds: float, moment: float, next_seconds: float
) -> None:
    fade = StyleFade(FIRST)
    fade.to(SECOND, seconds, 0.0)
    now = moment * seconds
    shown = fade.at(now).copy()

    fade.to(THIRD, next_seconds, now)

    np.testing.assert_array_equal(fade.at(now), shown)
    just_after = fade.at(now + next_seconds * 1e-3)
    assert np.abs(just_after - shown).max() < 1e-4 * np.abs(THIRD - shown).max() + 1e-6
    assert fade.at(now + next_seconds * 1.001) is THIRD


@pytest.mark.parametrize("now", [0.0, 50.0, 100.0, 150.0])
def test_a_change_without_a_fade_is_there_at_once(now: float) -> None:
    """Also for a frame that was captured before the change."""
    fade = StyleFade(FIRST)
    fade.to(SECOND, 0.0, 100.0)
    assert fade.at(now) is SECOND


def test_nothing_is_written_into_the_styles() -> None:
    first, second = FIRST.copy(), SECOND.copy()
    fade = StyleFade(first)
    fade.to(second, 1.0, 0.0)
    fade.at(0.5)[:] = 99
    np.testing.assert_array_equal(first, FIRST)
    np.testing.assert_array_equal(second, SECOND)

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.compose import compose, show_split

random = np.random.default_rng(0)
CONTENT = random.integers(0, 256, (45, 81, 3), np.uint8)
STYLISED = random.integers(0, 256, (24, 40, 3), np.uint8)


def split(content: np.ndarray, stylised: np.ndarray, strength: float = 1.0) -> np.ndarray:
    result = compose(content, stylised, strength=strength)
    show_split(content, result)
    return result


def full() -> np.ndarray:
    return cv2.resize(STYLISED, (81, 45), interpolation=cv2.INTER_CUBIC)


def test_full_strength_is_the_stylised_picture_at_the_contents_size() -> None:
    np.testing.assert_array_equal(compose(CONTENT, STYLISED), full())


def test_at_one_size_nothing_is_resampled() -> None:
    other = CONTENT[::-1].copy()
    np.testing.assert_array_equal(compose(CONTENT, other), other)


@pytest.mark.parametrize("strength", [0.0, -1.0])
def test_no_strength_is_the_content(strength: float) -> None:
    result = compose(CONTENT, STYLISED, strength=strength)
    np.testing.assert_array_equal(result, CONTENT)
    assert not np.shares_memory(result, CONTENT)


@given(st.floats(0.01, 0.99))
def test_between_them_it_is_a_blend_that_never_wraps(strength: float) -> None:
    result = compose(CONTENT, STYLISED, strength=strength)
    expected = strength * full().astype(float) + (1 - strength) * CONTENT
    assert np.abs(result - expected).max() <= 1


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 20), st.integers(1, 20))
def test_any_sizes(width: int, height: int, small_width: int, small_height: int) -> None:
    content = np.full((height, width, 3), 10, np.uint8)
    stylised = np.full((small_height, small_width, 3), (50, 100, 200), np.uint8)

    result = split(content, stylised)
    result_without = compose(content, stylised)

    assert result.shape == content.shape
    assert result.dtype == np.uint8
    assert (result_without == (50, 100, 200)).all()


def test_the_split_view_has_the_content_on_the_left() -> None:
    result = split(CONTENT, STYLISED)

    np.testing.assert_array_equal(result[:, :39], CONTENT[:, :39])
    np.testing.assert_array_equal(result[:, 41:], full()[:, 41:])
    assert (result[:, 39:41] == 255).all()


def test_the_line_of_the_split_view_grows_with_the_picture() -> None:
    content = np.zeros((4, 1280, 3), np.uint8)
    result = split(content, content)
    assert np.flatnonzero(result[0, :, 0]).tolist() == [638, 639, 640, 641]


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "content", [CONTENT[:, ::-1], CONTENT[::2, ::3], np.asfortranarray(CONTENT), CONTENT[..., ::-1]]
)
def test_content_in_any_layout(content: np.ndarray, strength: float) -> None:
    expected = split(np.ascontiguousarray(content), STYLISED, strength)
    result = split(content, STYLISED, strength)
    np.testing.assert_array_equal(result, expected)


def test_neither_picture_is_written_into() -> None:
    content, stylised = CONTENT.copy(), CONTENT.copy()
    for strength in (0.0, 0.5, 1.0):
        split(content, stylised, strength)[:] = 0
    np.testing.assert_array_equal(content, CONTENT)
    np.testing.assert_array_equal(stylised, CONTENT)

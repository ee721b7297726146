import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.sinks.geometry import letterbox, pad_to_even, round_up_to_even


def gradient(width: int, height: int) -> np.ndarray:
    return np.arange(width * height * 3, dtype=np.uint32).reshape(height, width, 3).astype(np.uint8)


def test_pad_to_even_returns_an_even_image_itself() -> None:
    image = gradient(6, 4)
    assert pad_to_even(image) is image
    assert letterbox(image, (6, 4)) is image


@pytest.mark.parametrize(("width", "height"), [(5, 4), (6, 3), (5, 3), (1, 1)])
def test_pad_to_even_repeats_the_last_line(width: int, height: int) -> None:
    image = gradient(width, height)
    result = pad_to_even(image)
    assert result.shape == (height + height % 2, width + width % 2, 3)
    np.testing.assert_array_equal(result[:height, :width], image)
    np.testing.assert_array_equal(result[-1, :width], image[-1])
    np.testing.assert_array_equal(result[:height, -1], image[:, -1])


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_round_up_to_even(width: int, height: int) -> None:
    result = round_up_to_even((width, height))
    assert all(side % 2 == 0 for side in result)
    assert 0 <= result[0] - width <= 1
    assert 0 <= result[1] - height <= 1


def test_letterbox_wide_image() -> None:
    result = letterbox(np.full((20, 80, 3), 200, np.uint8), (40, 40))
    assert result.shape == (40, 40, 3)
    assert (result[15:25] == 200).all()
    assert (result[:15] == 0).all()
    assert (result[25:] == 0).all()


def test_letterbox_tall_image() -> None:
    result = letterbox(np.full((80, 20, 3), 200, np.uint8), (40, 40))
    assert (result[:, 15:25] == 200).all()
    assert (result[:, :15] == 0).all()
    assert (result[:, 25:] == 0).all()


def test_letterbox_enlarges() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[1, 1] = (255, 0, 0), (0, 0, 255)
    result = letterbox(image, (40, 40))
    np.testing.assert_array_equal(result[2, 2], (255, 0, 0))
    np.testing.assert_array_equal(result[-3, -3], (0, 0, 255))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_letterbox_any_size(width: int, height: int, to_width: int, to_height: int) -> None:
    result = letterbox(np.full((height, width, 3), 9, np.uint8), (to_width, to_height))
    assert result.shape == (to_height, to_width, 3)
    assert result.dtype == np.uint8
    assert result.max() == 9

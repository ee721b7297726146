import dataclasses
from typing import Any

import numpy as np
import pytest

from live_nst.types import Frame, check_image


def test_a_frame_knows_its_size() -> None:
    frame = Frame(np.zeros((3, 5, 3), np.uint8), 7, 1.5)
    assert frame.size == (5, 3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.index = 8  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(1, 1, 3), (720, 1280, 3), (1, 2000, 3), (3, 3, 3)])
def test_a_picture_is_given_back_itself(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint8)
    assert check_image(image) is image


@pytest.mark.parametrize("thing", [None, [[[1, 2, 3]]], "picture.jpg", b"abc", 5])
def test_what_is_no_array(thing: Any) -> None:
    with pytest.raises(TypeError, match=f"numpy array, got {type(thing).__name__}"):
        check_image(thing)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16, np.int8, np.int64, bool])
def test_another_dtype(dtype: Any) -> None:
    with pytest.raises(TypeError, match=f"uint8.* got {np.dtype(dtype)}"):
        check_image(np.zeros((4, 4, 3), dtype))


@pytest.mark.parametrize(
    "shape", [(), (3,), (4, 4), (4, 4, 1), (4, 4, 4), (3, 4, 4), (1, 4, 4, 3), (0, 4, 3), (4, 0, 3)]
)
def test_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\[height, width, 3\]") as caught:
        check_image(np.zeros(shape, np.uint8))
    assert str(list(shape)) in str(caught.value)

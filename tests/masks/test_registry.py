"""The masks that a stylizer has ready."""

from typing import Any

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.masks import registry as rack
from live_nst.masks.base import AlphaMask
from live_nst.stylizer.look import Look
from live_nst.types import Image

PEOPLE = Look(only="person")


class Counting:
    """A mask that says how often it was asked."""

    state: Any = None

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, small: Image, size: tuple[int, int]) -> AlphaMask:
        self.asked += 1
        return np.full(size[::-1], self.asked, np.uint8)

    def reset(self) -> None:
        self.asked = 0


@pytest.fixture
def mask(monkeypatch: pytest.MonkeyPatch) -> Counting:
    mask = Counting()
    monkeypatch.setattr(rack, "open_mask", lambda only: mask)
    return mask


def test_the_same_painting_again_has_the_same_mask(mask: Counting) -> None:
    masks = rack.MaskRegistry()
    masks.load("person")
    blank = np.zeros((9, 16, 3), np.uint8)
    one, other = (StylizedFrame(blank, blank) for _ in range(2))
    first = masks.of_next(PEOPLE, one, (16, 9))
    assert masks.of_next(PEOPLE, one, (16, 9)) is first
    assert mask.asked == 1
    masks.of_next(PEOPLE, other, (16, 9))  # another one, however alike
    masks.of_next(PEOPLE, other, (32, 18))
    assert mask.asked == 3
    masks.reset()
    masks.of_next(PEOPLE, other, (32, 18))
    assert mask.asked == 1

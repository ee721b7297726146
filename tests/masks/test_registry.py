"""Masks by region."""

from typing import Any

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.masks import registry
from live_nst.masks.base import AlphaMask
from live_nst.types import Image


class Counting:
    """Counts how often it computes a mask."""

    state: Any = None

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, small: Image, size: tuple[int, int]) -> AlphaMask:
        self.calls += 1
        return np.full(size[::-1], self.calls, np.uint8)

    def reset(self) -> None:
        self.calls = 0


@pytest.fixture
def mask(monkeypatch: pytest.MonkeyPatch) -> Counting:
    mask = Counting()
    monkeypatch.setattr(registry, "create_mask_provider", lambda region: mask)
    return mask


def test_next_mask_computes_one_mask_per_frame(mask: Counting) -> None:
    masks = registry.MaskRegistry()
    masks.load("person")
    blank = np.zeros((9, 16, 3), np.uint8)
    one, other = (StylizedFrame(blank, blank) for _ in range(2))
    first = masks.next_mask("person", one, (16, 9))
    assert masks.next_mask("person", one, (16, 9)) is first
    assert mask.calls == 1
    masks.next_mask("person", other, (16, 9))  # another one, however alike
    masks.next_mask("person", other, (32, 18))
    assert mask.calls == 3
    masks.reset()
    masks.next_mask("person", other, (32, 18))
    assert mask.calls == 1

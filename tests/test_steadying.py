"""What the stylizer has between the network and the look: paintings, steadied in order."""

import numpy as np
import pytest

from live_nst.engines.base import Painted
from live_nst.stabilize.fast import STATE_FORMAT
from live_nst.steadying import Steadying
from tests.stabilize.scenes import flicker, paint, view

STYLE = np.zeros(8, np.float32)
CONTENT = view(0)


def paintings(count: int) -> list[Painted]:
    return [Painted(CONTENT, flicker(paint(CONTENT), seed)) for seed in range(count)]


def test_the_same_painting_again_is_the_same_picture_and_counts_once() -> None:
    first, second, third = paintings(3)
    twice, once = Steadying("fast", STYLE), Steadying("fast", STYLE)
    for painted in (first, second):
        steadied = twice(painted, STYLE, 1.0)
        assert twice(painted, STYLE, 1.0) is steadied
        once(painted, STYLE, 1.0)
    np.testing.assert_array_equal(
        twice(third, STYLE, 1.0).stylised, once(third, STYLE, 1.0).stylised
    )


def test_after_a_reset_the_same_painting_begins_something_new() -> None:
    first, second = paintings(2)
    steadying = Steadying("fast", STYLE)
    steadying(first, STYLE, 1.0)
    assert (steadying(second, STYLE, 1.0).stylised != second.stylised).any()
    steadying.reset(STYLE)
    np.testing.assert_array_equal(steadying(second, STYLE, 1.0).stylised, second.stylised)


def test_off_leaves_paintings_as_they_are() -> None:
    (painted,) = paintings(1)
    assert Steadying("off", STYLE)(painted, STYLE, 1.0) is painted


def test_what_is_kept_is_told_apart_by_mode_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a conversion does not go on with what another program kept."""
    told = {mode: Steadying(mode, STYLE).settings() for mode in ("off", "fast", "best")}
    assert len(set(told.values())) == 3
    monkeypatch.setattr("live_nst.steadying.STATE_FORMAT", STATE_FORMAT + 1)
    assert Steadying("off", STYLE).settings() == told["off"]
    assert Steadying("fast", STYLE).settings() != told["fast"]

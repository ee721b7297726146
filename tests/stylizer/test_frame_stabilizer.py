"""What the stylizer has between the network and the look: paintings, steadied in order."""

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.stabilizer.filter import STATE_FORMAT
from live_nst.stylizer.frame_stabilizer import FrameStabilizer
from tests.stabilizer.scenes import flicker, paint, view

STYLE = np.zeros(8, np.float32)
CONTENT = view(0)


def paintings(count: int) -> list[StylizedFrame]:
    return [StylizedFrame(CONTENT, flicker(paint(CONTENT), seed)) for seed in range(count)]


def test_the_same_painting_again_is_the_same_picture_and_counts_once() -> None:
    first, second, third = paintings(3)
    twice, once = FrameStabilizer("fast", STYLE), FrameStabilizer("fast", STYLE)
    for painted in (first, second):
        steadied = twice(painted, STYLE, 1.0)
        assert twice(painted, STYLE, 1.0) is steadied
        once(painted, STYLE, 1.0)
    np.testing.assert_array_equal(
        twice(third, STYLE, 1.0).stylized, once(third, STYLE, 1.0).stylized
    )


def test_after_a_reset_the_same_painting_begins_something_new() -> None:
    first, second = paintings(2)
    steadying = FrameStabilizer("fast", STYLE)
    steadying(first, STYLE, 1.0)
    assert (steadying(second, STYLE, 1.0).stylized != second.stylized).any()
    steadying.reset(STYLE)
    np.testing.assert_array_equal(steadying(second, STYLE, 1.0).stylized, second.stylized)


def test_off_leaves_paintings_as_they_are() -> None:
    (painted,) = paintings(1)
    assert FrameStabilizer("off", STYLE)(painted, STYLE, 1.0) is painted


def test_what_is_kept_is_told_apart_by_mode_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a conversion does not go on with what another program kept."""
    told = {mode: FrameStabilizer(mode, STYLE).settings() for mode in ("off", "fast", "best")}
    assert len(set(told.values())) == 3
    monkeypatch.setattr("live_nst.stylizer.frame_stabilizer.STATE_FORMAT", STATE_FORMAT + 1)
    assert FrameStabilizer("off", STYLE).settings() == told["off"]
    assert FrameStabilizer("fast", STYLE).settings() != told["fast"]

"""The stabilizer between the network and the look."""

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.stabilizer.filter import STATE_FORMAT
from live_nst.stylizer.frame_stabilizer import FrameStabilizer
from tests.stabilizer.scenes import flicker, paint, view

STYLE = np.zeros(8, np.float32)
CONTENT = view(0)


def stylized_frames(count: int) -> list[StylizedFrame]:
    return [StylizedFrame(CONTENT, flicker(paint(CONTENT), seed)) for seed in range(count)]


def test_same_frame_again_returns_the_same_result() -> None:
    first, second, third = stylized_frames(3)
    twice, once = FrameStabilizer("fast", STYLE), FrameStabilizer("fast", STYLE)
    for frame in (first, second):
        stabilized = twice(frame, STYLE, 1.0)
        assert twice(frame, STYLE, 1.0) is stabilized
        once(frame, STYLE, 1.0)
    np.testing.assert_array_equal(
        twice(third, STYLE, 1.0).stylized, once(third, STYLE, 1.0).stylized
    )


def test_reset_begins_another_video() -> None:
    first, second = stylized_frames(2)
    stabilizer = FrameStabilizer("fast", STYLE)
    stabilizer(first, STYLE, 1.0)
    assert (stabilizer(second, STYLE, 1.0).stylized != second.stylized).any()
    stabilizer.reset(STYLE)
    np.testing.assert_array_equal(stabilizer(second, STYLE, 1.0).stylized, second.stylized)


def test_mode_off_returns_the_frame() -> None:
    (frame,) = stylized_frames(1)
    assert FrameStabilizer("off", STYLE)(frame, STYLE, 1.0) is frame


def test_settings_identify_mode_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a conversion does not continue with the state of another version."""
    settings = {mode: FrameStabilizer(mode, STYLE).settings() for mode in ("off", "fast", "best")}
    assert len(set(settings.values())) == 3
    monkeypatch.setattr("live_nst.stylizer.frame_stabilizer.STATE_FORMAT", STATE_FORMAT + 1)
    assert FrameStabilizer("off", STYLE).settings() == settings["off"]
    assert FrameStabilizer("fast", STYLE).settings() != settings["fast"]

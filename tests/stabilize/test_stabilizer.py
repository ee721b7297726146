"""A stream's stabiliser, and its place in the stylizer."""

import numpy as np
import pytest

from live_nst.errors import UsageError
from live_nst.stabilize import Stabilizer, check_mode
from live_nst.stylizer import Stylizer
from tests.stabilize.scenes import error, flicker, paint, view


def test_it_keeps_its_state_between_frames() -> None:
    stabilizer, truth = Stabilizer(), paint(view(0))
    for t in range(12):
        painted = flicker(truth, t)
        steadied = stabilizer(view(0), painted)
    assert error(steadied, truth) < 0.5 * error(painted, truth)


def test_modes_are_checked() -> None:
    assert check_mode("fast") == "fast"
    with pytest.raises(UsageError, match="steady"):
        check_mode("steady")
    with pytest.raises(UsageError):
        Stylizer("mobile", stabilize="steady")


@pytest.fixture(scope="module")
def spreads() -> dict[str, float]:
    """How much a picture at rest, seen by a noisy camera, flickers when painted."""
    frames = [flicker(view(0), t, 4) for t in range(16)]
    result = {}
    for mode in ("off", "fast"):
        with Stylizer("mobile", ["starry"], size=96, device="cpu", stabilize=mode) as stylizer:
            painted = [stylizer(frame, t / 30) for t, frame in enumerate(frames)]
        result[mode] = float(np.std(painted[8:], axis=0).mean())
    return result


def test_a_stabilised_stylizer_flickers_less(spreads: dict[str, float]) -> None:
    assert spreads["fast"] < 0.4 * spreads["off"]


def test_a_change_of_style_is_not_held_back() -> None:
    frame = view(0)
    kwargs = {"size": 96, "device": "cpu"}
    with Stylizer("mobile", ["starry", "ink"], stabilize="fast", **kwargs) as stylizer:
        for t in range(12):
            stylizer(frame, t / 30)
        stylizer.select("ink")
        changed = stylizer(frame, 12 / 30)
    with Stylizer("mobile", ["starry", "ink"], **kwargs) as plain:
        starry = plain(frame)
        plain.select("ink")
        ink = plain(frame)
    assert error(changed, ink) < 0.1 * error(starry, ink)

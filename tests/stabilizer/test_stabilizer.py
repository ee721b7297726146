"""The stabilizer of a video, and its place in the stylizer."""

from pathlib import Path

import numpy as np
import pytest

from live_nst.stabilizer.filter import StabilizerState
from live_nst.stabilizer.stabilizer import Stabilizer
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from tests.stabilizer.scenes import error, flicker, paint, strokes, view


def test_state_is_kept_between_frames() -> None:
    stabilizer, truth = Stabilizer(), paint(view(0))
    for t in range(12):
        painted = flicker(truth, t)
        stabilized = stabilizer(view(0), painted)
    assert error(stabilized, truth) < 0.5 * error(painted, truth)


def test_best_is_better_than_fast_with_motion() -> None:
    """At a motion where the errors of "fast" show; at half of it, its softer image is closer."""

    def mean_error(mode: str) -> float:
        stabilizer, errors = Stabilizer(mode), []
        for t in range(16):
            truth = paint(view(2.6 * t))
            stabilized = stabilizer(flicker(view(2.6 * t), 99 + t, 2), strokes(truth, t))
            errors.append(error(stabilized[8:-8, 8:-8], truth[8:-8, 8:-8]))
        return float(np.mean(errors[6:]))

    assert mean_error("best") < 0.95 * mean_error("fast")


def test_stored_state_continues_exactly(tmp_path: Path) -> None:
    contents = [flicker(view(0.8 * t), t, 3) for t in range(8)]
    whole = Stabilizer()
    expected = [whole(content, flicker(paint(content), t)) for t, content in enumerate(contents)]

    first, second = Stabilizer(), Stabilizer()
    for t in range(4):
        first(contents[t], flicker(paint(contents[t]), t))
    assert first.state is not None
    np.savez(tmp_path / "state.npz", **first.state._asdict())
    with np.load(tmp_path / "state.npz") as stored:
        second.state = StabilizerState(**dict(stored))
    for t in range(4, 8):
        stabilized = second(contents[t], flicker(paint(contents[t]), t))
        np.testing.assert_array_equal(stabilized, expected[t])


@pytest.fixture(scope="module")
def spreads() -> dict[str, float]:
    """How much a static scene, seen by a noisy camera, flickers when stylized."""
    frames = [flicker(view(0), t, 4) for t in range(16)]
    result = {}
    for mode in ("off", "fast"):
        with StylizerCore(
            StylizerOptions(
                model="mobile", styles=("starry",), size=96, device="cpu", stabilize=mode
            )
        ) as stylizer:
            painted = [stylizer(frame, t / 30) for t, frame in enumerate(frames)]
        result[mode] = float(np.std(painted[8:], axis=0).mean())
    return result


def test_stylizer_with_stabilizer_flickers_less(spreads: dict[str, float]) -> None:
    assert spreads["fast"] < 0.4 * spreads["off"]


def test_style_change_shows_at_once() -> None:
    frame = view(0)
    kwargs = {"size": 96, "device": "cpu"}
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("starry", "ink"), stabilize="fast", **kwargs)
    ) as stylizer:
        for t in range(12):
            stylizer(frame, t / 30)
        stylizer.select("ink")
        changed = stylizer(frame, 12 / 30)
    with StylizerCore(StylizerOptions(model="mobile", styles=("starry", "ink"), **kwargs)) as plain:
        starry = plain(frame)
        plain.select("ink")
        ink = plain(frame)
    assert error(changed, ink) < 0.1 * error(starry, ink)


def test_strength_change_of_mixed_styles_shows_at_once() -> None:
    frame, mild = view(0), Look(strength=0.0, blend="styles")
    kwargs = {"size": 96, "device": "cpu"}
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("starry",), stabilize="fast", **kwargs)
    ) as stylizer:
        for t in range(12):
            stylizer(frame, t / 30)
        stylizer.look = mild
        changed = stylizer(frame, 12 / 30)
        stylizer.look = Look()
        back = stylizer(frame, 13 / 30)
    with StylizerCore(StylizerOptions(model="mobile", styles=("starry",), **kwargs)) as plain:
        full = plain(frame)
        plain.look = mild
        own = plain(frame)
    assert error(changed, own) < 0.1 * error(full, own)
    assert error(back, full) < 0.1 * error(full, own)


@pytest.mark.parametrize("blend", ["pictures", "styles"])
def test_state_arrays_continue_exactly_during_a_fade(blend: str) -> None:
    frames = [flicker(view(0.5 * t), t, 3) for t in range(6)]

    def make() -> StylizerCore:
        stylizer = StylizerCore(
            StylizerOptions(
                model="mobile", styles=("starry", "ink"), size=96, device="cpu", stabilize="fast"
            )
        )
        stylizer.look = Look(strength=0.3, blend=blend)
        stylizer.change_look(Look(strength=1.0, blend=blend), fade=0.2, time=0.03)
        stylizer.select("ink", fade=0.2, time=0.05)
        return stylizer

    with make() as whole, make() as first, make() as second:
        expected = [whole(frame, t / 30) for t, frame in enumerate(frames)]
        for t in range(3):
            first(frames[t], t / 30)
        second.restore_state(first.state_arrays())
        for t in range(3, 6):
            np.testing.assert_array_equal(second(frames[t], t / 30), expected[t])
        second.reset()
        with StylizerCore(
            StylizerOptions(model="mobile", styles=("ink",), size=96, device="cpu")
        ) as plain:
            np.testing.assert_array_equal(second(frames[0], 9.0), plain(frames[0]))

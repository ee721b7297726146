"""The sheet of odd styles: its styles, and what it takes for burnt or dead."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.quality.odd_styles import ODD_STYLES, faults

missing = [name for name in ("skimage", "matplotlib") if find_spec(name) is None]


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(30, 220, (64, 96, 3), np.uint8)


@pytest.mark.skipif(bool(missing), reason=f"{missing} are missing: they contain the photos")
def test_styles_are_pictures() -> None:
    for name, make in ODD_STYLES.items():
        style = make()
        assert style.dtype == np.uint8 and style.ndim == 3 and style.shape[2] == 3, name
    assert ODD_STYLES["8x8 pixels"]().shape == (8, 8, 3)
    drawing = ODD_STYLES["a line drawing"]()
    assert 0.5 < (drawing == 255).mean() < 0.99


def test_faults() -> None:
    assert faults(noise(1), noise(2)) == (0.0, 0.0)
    burnt = noise(1)
    burnt[:16] = 255
    assert faults(burnt, noise(2)) == (0.25, 0.25)  # nothing is seen there, either
    dead = noise(1)
    dead[:32, :48] = 100
    assert faults(dead, noise(2)) == (0.0, 0.25)
    flat_photo = noise(2)
    flat_photo[:32, :48] = 50
    assert faults(dead, flat_photo) == (0.0, 0.0)

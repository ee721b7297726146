"""The photo's colors, kept."""

import cv2
import numpy as np
import pytest

from live_nst.objective.color_transfer import (
    match_histogram,
    match_luminance,
    to_luminance,
    transfer_chroma,
)
from tests.objective.conftest import picture


def test_transfer_chroma() -> None:
    painted, photo = picture(30, 40, 1) // 2 + 64, picture(30, 40, 2) // 2 + 64
    both = cv2.cvtColor(transfer_chroma(painted, photo), cv2.COLOR_BGR2YCrCb).astype(int)
    wanted = cv2.cvtColor(painted, cv2.COLOR_BGR2YCrCb).astype(int)
    colors = cv2.cvtColor(photo, cv2.COLOR_BGR2YCrCb).astype(int)
    # Where nothing is clipped. Most of the picture is such.
    inside = (transfer_chroma(painted, photo) % 255 != 0).all(axis=2)
    assert inside.mean() > 0.5
    assert np.abs(both[inside] - np.dstack([wanted[..., :1], colors[..., 1:]])[inside]).max() <= 2


def test_match_luminance() -> None:
    style, photo = to_luminance(picture(40, 40, 3)), to_luminance(picture(30, 20, 4) // 2)
    assert (style[..., 0] == style[..., 2]).all()
    matched = match_luminance(style, photo).astype(float)
    assert matched.mean() == pytest.approx(photo.mean(), abs=2)
    assert matched.std() == pytest.approx(photo.std(), rel=0.1)


def test_match_histogram() -> None:
    random = np.random.default_rng(0)
    mix = np.array([[20, 5, 0], [0, 12, 3], [4, 0, 9]])
    style = random.normal((90, 130, 160), 12, (64, 64, 3)).astype(np.uint8)
    photo = np.clip(random.normal(0, 1, (50, 60, 3)) @ mix + 120, 0, 255).astype(np.uint8)
    matched = match_histogram(style, photo).reshape(-1, 3).astype(float)
    wanted = photo.reshape(-1, 3).astype(float)
    np.testing.assert_allclose(matched.mean(axis=0), wanted.mean(axis=0), atol=1)
    np.testing.assert_allclose(np.cov(matched.T), np.cov(wanted.T), atol=8)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_match_a_style_of_one_color(value: int) -> None:
    style, photo = np.full((20, 20, 3), value, np.uint8), picture(20, 30, 5)
    matched = match_histogram(style, photo)
    assert np.abs(matched - photo.reshape(-1, 3).mean(axis=0)).max() <= 1
    assert match_luminance(style, to_luminance(photo)).std() == 0

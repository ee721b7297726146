"""Small moving pictures, with flicker put on them in place of a network's."""

import cv2
import numpy as np

from live_nst.types import Image

WIDTH, HEIGHT = 96, 64


def texture(width: int, height: int, seed: int = 0) -> Image:
    """A smooth, colorful picture with edges to hold on to."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
    large = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def view(step: float, seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A window of `texture`, `step` pixels to the right."""
    large = texture(2 * width, height, seed)
    shift = np.array([[1, 0, -step], [0, 1, 0]], np.float32)
    return np.asarray(
        cv2.warpAffine(large, shift, (width, height), flags=cv2.INTER_CUBIC), np.uint8
    )


def paint(content: Image) -> Image:
    """Stands for a network without flicker: other colors, the same shapes."""
    return 255 - content[..., ::-1]


def flicker(picture: Image, seed: int, amount: float = 12.0) -> Image:
    """The picture with other noise for every seed."""
    noise = np.random.default_rng(seed).normal(0, amount, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def strokes(picture: Image, seed: int, amount: float = 8.0) -> Image:
    """The picture with other noise for every seed, a few pixels coarse."""
    noise = np.random.default_rng(seed).normal(0, 1, picture.shape)
    noise = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(np.rint(picture + noise * amount / noise.std()), 0, 255).astype(np.uint8)


def error(one: Image, other: Image) -> float:
    """Mean difference in levels."""
    return float(np.abs(one.astype(float) - other).mean())

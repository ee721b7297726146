"""Colors, noise, blending and light for all styles.

Images are BGR. Lengths are fractions of the side, so that a style looks the same at any size.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""BGR uint8 ``[side, side, 3]``."""

Plane = NDArray[np.floating[Any]]
"""One number for each pixel, ``[side, side]``."""

Points = NDArray[np.floating[Any]]
"""x and y ``[..., 2]``, in pixels unless a docstring says otherwise."""

Colors = NDArray[np.floating[Any]]
"""BGR ``[..., 3]``, 0..255."""


def palette(*codes: str) -> Colors:
    """Return colors ``[n, 3]`` from codes such as "1f4e9c" (red, green, blue)."""
    return np.array([tuple(bytes.fromhex(code))[::-1] for code in codes], np.float32)


def bgr(color: Colors) -> tuple[float, float, float]:
    """Return a color for OpenCV's drawing functions, clipped to 0..255."""
    blue, green, red = (float(value) for value in np.clip(color, 0, 255))
    return blue, green, red


def grid(side: int) -> tuple[Plane, Plane]:
    """Return planes of x and y at each pixel's center, 0..1."""
    line = ((np.arange(side) + 0.5) / side).astype(np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def noise(side: int, cells: float, rng: np.random.Generator, octaves: int = 4) -> Plane:
    """Return smooth fractal noise in 0..1.

    Args:
        side: Pixels.
        cells: Bumps of the coarsest octave along one side.
        rng: Random generator.
        octaves: Number of octaves, each twice as fine and half as strong as the one before.
    """
    total = np.zeros((side, side), np.float32)
    for octave in range(octaves):
        count = max(2, round(cells * 2**octave)) + 1
        bumps = rng.standard_normal((count, count)).astype(np.float32)
        total += cv2.resize(bumps, (side, side), interpolation=cv2.INTER_CUBIC) / 2**octave
    low, high = np.percentile(total, (0.5, 99.5))
    return np.asarray(np.clip((total - low) / (high - low), 0, 1), np.float32)


def ramp(values: Plane, colors: Colors) -> Colors:
    """Return colors ``[side, side, 3]`` for values in 0..1, between evenly spaced `colors`."""
    stops = np.linspace(0, 1, len(colors))
    return np.stack(
        [np.interp(values, stops, colors[:, channel]) for channel in range(3)], axis=-1
    ).astype(np.float32)


def smoothstep(values: Plane, low: float, high: float) -> Plane:
    """Return 0 below `low`, 1 above `high`, and a smooth step between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mix(below: Colors, above: Colors, amount: Plane) -> Colors:
    """Blend `above` over `below` with the opacity `amount` (0..1)."""
    return below + (above - below) * amount[..., None]


def blur(plane: Plane, radius: float) -> Plane:
    """Apply a Gaussian blur with the standard deviation `radius`, a fraction of the side."""
    smooth = cv2.GaussianBlur(plane, (0, 0), max(radius * len(plane), 0.3))
    return np.asarray(smooth, np.float32)


def light(picture: Colors, relief: Plane, depth: float, gloss: float = 0.0) -> Colors:
    """Light a relief from the upper left, like thick paint or glass.

    Args:
        picture: Colors of the surface.
        relief: Height of the surface, 0..1.
        depth: Strength of shading on slopes.
        gloss: Strength of white highlights on slopes that face the light.
    """
    scale = len(relief) / 640
    relief = np.asarray(relief, np.float32)
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0) * scale
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1) * scale
    slope = np.tanh((across + down) * depth)[..., None]
    return np.asarray(picture * (1 + 0.45 * slope) + 255 * gloss * np.clip(slope, 0, 1) ** 3)


def grain(picture: Colors, amount: float, rng: np.random.Generator) -> Colors:
    """Multiply by a fine paper texture."""
    side = len(picture)
    tooth = noise(side, side / 10, rng, octaves=2) + 0.6 * noise(side, 24, rng, octaves=3)
    return np.asarray(picture * (1 + amount * (tooth - tooth.mean()))[..., None])


def finish(picture: Colors) -> Image:
    """Round to uint8."""
    return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)

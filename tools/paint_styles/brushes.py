"""Draw lines, polygons, dots, bristle strokes along a flow and dry ink strokes.

A wet canvas holds BGR and relief (the height of the paint), uint8 ``[side, side, 4]``, so that one
drawing call sets color and thickness.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.paint_styles.canvas import Colors, Plane, Points, bgr, blur, finish, light

Wet = NDArray[np.uint8]
"""uint8 ``[side, side, 4]``: blue, green, red, relief."""

Canvas = NDArray[Any]
"""Target of OpenCV's drawing functions, ``[height, width]`` or with channels: uint8, or float32
(without antialiasing, which supersampling replaces)."""

SUBPIXEL_BITS = 4
SUBPIXELS = 2**SUBPIXEL_BITS


@dataclass(frozen=True)
class Brush:
    """A flat brush. Lengths are fractions of the side.

    Attributes:
        length: Length of a stroke.
        width: Width of a stroke at its center.
        bristles: Number of lines per stroke.
        jitter: Standard deviation of the color between strokes, of 255.
        streak: Standard deviation of the color between bristles, of 255.
    """

    length: float
    width: float
    bristles: int = 8
    jitter: float = 18.0
    streak: float = 12.0


def wet(picture: Colors) -> Wet:
    """Return a flat canvas with these colors."""
    relief = np.full(picture.shape[:2], 128, np.uint8)
    return np.ascontiguousarray(np.dstack([finish(picture), relief]))


def dry(canvas: Wet, depth: float, gloss: float = 0.0) -> Colors:
    """Return the lit canvas; `depth` and `gloss` as in `light`."""
    relief = blur(canvas[..., 3].astype(np.float32) / 255, 0.0007)
    return light(canvas[..., :3].astype(np.float32), relief, depth, gloss)


def along(height: Plane) -> Plane:
    """Return the directions of the contour lines of `height` in radians."""
    smooth = blur(height, 0.004)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.arctan2(across, -down).astype(np.float32)


def trace(starts: Points, angles: Plane, lengths: NDArray[np.float32], steps: int = 9) -> Points:
    """Return paths ``[n, steps, 2]`` in pixels along a field of angles, centered on `starts`."""
    limit = len(angles) - 1
    halves = []
    for sign in (-1.0, 1.0):
        point = starts.copy()
        half = [point]
        for _ in range(steps // 2):
            column, row = np.clip(point, 0, limit).astype(int).T
            angle = angles[row, column]
            step = np.stack([np.cos(angle), np.sin(angle)], axis=1)
            point = point + sign * step * (lengths / (steps - 1))[:, None]
            half.append(point)
        halves.append(half)
    return np.stack(halves[0][:0:-1] + halves[1], axis=1).astype(np.float32)


def normals(paths: Points) -> Points:
    """Return the unit normals of each path ``[n, steps, 2]``."""
    tangent = np.asarray(np.gradient(paths, axis=1))
    tangent = tangent / (np.linalg.norm(tangent, axis=2, keepdims=True) + 1e-6)
    return np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)


def line(
    target: Canvas, path: Points, color: Sequence[float], width: float, closed: bool = False
) -> None:
    """Draw a line along `path` ``[steps, 2]``; `width` in pixels, at least one."""
    points = np.round(path * SUBPIXELS).astype(np.int32)
    thickness = max(1, round(width))
    cv2.polylines(target, [points], closed, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def fill(target: Canvas, corners: Points, color: Sequence[float]) -> None:
    """Fill the polygon with these `corners` ``[n, 2]``."""
    points = np.round(corners * SUBPIXELS).astype(np.int32)
    cv2.fillPoly(target, [points], color, cv2.LINE_AA, SUBPIXEL_BITS)


def disc(
    target: Canvas, center: Points, radius: float, color: Sequence[float], rim: float = 0.0
) -> None:
    """Draw a disc, or a circle if the line width `rim` (pixels) is given."""
    x, y = (round(float(value) * SUBPIXELS) for value in center)
    thickness = max(1, round(rim)) if rim else cv2.FILLED
    size = round(radius * SUBPIXELS)
    cv2.circle(target, (x, y), size, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def mask_of(corners: Points, side: int) -> Plane:
    """Return a plane that is 1 inside the polygon with these `corners` ``[n, 2]``, else 0."""
    mask = np.zeros((side, side), np.uint8)
    fill(mask, corners, (255,))
    return mask.astype(np.float32) / 255


def stroke_over(
    canvas: Wet,
    picture: Colors,
    angles: Plane,
    brush: Brush,
    rng: np.random.Generator,
    coverage: float = 2.0,
) -> None:
    """Cover the canvas with tapered bristle strokes in the colors of `picture`.

    Args:
        canvas: Modified in place.
        picture: Colors by position.
        angles: Directions of strokes by position, in radians.
        brush: Size and color variation.
        rng: Random generator.
        coverage: Mean number of strokes per position.
    """
    side = len(canvas)
    count = round(coverage / (brush.length * brush.width))
    starts = rng.uniform(0, side - 1, (count, 2)).astype(np.float32)
    lengths = (brush.length * side * rng.uniform(0.6, 1.3, count)).astype(np.float32)
    paths = trace(starts, angles, lengths)
    across = normals(paths)
    column, row = starts.astype(int).T
    colors = picture[row, column]
    colors = colors + rng.normal(0, brush.jitter, (count, 1))
    colors = colors + rng.normal(0, brush.jitter * 0.5, (count, 3))
    for path, normal, color in zip(paths, across, colors, strict=True):
        _bristle_stroke(canvas, path, normal, color, brush, rng)


def _bristle_stroke(
    canvas: Wet,
    path: Points,
    across: Points,
    color: Colors,
    brush: Brush,
    rng: np.random.Generator,
) -> None:
    """Draw one stroke, thin at both ends, as lines of slightly different color and height."""
    taper = np.sin(np.linspace(0.12, 1, len(path)) * np.pi * 0.93)[:, None] ** 0.6
    width = brush.width * len(canvas)
    spread = across * taper * width
    offsets = np.linspace(-0.5, 0.5, brush.bristles)
    streaks = rng.normal(0, brush.streak, brush.bristles)
    heights = rng.uniform(60, 255, brush.bristles)
    for offset, streak, height in zip(offsets, streaks, heights, strict=True):
        paint = (*bgr(color + streak), float(height))
        line(canvas, path + spread * offset, paint, 1.5 * width / brush.bristles)


def dry_stroke(
    ink: NDArray[np.uint8],
    path: Points,
    width: float,
    rng: np.random.Generator,
    load: float = 1.0,
) -> None:
    """Draw one ink stroke whose bristles run dry towards its end.

    Args:
        ink: Density of ink, uint8 ``[side, side]``; the maximum of old and new is kept.
        path: ``[steps, 2]`` in pixels.
        width: Maximum width in pixels.
        rng: Random generator.
        load: Ink in the brush: 1 is black nearly to the end, 0.3 is pale and broken.
    """
    layer = np.zeros_like(ink)
    steps = np.linspace(0, 1, len(path))
    bristles = max(8, round(width / max(1.0, len(ink) / 640)))
    press = np.sin((0.02 + 0.96 * steps) * np.pi)[:, None] ** 0.4
    across = normals(path[None])[0] * press * width
    for offset in np.linspace(-0.5, 0.5, bristles):
        hold = np.interp(steps, np.linspace(0, 1, 7), rng.normal(0, 0.22, 7))
        moisture = 0.3 + 0.9 * load - 0.75 * steps + hold + rng.normal(0, 0.18)
        bristle = path + across * (offset + rng.normal(0, 0.02))
        density = 255 * np.clip(load + rng.normal(0, 0.12), 0.15, 1)
        inked = moisture > 0
        runs = np.split(bristle, np.flatnonzero(np.diff(inked)) + 1)
        for run in runs[0 if inked[0] else 1 :: 2]:
            line(layer, run, (float(density),), 1.8 * width / bristles)
    np.maximum(ink, layer, out=ink)


def spiral(center: tuple[float, float], radius: float, start: float, turn: float) -> Points:
    """Return a path ``[64, 2]`` around `center` in pixels: `turn` radians from angle `start`."""
    angles = np.linspace(start, start + turn, 64)
    shrink = radius * np.linspace(1, 0.93, 64)
    return np.stack(
        [center[0] + shrink * np.cos(angles), center[1] + shrink * np.sin(angles)], axis=1
    ).astype(np.float32)


def dab(
    canvas: NDArray[np.uint8],
    points: Points,
    radii: NDArray[np.float32],
    colors: Colors,
) -> None:
    """Draw dots: centers ``[n, 2]`` and radii ``[n]`` in pixels, one color each.

    `colors` is ``[n, channels]`` in the order of the canvas.
    """
    for point, radius, color in zip(points, radii, colors, strict=True):
        disc(canvas, point, float(radius), tuple(float(value) for value in color))

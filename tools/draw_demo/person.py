"""The person of the demo scene, cut out: body, head, arm.

Measures are in units (`scale` pixels); each function says where the sprite's own origin lies.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tools.draw_demo.face import FACE, Expression, face_outline, hair, paint_face
from tools.draw_demo.paint import (
    Field,
    Sprite,
    blend,
    blur,
    grid,
    inflate,
    light,
    noise,
    outline,
    pixels,
    rgb,
    shape,
    smoothstep,
    spline,
    sprite,
)

BODY = (0.92, 0.52)
HEAD = (0.395, 0.475)
ARM = (0.34, 0.78)
"""Width and height of each sprite, in units."""

_SKIN = rgb(228, 176, 145)
_WOOL = rgb(168, 46, 44)
_CREAM = rgb(232, 218, 190)

# fmt: off
_SHOULDER = [
    (0.075, 0.0), (0.16, 0.022), (0.26, 0.052), (0.345, 0.095), (0.40, 0.165), (0.425, 0.25),
    (0.44, 0.36),
]
_NECK = [
    (-0.068, -0.16), (-0.066, -0.07), (-0.078, 0.0), (-0.11, 0.05), (0.0, 0.09), (0.11, 0.05),
    (0.078, 0.0), (0.066, -0.07), (0.068, -0.16),
]
_LOCKS = [
    (-0.15, -0.20), (-0.158, -0.06), (-0.13, 0.0), (-0.06, 0.012), (0.06, 0.012), (0.13, 0.0),
    (0.158, -0.06), (0.15, -0.20),
]
# Each x0, y0, x1, y1, radius at either end; x from the middle of the hand.
_FINGERS = [
    (-0.040, 0.150, -0.066, 0.058, 0.0165, 0.0135),
    (-0.014, 0.140, -0.020, 0.030, 0.0170, 0.0140),
    (0.013, 0.142, 0.026, 0.038, 0.0165, 0.0135),
    (0.038, 0.155, 0.068, 0.072, 0.0150, 0.0120),
    (-0.036, 0.215, -0.098, 0.150, 0.0220, 0.0150),
]
_PALM = [
    (-0.030, 0.165, -0.022, 0.235, 0.026, 0.030),
    (0.022, 0.170, 0.014, 0.235, 0.028, 0.030),
    (-0.004, 0.165, -0.004, 0.240, 0.030, 0.032),
    (-0.004, 0.240, 0.0, 0.36, 0.034, 0.036),
]
# fmt: on


def _knit(x: Field, y: Field) -> Field:
    """The relief -1..1 of knitted wool: columns of V's that hang over the shoulders."""
    across = x / 0.0135
    down = (y - 0.30 * np.sqrt(x * x + 0.004)) / 0.0115
    inside = np.abs(across - np.floor(across) - 0.5) * 2
    stitch = np.cos(2 * np.pi * (down + 0.42 * inside))
    return np.asarray(0.6 * stitch + 0.4 * np.cos(2 * np.pi * across), np.float32)


def body(rng: np.random.Generator, scale: float) -> Sprite:
    """Neck and shoulders in a sweater; origin: the pit of the throat, at (half the width, 0.20)."""
    width, height = pixels(BODY, scale)
    middle = (BODY[0] / 2, 0.20)
    x, y = grid(-middle[0], -middle[1], width, height, scale)
    outer = [(-px, py) for px, py in _SHOULDER[::-1]] + _SHOULDER
    shoulders = shape(BODY, scale, spline(outer), middle)
    neck = shape(BODY, scale, spline(_NECK), middle)
    locks = shape(BODY, scale, spline(_LOCKS), middle)

    color = np.empty((height, width, 3), np.float32)
    color[:] = rgb(44, 25, 17) * (1 + 0.5 * noise(rng, 1, width, 0.004 * scale))[..., None]
    blend(color, _throat(x, y, scale), neck)
    # The neckline is an ellipse round the throat; 1 is its edge.
    neckline = np.sqrt((x / 0.118) ** 2 + ((y + 0.005) / 0.088) ** 2)
    sweater = smoothstep(0.99, 1.01, neckline) * shoulders
    blend(color, rgb(60, 24, 20), 0.55 * blur(sweater, 0.012 * scale) * (1 - sweater) * neck)
    blend(color, _sweater(rng, x, y, shoulders, scale), sweater)
    collar = smoothstep(1.0, 1.04, neckline) * smoothstep(1.27, 1.24, neckline) * shoulders
    blend(color, _collar(x, y, neckline), collar)
    return sprite(color, np.maximum(np.maximum(shoulders, neck), locks))


def _throat(x: Field, y: Field, scale: float) -> Field:
    skin = _SKIN * light(-6.5 * scale * x * x * np.ones_like(y))
    chin_shadow = 0.42 + 0.58 * smoothstep(-0.09, 0.03, y + 0.25 * np.abs(x))
    cord = np.exp(-(((np.abs(x) - 0.048 + 0.4 * y) / 0.012) ** 2)) * smoothstep(-0.06, 0.0, y)
    return np.asarray(skin * (chin_shadow * (1 + 0.10 * cord))[..., None])


def _sweater(rng: np.random.Generator, x: Field, y: Field, solid: Field, scale: float) -> Field:
    height, width = solid.shape
    folds = noise(rng, height, width, 0.09 * scale, 2.0)
    folds += 0.5 * noise(rng, height, width, 0.04 * scale, 2.5)
    # The crease between each arm and the chest.
    arms = np.exp(-(((np.abs(x) - 0.285 - 0.12 * y) / 0.02) ** 2)) * smoothstep(0.10, 0.26, y)
    relief = inflate(solid, 0.17 * scale) + scale * (0.011 * folds - 0.022 * arms)
    knit = _knit(x, y)
    wool = np.empty((height, width, 3), np.float32)
    wool[:] = _WOOL
    bands = y - 0.36 * np.sqrt(x * x + 0.012) + 0.03
    for at in (0.085, 0.125, 0.165):
        blend(wool, _CREAM, smoothstep(0.012, 0.009, np.abs(bands - at)))
    tone = (0.97 + 0.10 * knit) * (1 - 0.35 * arms)
    return np.asarray(wool * light(relief + 0.0016 * scale * knit) * tone[..., None])


def _collar(x: Field, y: Field, neckline: Field) -> Field:
    ring = np.clip(1 - ((neckline - 1.12) / 0.14) ** 2, 0, 1)
    ribs = np.cos(np.arctan2(x, y + 0.02) * 70)
    return np.asarray(_WOOL * (0.36 + 0.75 * ring**0.7 + 0.09 * ribs - 0.9 * x)[..., None])


class HeadPainter:
    """Paints the head, whole or in part, in any expression.

    Attributes:
        size: (width, height) of the head's picture in pixels; the face's middle is its center.
    """

    def __init__(self, rng: np.random.Generator, scale: float) -> None:
        self._scale = scale
        self.size = width, height = pixels(HEAD, scale)
        center = np.array([width / 2, height / 2], np.float32)
        self._hair, self._cover = hair(rng, height, width, scale)
        face = outline(height, width, face_outline() * np.float32(scale) + center)
        self._mask = np.maximum(face, self._cover)
        shade = 0.55 * blur(self._cover, 0.014 * scale) + 0.25 * blur(self._cover, 0.035 * scale)
        self._shadow = 1 - shade[..., None] * rgb(0.62, 0.78, 0.85)

    def area(self, part: tuple[float, float, float, float]) -> tuple[slice, slice]:
        """Rows and columns of a part given as left, top, right, bottom in face coordinates."""
        width, height = self.size
        reach = FACE * np.float32(self._scale)
        left, right = np.clip(width / 2 + np.array(part[::2]) * reach[0], 0, width).astype(int)
        top, bottom = np.clip(height / 2 + np.array(part[1::2]) * reach[1], 0, height).astype(int)
        return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))

    def paint(self, part: tuple[float, float, float, float], look: Expression) -> Sprite:
        """The part of the head inside the face's rectangle `part`, as large as its `area`."""
        rows, columns = self.area(part)
        width, height = self.size
        # A pixel more on every side: slopes at the very edge of a picture come out wrong.
        origin = (columns.start - 1 - width / 2, rows.start - 1 - height / 2)
        extent = (columns.stop - columns.start + 2, rows.stop - rows.start + 2)
        color = paint_face((*origin, *extent), self._scale, look)[1:-1, 1:-1]
        color *= self._shadow[rows, columns]
        blend(color, self._hair[rows, columns], self._cover[rows, columns])
        return sprite(color, self._mask[rows, columns])

    def whole(self) -> Sprite:
        """The head at rest."""
        head = sprite(self._hair, self._mask)
        face = (-1.02, -1.02, 1.02, 1.02)
        head.layers[self.area(face)] = self.paint(face, Expression()).layers
        return head


def _capsules(x: Field, y: Field, scale: float, bones: Sequence[Sequence[float]]) -> Field:
    """The height ``[h, w]`` of round bones: x0, y0, x1, y1, radius at either end, in units."""
    relief = np.zeros((y.shape[0], x.shape[1]), np.float32)
    for x0, y0, x1, y1, r0, r1 in bones:
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        radius = r0 + (r1 - r0) * along
        away = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
        relief = np.maximum(relief, np.sqrt(np.clip(radius * radius - away, 0, None)))
    return np.asarray(relief * scale, np.float32)


def _arm(rng: np.random.Generator, scale: float) -> Sprite:
    """A forearm and an open hand; origin: the elbow, at (half the width, the lower edge)."""
    width, height = pixels(ARM, scale)
    x, y = grid(-ARM[0] / 2, 0, width, height, scale)
    color, hand = _hand(x, y, scale)
    wool, sleeve = _sleeve(rng, x, y, scale)
    blend(color, wool, sleeve)
    return sprite(color, np.maximum(hand, sleeve))


def _hand(x: Field, y: Field, scale: float) -> tuple[Field, Field]:
    """Color ``[h, w, 3]`` and mask ``[h, w]``; y from the finger tips down."""
    fingers = [_capsules(x, y, scale, [bone]) for bone in _FINGERS]
    relief = np.maximum(0.75 * _capsules(x, y, scale, _PALM), np.max(fingers, axis=0))
    palm = smoothstep(0.045, 0.03, np.abs(x))
    creases = np.exp(-(((y - 0.195 + 1.5 * x * x) / 0.004) ** 2))
    creases += np.exp(-(((y - 0.22 + 0.5 * x) / 0.004) ** 2))
    gaps = np.zeros_like(relief)
    for one, other in pairwise(fingers[:4]):
        gaps += np.exp(-(((one - other) / (0.0035 * scale)) ** 2)) * (np.minimum(one, other) > 0.3)
    lit = light(blur(relief, 0.004 * scale))
    lit[..., 2] += 0.10 * np.clip(0.95 - lit[..., 2], 0, None)
    tone = (1 - 0.14 * creases * palm) * (1 - 0.4 * np.clip(blur(gaps, 0.0015 * scale), 0, 1))
    # The cuff's shadow on the wrist.
    tone = tone * (1 - 0.45 * smoothstep(0.27, 0.325, y))
    color = 1.02 * _SKIN * lit * tone[..., None]
    blend(color, rgb(226, 128, 108), 0.25 * smoothstep(0.12, 0.05, y))
    return color, smoothstep(0.0, 0.0035 * scale + 0.8, relief)


def _sleeve(rng: np.random.Generator, x: Field, y: Field, scale: float) -> tuple[Field, Field]:
    """Color ``[h, w, 3]`` and mask ``[h, w]``; y from the finger tips down."""
    relief = _capsules(x, y, scale, [(0.0, 0.30, 0.01, 1.0, 0.052, 0.085)])
    relief *= smoothstep(0.318, 0.321, y)
    folds = noise(rng, relief.shape[0], relief.shape[1], 0.05 * scale, 1.6)
    knit = _knit(x, 2 * (y - ARM[1]))
    wool = np.empty((*relief.shape, 3), np.float32)
    wool[:] = _WOOL
    for at in (0.47, 0.52):
        blend(wool, _CREAM, smoothstep(0.013, 0.010, np.abs(y - at)))
    wool *= light(blur(relief, 0.004 * scale) + scale * (0.005 * folds + 0.0016 * knit))
    cuff = smoothstep(0.055, 0.05, np.abs(y - 0.35))
    ribs = 0.3 * cuff * (np.cos(x * 420) > 0.2) + 0.25 * smoothstep(0.36, 0.322, y)
    tone = 0.62 + 0.42 * np.clip(relief / (0.07 * scale), 0, 1) + 0.08 * knit
    wool *= (tone * (1 - ribs))[..., None]
    return wool, smoothstep(0.0, 0.006 * scale + 0.5, relief)


def arm(
    rng: np.random.Generator, scale: float, angles: Sequence[float]
) -> list[tuple[Sprite, int, int]]:
    """The arm turned by each of `angles` (degrees, to the right), and its corner from the elbow."""
    still = _arm(rng, scale)
    width, height = still.size
    return [still.turned(angle, (width / 2, height)) for angle in angles]

"""The face and the hair of the demo scene's person, in the head's own coordinates.

The face is computed, not drawn: a relief (skull, nose, sockets, lips) under the light of the room,
times the colors of the skin. Face coordinates: x = -1..1 across the cheeks, y = -1..1 from the
top of the skull to the chin. Any rectangle of it can be computed alone: so the eyes and the mouth
are painted again, in every state that they take, without the rest.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.draw_demo.paint import (
    Field,
    Points,
    blend,
    blur,
    fixed,
    grid,
    light,
    outline,
    rgb,
    smoothstep,
    spline,
)

FACE = np.array([0.142, 0.188], np.float32)
"""Half the width and half the height of the face, in units."""

EYES = (-0.74, -0.36, 0.74, 0.24)
"""left, top, right, bottom of the part of the face that moves with the eyes."""
MOUTH = (-0.52, 0.40, 0.52, 1.0)
"""The same for the mouth."""

_SKIN = rgb(233, 182, 150)
_HAIR = rgb(92, 52, 32)
_PARTING = (0.035, -0.222)
_HAIRLINE = (0.035, -0.148)
_OUTER = {
    -1: [
        (-0.06, -0.232),
        (-0.138, -0.185),
        (-0.180, -0.07),
        (-0.190, 0.05),
        (-0.186, 0.14),
        (-0.122, 0.208),
    ],
    1: [
        (0.095, -0.222),
        (0.158, -0.16),
        (0.184, -0.05),
        (0.190, 0.06),
        (0.184, 0.145),
        (0.122, 0.208),
    ],
}
_INNER = {
    -1: [
        (-0.005, -0.125),
        (-0.062, -0.088),
        (-0.108, -0.035),
        (-0.124, 0.04),
        (-0.120, 0.12),
        (-0.096, 0.2),
    ],
    1: [
        (0.062, -0.128),
        (0.100, -0.085),
        (0.122, -0.03),
        (0.127, 0.05),
        (0.120, 0.125),
        (0.096, 0.2),
    ],
}


@dataclass(frozen=True)
class Expression:
    """What the face does.

    Attributes:
        lids: How far the eyes are open, 0..1.
        gaze: Where they look, -1 left .. 1 right.
        mouth: How far it is open, 0..1.
    """

    lids: float = 1.0
    gaze: float = 0.0
    mouth: float = 0.0


def _jaw(y: Field) -> Field:
    """How much narrower than an ellipse the face is at the height y."""
    return np.asarray(
        1 - 0.13 * smoothstep(0.05, 0.75, y) + 0.03 * smoothstep(0.7, 1, y), np.float32
    )


def _bump(x: Field, y: Field, at: tuple[float, float], size: tuple[float, float]) -> Field:
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def _lips(x: Field, mouth: float) -> tuple[Field, Field, Field, Field]:
    """The heights y ``[1, w]`` of the lips' four contours, from the top to the bottom."""
    half = 0.33 - 0.05 * mouth
    inside = np.clip(1 - (x / half) ** 2, 0, 1)
    corner = 0.625 - 0.07 * (1 - 0.7 * mouth) * (x / half) ** 2
    cupid = 0.022 * np.exp(-((x / 0.055) ** 2))
    upper = corner - (0.072 + 0.015 * mouth) * inside**0.8 + cupid * inside
    gap_top = corner - 0.02 * mouth * inside + 0.006 * np.cos(x * 16) * inside
    gap_bottom = gap_top + (0.004 + 0.155 * mouth) * inside**0.7
    lower = gap_bottom + 0.088 * inside**0.55
    return upper, gap_top, gap_bottom, lower


def _relief(x: Field, y: Field, lips: tuple[Field, ...]) -> Field:
    """The height of the face ``[h, w]``, half the face's width being 1."""
    jaw = _jaw(y)
    skull = np.sqrt(np.clip(1.06 - (x / jaw) ** 2 * 0.92 - (y * 0.98) ** 2, 0.004, None))
    side = np.abs(x)
    bridge = 0.06 + 0.19 * smoothstep(-0.12, 0.34, y)
    wide = 0.095 + 0.055 * smoothstep(-0.1, 0.36, y)
    nose = (
        bridge
        * np.exp(-((x / wide) ** 2))
        * smoothstep(-0.28, -0.02, y)
        * smoothstep(0.50, 0.33, y)
    )
    nose += 0.06 * _bump(side, y, (0.125, 0.365), (0.06, 0.065))
    brow = 0.05 * _bump(side, y, (0.36, -0.20), (0.26, 0.07))
    socket = -0.12 * _bump(side, y, (0.38, -0.03), (0.22, 0.10))
    ball = 0.055 * _bump(side, y, (0.40, 0.0), (0.17, 0.075))
    cheek = 0.075 * _bump(side, y, (0.50, 0.27), (0.20, 0.17))
    chin = 0.075 * _bump(x, y, (0, 0.90), (0.22, 0.09))
    upper, gap_top, gap_bottom, lower = lips
    lip = 0.055 * np.exp(-(((y - (upper + gap_top) / 2) / 0.042) ** 2) - (x / 0.26) ** 2)
    lip += 0.075 * np.exp(-(((y - (gap_bottom + lower) / 2) / 0.05) ** 2) - (x / 0.22) ** 2)
    groove = -0.03 * _bump(x, y, (0, 0.49), (0.045, 0.06)) - 0.05 * _bump(
        x, y, (0, 0.79), (0.2, 0.04)
    )
    fold = (
        -0.012
        * np.exp(-(((side - 0.26 - 0.4 * (y - 0.36)) / 0.06) ** 2))
        * _bump(x, y, (0, 0.48), (1, 0.1))
    )
    return np.asarray(
        0.8 * skull + nose + brow + socket + ball + cheek + chin + lip + groove + fold, np.float32
    )


def _skin(x: Field, y: Field) -> Field:
    color = np.empty((y.shape[0], x.shape[1], 3), np.float32)
    color[:] = _SKIN
    side = np.abs(x)
    blend(color, rgb(224, 122, 104), 0.42 * _bump(side, y, (0.52, 0.30), (0.20, 0.16)))
    blend(color, rgb(222, 128, 108), 0.45 * _bump(x, y, (0, 0.34), (0.13, 0.09)))
    blend(color, rgb(196, 134, 112), 0.45 * _bump(side, y, (0.38, -0.02), (0.24, 0.12)))
    blend(color, rgb(120, 58, 46), 0.55 * _bump(side, y, (0.075, 0.415), (0.035, 0.018)))
    arch = -0.215 - 0.055 * np.cos((side - 0.42) * 5.5) - 0.035 * (side - 0.4)
    thick = 0.036 * smoothstep(0.66, 0.35, side) + 0.006
    brow = (
        np.exp(-(((y - arch) / thick) ** 4))
        * smoothstep(0.12, 0.2, side)
        * smoothstep(0.68, 0.6, side)
    )
    blend(color, _HAIR * np.float32(0.8), 0.85 * brow)
    return color


def _draw_eyes(color: Field, x: Field, y: Field, pixel: float, look: Expression) -> None:
    side = np.abs(x)
    u = (side - 0.39) / 0.205
    arc = np.clip(1 - u * u, 0, 1)
    tilt = -0.012 * u
    closed = 0.045 * arc + tilt
    top = closed - (0.125 * look.lids) * arc**0.7
    bottom = closed + (0.022 * look.lids) * arc
    inside = smoothstep(-pixel, pixel, y - top) * smoothstep(pixel, -pixel, y - bottom) * (arc > 0)
    ball = rgb(236, 230, 224) * (1 - 0.35 * smoothstep(0.5, 1, np.abs(u))[..., None])
    ball = ball * (0.55 + 0.45 * smoothstep(0.0, 0.055, y - top))[..., None]
    # Both pupils look the same way: mirrored sides would squint.
    across = x - np.sign(x) * 0.385 - 0.055 * look.gaze
    aspect = float(FACE[1] / FACE[0])
    down = (y + 0.004) * aspect
    away = np.sqrt(across**2 + down**2)
    iris = rgb(74, 112, 92) * (0.75 + 3.2 * np.clip(down, -0.05, 0.09))[..., None]
    blend(ball, iris, smoothstep(0.098, 0.098 - 2 * pixel, away))
    blend(ball, rgb(30, 34, 30), smoothstep(0.075, 0.098, away) * smoothstep(0.104, 0.098, away))
    blend(ball, rgb(10, 8, 8), smoothstep(0.046, 0.046 - 2 * pixel, away))
    glint = np.sqrt((across + 0.035) ** 2 + (down + 0.035) ** 2)
    blend(ball, rgb(255, 255, 255), smoothstep(0.026, 0.012, glint))
    blend(color, ball, inside)
    lash = (
        np.exp(-(((y - top) / 0.016) ** 2)) * (arc > 0.0) * (0.45 + 0.55 * smoothstep(-1, 0.6, u))
    )
    blend(color, rgb(34, 20, 16), 0.95 * lash)
    blend(color, rgb(120, 66, 54), 0.5 * np.exp(-(((y - bottom) / 0.011) ** 2)) * (arc > 0))
    crease = np.exp(-(((y - (closed - 0.175 * arc**0.8)) / 0.012) ** 2)) * arc
    blend(color, rgb(150, 88, 70), 0.55 * crease * look.lids)


def _draw_mouth(color: Field, x: Field, y: Field, lips: tuple[Field, ...], pixel: float) -> None:
    upper, gap_top, gap_bottom, lower = lips
    wide = gap_bottom > gap_top + 0.0045
    red = smoothstep(-pixel, 2 * pixel, y - upper) * smoothstep(2 * pixel, -pixel, y - lower)
    blend(color, rgb(198, 88, 86), 0.7 * red * (lower > upper + 0.005))
    gap = smoothstep(-pixel, pixel, y - gap_top) * smoothstep(pixel, -pixel, y - gap_bottom) * wide
    blend(color, rgb(62, 16, 18), gap)
    teeth = gap * smoothstep(0.05, 0.03, y - gap_top) * smoothstep(0.2, 0.15, np.abs(x))
    blend(color, rgb(232, 224, 212), 0.9 * teeth)
    tongue = gap * smoothstep(0.05, 0.015, gap_bottom - y)
    blend(color, rgb(180, 76, 78), 0.7 * tongue)
    seam = np.exp(-(((y - gap_top) / 0.011) ** 2)) * (lower > upper + 0.005)
    blend(color, rgb(94, 32, 32), 0.8 * seam)


def paint_face(area: tuple[float, float, int, int], scale: float, look: Expression) -> Field:
    """Compute a rectangle of the face, float32 ``[h, w, 3]``, BGR.

    Args:
        area: left, top, width, height in pixels, from the middle of the face.
        scale: Pixels to a unit.
        look: What eyes and mouth do.
    """
    px, py = (FACE * np.float32(scale)).tolist()
    left, top, width, height = area
    x, _ = grid(left / px, 0, width, 1, px)
    _, y = grid(0, top / py, 1, height, py)
    lips = _lips(x, look.mouth)
    color = _skin(x, y)
    _draw_mouth(color, x, y, lips, 0.6 / py)
    relief = _relief(x, y, lips)
    lit = light(relief * np.float32(px))
    # Light that wanders under the skin reddens the shadows.
    lit[..., 2] += 0.10 * np.clip(0.9 - lit[..., 2], 0, None)
    color *= lit
    shine = _bump(x, y, (-0.03, 0.31), (0.04, 0.045)) + 0.5 * _bump(
        x, y, (-0.12, -0.5), (0.3, 0.12)
    )
    shine += 0.7 * _bump(x, y, (-0.05, 0.705), (0.09, 0.016)) * (1 - look.mouth)
    color += 38 * shine[..., None]
    _draw_eyes(color, x, y, 0.6 / py, look)
    return color


def face_outline() -> Points:
    """The outline of the face in units, from its middle."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False, dtype=np.float32)
    x, y = np.sin(angle), -np.cos(angle)
    return np.asarray(np.stack([x * _jaw(y), y], 1) * FACE, np.float32)


def hair(rng: np.random.Generator, height: int, width: int, scale: float) -> tuple[Field, Field]:
    """Combed hair: color ``[h, w, 3]`` and mask ``[h, w]``, the face's middle in the center."""
    center = np.array([width / 2, height / 2], np.float32)
    mask = np.zeros((height, width), np.float32)
    strands = np.zeros((height, width, 3), np.uint8)
    strands[:] = (_HAIR * 0.5).astype(np.uint8)
    for side in (-1, 1):
        outer = spline([_PARTING, *_OUTER[side]]) * np.float32(scale) + center
        inner = spline([_HAIRLINE, *_INNER[side]]) * np.float32(scale) + center
        mask = np.maximum(mask, outline(height, width, np.vstack([outer, inner[::-1]])))
        _comb(rng, strands, outer, inner, scale)
    color = strands.astype(np.float32)
    x, y = grid(-width / scale / 2, -height / scale / 2, width, height, scale)
    # A band of shine where the hair turns toward the window, uneven as the strands are.
    away = np.hypot(x - _PARTING[0], 0.9 * (y - _PARTING[1])) + color[..., 1] * np.float32(4e-4)
    band = np.exp(-(((away - 0.125) / 0.028) ** 2)) * smoothstep(0.15, -0.2, x)
    tone = (1.1 - 4.5 * np.abs(x) ** 2) * smoothstep(0.30, 0.06, y) + 0.95 * band
    return color * tone[..., None] + 12 * band[..., None], blur(mask, 0.6)


def _comb(
    rng: np.random.Generator, image: NDArray[np.uint8], outer: Points, inner: Points, scale: float
) -> None:
    """Draw strands from the parting to the tips, between two curves."""
    along = np.linspace(0, 1, len(outer), dtype=np.float32)
    for at in rng.permutation(np.linspace(-0.02, 1.02, 170)):
        place = at + 0.06 * along * np.sin(rng.uniform(0, 6) + 8 * along)
        path = outer + (inner - outer) * place[:, None]
        color = (_HAIR * np.float32(rng.uniform(0.55, 1.3))).tolist()
        thick = max(round(rng.uniform(0.001, 0.0035) * scale), 1)
        cv2.polylines(image, [fixed(path.astype(np.float32))], False, color, thick, cv2.LINE_AA, 4)

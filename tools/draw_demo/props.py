"""What else moves in the demo scene, cut out: cat, plant, balloon.

Measures are in units (`scale` pixels); each function says where the sprite's own origin lies.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from tools.draw_demo.paint import (
    Field,
    Layers,
    Points,
    Sprite,
    blend,
    blur,
    fixed,
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

CAT = (0.44, 0.30)
PLANT = (0.66, 0.46)
BALLOON = (0.072, 0.105)
"""Width and height of each sprite, in units."""

CAT_STEPS = 24
"""Pictures of one stride."""
PLANT_STEPS = 24
"""Pictures from the plant's left-most to its right-most."""

_FUR = rgb(206, 128, 62)

# fmt: off
_TRUNK = [
    (-0.154, -0.108), (-0.130, -0.143), (-0.07, -0.150), (0.0, -0.142), (0.06, -0.156),
    (0.105, -0.188), (0.150, -0.175), (0.150, -0.125), (0.125, -0.075), (0.05, -0.066),
    (-0.05, -0.072), (-0.10, -0.060), (-0.140, -0.072),
]
_SKULL = [
    (0.112, -0.175), (0.112, -0.212), (0.118, -0.246), (0.138, -0.226), (0.156, -0.226),
    (0.174, -0.242), (0.180, -0.208), (0.202, -0.178), (0.192, -0.158), (0.155, -0.148),
    (0.122, -0.155),
]
# Each x, y, radius, color: the eye, its pupil, the nose.
_DOTS = [
    (0.164, -0.193, 0.0095, rgb(168, 176, 70)),
    (0.166, -0.193, 0.0055, rgb(20, 18, 12)),
    (0.201, -0.178, 0.005, rgb(160, 82, 74)),
]
_ENVELOPE = [
    (0, -0.038), (0.024, -0.028), (0.033, -0.004), (0.022, 0.02), (0.007, 0.038), (-0.007, 0.038),
    (-0.022, 0.02), (-0.033, -0.004), (-0.024, -0.028),
]
# fmt: on


def _limb(
    layers: Layers, points: Sequence[tuple[float, float]], thick: float, scale: float, color: Field
) -> None:
    """Draw a round limb of `thick` units, lit from the left, on a sprite's layers."""
    path = spline(points) * np.float32(scale)
    for inset, tone in ((0.0, 0.62), (0.18, 0.8), (0.42, 0.95), (0.66, 1.08)):
        width = max(round(thick * (1 - inset) * scale), 1)
        line = fixed(path - np.array([0.3 * inset * thick * scale, 0], np.float32))
        ink = (*np.minimum(color * np.float32(tone), 255).tolist(), 0)
        cv2.polylines(layers, [line], False, ink, width, cv2.LINE_AA, 4)


def cat(rng: np.random.Generator, scale: float) -> list[Sprite]:
    """A ginger cat that walks to the right, `CAT_STEPS` pictures of one stride.

    Origin: the ground under its middle, at (half the width, the lower edge less 0.02).
    """
    width, height = pixels(CAT, scale)
    x, y = grid(-CAT[0] / 2, 0.02 - CAT[1], width, height, scale)
    ground = (CAT[0] / 2, CAT[1] - 0.02)
    trunk = shape(CAT, scale, spline(_TRUNK, closed=True), ground)
    skull = shape(CAT, scale, spline(_SKULL, closed=True), ground)
    shags = noise(rng, height, width, 0.004 * scale, 2.5)
    tabby = np.sin(80 * x + 22 * y + 2.5 * noise(rng, height, width, 0.06 * scale))
    stripes = smoothstep(0.2, 0.8, tabby) * smoothstep(-0.075, -0.11, y)
    fur = _FUR * (1 + 0.09 * shags - 0.28 * stripes)[..., None]
    muzzle = smoothstep(0.034, 0.02, np.hypot(x - 0.186, y + 0.166))
    belly = smoothstep(-0.092, -0.066, y + 0.02 * shags)
    blend(fur, rgb(238, 216, 188), 0.8 * np.maximum(muzzle, belly))
    relief = np.maximum(inflate(trunk, 0.05 * scale), 1.1 * inflate(skull, 0.04 * scale))
    fur *= light(relief + 0.001 * scale * shags)
    for px, py, size, ink in _DOTS:
        blend(fur, ink, smoothstep(size, 0.5 * size, np.hypot(x - px, y - py)))
    body = sprite(fur, np.maximum(trunk, skull))
    shadow = sprite(np.zeros_like(fur), 0.5 * np.exp(-((x / 0.14) ** 2) - (y / 0.010) ** 2))
    return [_cat_step(step / CAT_STEPS, scale, body, shadow) for step in range(CAT_STEPS)]


def _leg(at: float, phase: float) -> list[tuple[float, float]]:
    """Hip, knee and foot in units; the foot is on the ground for half of the phase."""
    turn = 2 * np.pi * phase
    # On the ground it goes back as fast as the cat goes on; it is lifted on its way forward.
    swing, lift = float(np.cos(turn)), max(0.0, -float(np.sin(turn)))
    return [
        (at, -0.085),
        (at - 0.006 + 0.02 * swing, -0.048),
        (at + 0.042 * swing, -0.009 - 0.022 * lift),
    ]


def _cat_step(phase: float, scale: float, body: Sprite, shadow: Sprite) -> Sprite:
    """The cat at one moment of its stride: legs and tail are drawn behind the body."""
    tip = 0.02 * float(np.sin(2 * np.pi * phase))
    tail = [(-0.132, -0.128), (-0.168, -0.140), (-0.190, -0.180), (-0.188 + tip, -0.245)]
    far, near = _FUR * np.float32(0.5), _FUR * np.float32(0.98)
    layers = shadow.layers.copy()
    limbs = (
        (_leg(0.085, phase + 0.5), 0.021, far),
        (_leg(-0.095, phase + 0.25), 0.023, far),
        (tail, 0.018, near),
        (_leg(0.105, phase), 0.024, near),
        (_leg(-0.112, phase + 0.75), 0.027, near),
    )
    for points, thick, color in limbs:
        path = [(px + CAT[0] / 2, py + CAT[1] - 0.02) for px, py in points]
        _limb(layers, path, thick, scale, color)
    return body.over(layers)


def plant(rng: np.random.Generator, scale: float) -> list[Sprite]:
    """A plant that sways, `PLANT_STEPS` pictures from left to right.

    Origin: where it comes out of the pot, at (half the width, the lower edge less 0.06).
    """
    width, height = pixels(PLANT, scale)
    layers = np.zeros((height, width, 4), np.uint8)
    layers[..., 3] = 255
    root = np.array([PLANT[0] / 2, PLANT[1] - 0.06], np.float32)
    for turn in (-62, 58, -40, 70, 36, -76, -18, 20, -52, 46, -4, 8, -30, 26):
        angle = np.radians(turn + rng.uniform(-7, 7))
        length = rng.uniform(0.19, 0.30) * (1 - 0.42 * abs(turn) / 90)
        up = np.array([np.sin(angle), -np.cos(angle)], np.float32)
        droop = np.array([up[0], 0.6 * abs(up[0])], np.float32) * np.float32(0.25)
        stem = [
            root + np.float32(length * t) * (up + droop * np.float32(t)) for t in (0, 0.3, 0.55)
        ]
        _limb(layers, [(float(p[0]), float(p[1])) for p in stem], 0.008, scale, rgb(76, 104, 52))
        _leaf(layers, stem[-1], np.float32(0.62 * length) * (up + 2.5 * droop), scale, rng)
    still = Sprite(layers)
    swing = np.linspace(-0.045, 0.045, PLANT_STEPS)
    shears = [np.array([[1, -s, s * height], [0, 1, 0]], np.float32) for s in swing]
    return [still.warped(shear, width, height) for shear in shears]


def _leaf(
    layers: Layers, base: Points, along: Points, scale: float, rng: np.random.Generator
) -> None:
    """One leaf from `base`, `along` its midrib, lit on one half and ribbed."""
    aside = np.array([-along[1], along[0]], np.float32) * np.float32(rng.uniform(0.24, 0.32))
    sides = ((0, 0), (0.15, 0.55), (0.42, 1.0), (0.75, 0.7), (1.0, 0.0))
    right = [base + along * np.float32(t) + aside * np.float32(s) for t, s in sides]
    left = [base + along * np.float32(t) - aside * np.float32(s) for t, s in sides[-2:0:-1]]
    edge = spline([(float(p[0]), float(p[1])) for p in (*right, *left)], closed=True, steps=6)
    margin = 0.02
    low = np.maximum((edge.min(0) - margin) * scale, 0).astype(int)
    high = np.minimum((edge.max(0) + margin) * scale, layers.shape[1::-1]).astype(int)
    width, height = (high - low).tolist()
    if width < 1 or height < 1:
        return
    leaf = outline(height, width, edge * np.float32(scale) - low.astype(np.float32))
    x, y = grid(low[0] / scale - base[0], low[1] / scale - base[1], width, height, scale)
    size = float(np.hypot(*along))
    u = (x * along[0] + y * along[1]) / size**2
    v = (y * along[0] - x * along[1]) / size**2
    lit = smoothstep(0.05, -0.05, v * np.float32(np.sign(along[0])))
    ribs = np.cos((u - 1.1 * np.abs(v)) * 46)
    tone = (0.72 + 0.42 * lit + 0.07 * ribs) * (0.8 + 0.35 * u)
    tone = tone + 0.35 * np.exp(-((v / 0.018) ** 2))
    green = rgb(66, 122, 62) * np.float32(rng.uniform(0.85, 1.25))
    window = layers[low[1] : high[1], low[0] : high[0]]
    # Its shadow darkens the leaves below it, but not the air between them.
    shade = blur(np.roll(leaf, (round(0.008 * scale), round(0.006 * scale)), (0, 1)), 0.008 * scale)
    window[..., :3] = window[..., :3] * (1 - 0.45 * shade)[..., None]
    window[:] = sprite(green * tone[..., None], leaf).over(window).layers


def balloon(scale: float) -> Sprite:
    """A hot-air balloon, far away; origin: its middle, centered."""
    width, height = pixels(BALLOON, scale)
    x, y = grid(-BALLOON[0] / 2, -0.042, width, height, scale)
    cloth = shape(BALLOON, scale, spline(_ENVELOPE, closed=True), (BALLOON[0] / 2, 0.042))
    basket = smoothstep(0.0065, 0.0055, np.maximum(np.abs(x), np.abs(y - 0.055)))
    gores = np.sin(np.arcsin(np.clip(x / (0.036 - 0.35 * np.maximum(y, 0)), -1, 1)) * 5)
    color = np.empty((height, width, 3), np.float32)
    color[:] = rgb(196, 58, 46)
    blend(color, rgb(244, 206, 120), smoothstep(-0.15, 0.15, gores))
    color *= light(inflate(cloth, 0.034 * scale))
    blend(color, rgb(92, 64, 40), basket)
    below = (y > 0.036) & (y < 0.052)
    ropes = 0.6 * smoothstep(0.0016, 0.0004, np.abs(np.abs(x) - 0.0058)) * below
    return sprite(color, np.maximum(np.maximum(cloth, basket), ropes))

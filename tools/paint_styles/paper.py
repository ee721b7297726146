"""Styles ink and watercolor."""

import numpy as np
from numpy.typing import NDArray

from tools.paint_styles.brushes import dab, dry_stroke, spiral
from tools.paint_styles.canvas import (
    Colors,
    Image,
    Points,
    blur,
    finish,
    grain,
    grid,
    mix,
    noise,
    palette,
    ramp,
    smoothstep,
)

SUMI = palette("17161a")
SEAL = palette("b3231b")


def ink(side: int, rng: np.random.Generator) -> Image:
    """Draw sumi-e: misty ridges, bamboo, a brushed circle and splashes on rice paper."""
    _, y = grid(side)
    wash = np.zeros((side, side), np.float32)
    for base, depth in ((0.30, 0.30), (0.46, 0.45), (0.66, 0.75)):
        peaks = noise(side, 3.5, rng, 6)[side // 2][None, :]
        below = y - (base + 0.30 * (0.5 - peaks))
        tone = depth * (0.35 + 0.65 * noise(side, 9, rng, 5)) * np.exp(-np.clip(below, 0, 1) * 9)
        wash = np.maximum(
            wash * (1 - smoothstep(below, 0, 0.02)), tone * smoothstep(below, 0, 0.006)
        )
    dense = np.zeros((side, side), np.uint8)
    dry_stroke(dense, spiral((0.66 * side, 0.33 * side), 0.2 * side, 2.0, 5.7), 0.06 * side, rng)
    for cx, lean, width in ((0.12, 0.02, 0.045), (0.25, -0.03, 0.03), (0.90, 0.03, 0.035)):
        _bamboo(dense, cx, lean, width, rng)
    for _ in range(9):
        start = rng.uniform((0.1, 0.74), (0.6, 0.98)) * side
        reach = np.linspace(0, rng.uniform(0.15, 0.4), 40)[:, None] * side
        path = (start + reach * (1, rng.normal(0, 0.03))).astype(np.float32)
        dry_stroke(dense, path, rng.uniform(0.012, 0.03) * side, rng, rng.uniform(0.3, 0.7))
    count = 420
    points = (rng.normal((0.5, 0.6), (0.35, 0.28), (count, 2)) * side).astype(np.float32)
    radii = (side * 0.0012 * (1 + rng.pareto(1.6, count)).clip(0, 9)).astype(np.float32)
    dab(dense, points, radii, rng.uniform(110, 250, (count, 1)))
    strokes = dense.astype(np.float32) / 255
    bleed = 0.35 * blur(strokes, 0.006) * noise(side, 60, rng, 2)
    amount = 1 - (1 - 0.8 * wash) * (1 - 0.96 * strokes) * (1 - bleed)
    sheet = ramp(noise(side, 3, rng), palette("f3ead6", "ebdfc4", "f6f0e2"))
    picture = mix(sheet, np.broadcast_to(SUMI, sheet.shape), amount)
    _seal(picture, rng)
    return finish(grain(picture, 0.12, rng))


def _bamboo(
    dense: NDArray[np.uint8], cx: float, lean: float, width: float, rng: np.random.Generator
) -> None:
    """Draw one stalk with pointed leaves."""
    side = len(dense)
    top = 1.02
    while top > -0.05:
        length = rng.uniform(0.15, 0.22)
        rise = np.linspace(0, length * 0.96, 40)
        path = np.stack([cx + lean * (1 - top + rise) * 3, top - rise], axis=1) * side
        load = rng.uniform(0.45, 0.85)
        dry_stroke(dense, path.astype(np.float32), width * side, rng, load)
        for _ in range(int(rng.integers(2, 5))):
            angle = rng.choice([0.5, 0.9, 2.3, 2.7]) + rng.normal(0, 0.2)
            reach = np.linspace(0, rng.uniform(0.10, 0.19), 40)
            leaf = np.stack([reach * np.cos(angle), reach * np.sin(angle) + reach**2], axis=1)
            tip = (path[-1] + leaf * side).astype(np.float32)
            dry_stroke(dense, tip, rng.uniform(0.018, 0.034) * side, rng, rng.uniform(0.7, 1.1))
        top -= length


def _seal(picture: Colors, rng: np.random.Generator) -> None:
    """Draw a red square stamp with carved bars, in place."""
    side = len(picture)
    left, upper, size = round(0.80 * side), round(0.84 * side), round(0.085 * side)
    worn = noise(size, 8, rng, 3) > 0.2
    worn[:: max(1, size // 5)] &= rng.random(size) > 0.75
    carve = size // 4
    worn[carve : 3 * carve, carve + carve // 2 : 2 * carve] = False
    patch = picture[upper : upper + size, left : left + size]
    patch[worn] = 0.15 * patch[worn] + 0.85 * SEAL[0]


def watercolor(side: int, rng: np.random.Generator) -> Image:
    """Draw wet flowers whose pigment gathers at the edges of each wash."""
    pigments = palette("e0447c", "f29b2e", "5a49b8", "1a9fb0", "f4cf3a", "c22f52", "3a6fd0")
    greens = palette("2f8a57", "7fae3a", "1f6f73")
    picture = np.broadcast_to(palette("fbf8f0"), (side, side, 3)).astype(np.float32)
    for _ in range(14):
        color = pigments[rng.integers(len(pigments))]
        _wash(picture, rng.uniform(0, 1, 2), rng.uniform(0.12, 0.24, 2), 0.0, color, 0.35, rng)
    for _ in range(18):
        size = rng.uniform((0.02, 0.05), (0.035, 0.12))
        color = greens[rng.integers(len(greens))]
        _wash(picture, rng.uniform(0, 1, 2), size, rng.uniform(0, 3.1), color, 0.75, rng)
    for spot in rng.permutation(12):
        center = (np.array(divmod(spot, 4)) + rng.uniform(0.1, 0.9, 2)) / (3, 4)
        _flower(picture, center, pigments[rng.integers(len(pigments))], rng)
    count = 320
    drops = np.full((side, side, 3), 255, np.uint8)
    radii = (side * 0.0014 * (1 + rng.pareto(1.8, count)).clip(0, 7)).astype(np.float32)
    points = rng.uniform(0, side - 1, (count, 2)).astype(np.float32)
    dab(drops, points, radii, 40 + 0.8 * pigments[rng.integers(len(pigments), size=count)])
    return finish(grain(picture * drops / 255, 0.07, rng))


def _flower(picture: Colors, center: Points, color: Colors, rng: np.random.Generator) -> None:
    """Draw five overlapping petals around a dark heart at `center` (0..1), in place."""
    size = rng.uniform(0.07, 0.13)
    for turn in np.arange(5) * 2 * np.pi / 5 + rng.uniform(0, 1):
        place = center + 0.8 * size * np.array([np.cos(turn), np.sin(turn)])
        radii = np.array([0.8, 0.52]) * size * rng.uniform(0.85, 1.15)
        _wash(picture, place, radii, turn, color + rng.normal(0, 14, 3), 0.7, rng)
    _wash(picture, center, np.full(2, 0.22 * size), 0.0, palette("6b3a12")[0], 0.9, rng)


def _wash(
    picture: Colors,
    center: Points,
    radii: Points,
    angle: float,
    color: Colors,
    strength: float,
    rng: np.random.Generator,
) -> None:
    """Draw one pool of pigment with a ragged, darker edge, in place.

    Args:
        picture: Modified in place.
        center: Center of the pool, 0..1.
        radii: Radii along and across `angle`, in fractions of the side.
        angle: Angle in radians.
        color: Color of the pigment.
        strength: Density, 0..1.
        rng: Random generator.
    """
    side = len(picture)
    reach = float(max(radii)) * 1.5
    low = np.clip(((center - reach) * side).astype(int), 0, side - 1)
    high = np.clip(((center + reach) * side).astype(int) + 1, low + 1, side)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    x, y = np.meshgrid(np.arange(low[0], high[0]) / side, np.arange(low[1], high[1]) / side)
    x, y = x - center[0], y - center[1]
    along = (x * np.cos(angle) + y * np.sin(angle)) / radii[0]
    across = (y * np.cos(angle) - x * np.sin(angle)) / radii[1]
    span = max(x.shape)
    ragged = noise(span, max(2.0, reach * 22), rng, 5)[: x.shape[0], : x.shape[1]]
    inside = (1 - np.hypot(along, across) + 0.45 * (ragged - 0.5)).astype(np.float32)
    edge = 0.006 / float(min(radii))
    body = smoothstep(inside, 0, edge)
    rim = body * np.exp(-np.clip(inside, 0, 1) / (4 * edge))
    pool = noise(span, max(2.0, reach * 9), rng, 3)[: x.shape[0], : x.shape[1]]
    density = np.clip(strength * body * (0.25 + 0.75 * pool) + 0.55 * strength * rim, 0, 1)
    picture[window] *= 1 - density[..., None] * (1 - np.clip(color, 0, 255) / 255)

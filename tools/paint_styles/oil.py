"""Styles starry, ember, pointillist and abstract."""

import cv2
import numpy as np

from tools.paint_styles.brushes import Brush, along, dab, disc, dry, fill, line, stroke_over, wet
from tools.paint_styles.canvas import (
    Colors,
    Image,
    Points,
    bgr,
    finish,
    grain,
    grid,
    mix,
    noise,
    palette,
    ramp,
    smoothstep,
)

NIGHT = palette("0a1440", "16339a", "3f7fd6", "10246b", "7cc0e6", "1b3f9e", "d5ecdc", "132a7c")
HALO = palette("fff6c2", "ffd84a", "f2b01e", "9fb46a", "3f7fae")
FIRE = palette("120406", "2b0708", "7a0f08", "c92a06", "ff6a00", "ffb01c", "fff0a0")
SWIRLS = ((0.36, 0.36, 0.15, 1.5), (0.63, 0.43, 0.11, -1.3), (0.86, 0.62, 0.09, 1.0))
STARS = (
    (0.10, 0.12, 0.060),
    (0.31, 0.10, 0.055),
    (0.54, 0.13, 0.058),
    (0.11, 0.47, 0.060),
    (0.39, 0.66, 0.058),
    (0.71, 0.24, 0.045),
    (0.87, 0.14, 0.110),
    (0.93, 0.43, 0.060),
    (0.66, 0.70, 0.050),
)


def starry(side: int, rng: np.random.Generator) -> Image:
    """Draw a night sky with swirling strokes around stars and wind."""
    x, y = grid(side)
    stream = 2.4 * y + 0.16 * np.sin(7 * x + 1) + 0.35 * noise(side, 3, rng, 3)
    for cx, cy, size, turn in SWIRLS:
        stream += turn * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * size**2))
    sky = ramp((stream * 2.3) % 1, np.vstack([NIGHT, NIGHT[:1]]))
    for cx, cy, size in STARS:
        distance = np.hypot(x - cx, y - cy) + 0.02 * size
        near = np.exp(-((distance / (1.5 * size)) ** 2))
        stream = stream * (1 - near) + near * 3 * distance / size
        rings = np.clip(distance / (1.7 * size) + 0.07 * np.sin(distance / size * 18), 0, 1)
        sky = mix(sky, ramp(rings, HALO), 1 - smoothstep(distance, 0.9 * size, 1.75 * size))
    angles = along(stream) + 0.12
    hills = 0.84 + 0.05 * np.sin(5.2 * x + 0.7) + 0.03 * np.sin(13 * x) - y
    land = ramp(noise(side, 9, rng), palette("071023", "0d2a3f", "1d4a4f", "2d6b52", "0a1a35"))
    ground = 1 - smoothstep(hills, -0.004, 0.004)
    picture = mix(sky, land, ground)
    angles = np.where(ground > 0.5, along(hills * 3 + 0.3 * noise(side, 6, rng)), angles)
    canvas = wet(picture)
    for brush, coverage in (
        (Brush(0.16, 0.036, 6, 14, 9), 2.5),
        (Brush(0.12, 0.024, 5, 18, 9), 1.6),
        (Brush(0.08, 0.015, 4, 26, 9), 0.4),
    ):
        stroke_over(canvas, picture, angles, brush, rng, coverage)
    return finish(dry(canvas, depth=0.7, gloss=0.05))


def ember(side: int, rng: np.random.Generator) -> Image:
    """Draw flames in palette-thick paint, with sparks above the coals."""
    x, y = grid(side)
    sway = noise(side, 3, rng, 3) - 0.5
    tongues = cv2.resize(
        noise(side, 7, rng, 4)[: side // 3], (side, side), interpolation=cv2.INTER_CUBIC
    )
    column = np.clip((x + 0.22 * sway * (1.3 - y)) * side, 0, side - 1).astype(np.float32)
    row = np.clip((y + 0.08 * sway) * side, 0, side - 1).astype(np.float32)
    tongues = cv2.remap(tongues, column, row, cv2.INTER_LINEAR)
    heat = np.clip(0.12 + 1.5 * (tongues - 0.22) + 0.45 * (y - 0.5), 0, 1)
    picture = ramp(heat.astype(np.float32), FIRE)
    angles = along((column / side * 4 + 0.7 * tongues).astype(np.float32))
    canvas = wet(picture)
    for brush, coverage in (
        (Brush(0.17, 0.046, 6, 14, 9), 2.5),
        (Brush(0.12, 0.028, 5, 18, 9), 1.5),
        (Brush(0.07, 0.016, 4, 26, 9), 0.4),
    ):
        stroke_over(canvas, picture, angles, brush, rng, coverage)
    painted = dry(canvas, depth=0.8, gloss=0.06)
    sparks = np.zeros((side, side, 3), np.uint8)
    count = 260
    points = rng.uniform(0, side - 1, (count, 2)).astype(np.float32)
    radii = (side * rng.uniform(0.0012, 0.004, count)).astype(np.float32)
    dab(sparks, points, radii, FIRE[rng.integers(4, 7, count)])
    halo = cv2.GaussianBlur(sparks.astype(np.float32), (0, 0), side * 0.008) * 2.5
    return finish(painted + halo + sparks)


def pointillist(side: int, rng: np.random.Generator) -> Image:
    """Draw a park by the river in dots: sunlit lawn, deep shade and trees."""
    x, y = grid(side)
    picture = ramp(y * 3, palette("8fb8de", "cfe3ea", "f7efcf", "f4d9a8"))
    river = ramp(noise(side, 14, rng, 3), palette("2f62a8", "6fa4d0", "e8f2ea", "3f7fb8"))
    picture = mix(picture, river, smoothstep(y - 0.12 * x, 0.27, 0.28))
    lawn = ramp(noise(side, 6, rng), palette("5d9a34", "a9c93f", "e4dc62", "7fb23c"))
    picture = mix(picture, lawn, smoothstep(y + 0.30 * x, 0.62, 0.63))
    shade = ramp(noise(side, 8, rng), palette("0b2540", "14463f", "1f5f3a", "33307a"))
    bands = np.sin(13 * y + 4 * x + 3 * noise(side, 3, rng, 3)) - 0.25 + 0.5 * (y - 0.5)
    picture = mix(picture, shade, smoothstep(bands, 0.1, 0.2) * smoothstep(y, 0.5, 0.6))
    for cx, cy, size in ((0.10, 0.16, 0.23), (0.44, 0.10, 0.15), (0.86, 0.20, 0.24)):
        trunk = (np.abs(x - cx) < 0.09 * size) & (y > cy) & (y < cy + 2.1 * size)
        picture[trunk] = palette("2a1830")
        crown = np.hypot(x - cx, (y - cy) * 1.1) + 0.12 * (noise(side, 7, rng) - 0.5)
        leaves = ramp(noise(side, 9, rng), palette("0a1f33", "14523f", "3f8f3c", "d6b53e"))
        picture = mix(picture, leaves, 1 - smoothstep(crown, size - 0.01, size))
    canvas = wet(np.broadcast_to(palette("f4ecd6"), picture.shape))
    for radius, coverage in ((0.024, 2.6), (0.018, 1.3), (0.012, 0.35)):
        count = round(coverage / (3.14 * radius**2))
        points = rng.uniform(0, side - 1, (count, 2)).astype(np.float32)
        column, row = points.astype(int).T
        colors = picture[row, column]
        gray = colors.mean(axis=1, keepdims=True)
        pure = gray + (colors - gray) * rng.uniform(1.0, 1.35, (count, 1))
        opposite = rng.random((count, 1)) < 0.07
        pure = np.where(opposite, 1.1 * gray - 0.6 * (colors - gray), pure)
        pure = np.clip(pure + rng.normal(0, 13, (count, 3)), 0, 255)
        heights = rng.uniform(120, 255, (count, 1))
        radii = (side * radius * rng.uniform(0.75, 1.15, count)).astype(np.float32)
        dab(canvas, points, radii, np.hstack([pure, heights]))
    return finish(dry(canvas, depth=0.5))


INKS = palette("d7263d", "f4a300", "1b4f9c", "111418", "2a9d8f", "7b2d8b", "f7d038", "e86a92")


def abstract(side: int, rng: np.random.Generator) -> Image:
    """Draw circles, wedges, checkers and black lines on a ground between yellow and blue."""
    ground = ramp(
        0.75 * grid(side)[0] + 0.25 * noise(side, 2, rng),
        palette("f7c948", "fbe08a", "f6efe0", "8fc1e3", "3f6fc4"),
    )
    picture = ground.copy()
    for _ in range(26):
        _translucent(picture, _polygon(side, rng), INKS[rng.integers(len(INKS))], 0.9)
    for _ in range(15):
        _rings(picture, side, rng)
    for _ in range(5):
        _checkers(picture, side, rng)
    for _ in range(34):
        _bar(picture, side, rng)
    return finish(grain(picture, 0.08, rng))


def _translucent(picture: Colors, points: Points, color: Colors, amount: float) -> None:
    """Blend a polygon ``[n, 2]`` over the picture, in place."""
    low = np.clip(points.min(axis=0).astype(int) - 1, 0, len(picture))
    high = np.clip(points.max(axis=0).astype(int) + 2, low, len(picture))
    if (high == low).any():
        return
    window = picture[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(window.shape[:2], np.uint8)
    fill(mask, points - low, (255,))
    fade = np.linspace(0.6, 1.0, len(mask), dtype=np.float32)[:, None]
    amounts = amount * fade * mask.astype(np.float32) / 255
    window += (color * (0.55 + 0.45 * window / 255) - window) * amounts[..., None]


def _polygon(side: int, rng: np.random.Generator) -> Points:
    """Return a triangle, wedge or half moon at a random position."""
    center = rng.uniform(0.05, 0.95, 2)
    size = rng.uniform(0.10, 0.32)
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.3:
        turns = angle + np.linspace(0, np.pi, 40)
    else:
        turns = angle + np.array([0, rng.uniform(0.4, 1.2), rng.uniform(2.4, 4.0)])
    corners = center + size * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return (corners * side).astype(np.float32)


def _rings(picture: Colors, side: int, rng: np.random.Generator) -> None:
    """Draw concentric circles of different colors with a dark rim."""
    center = rng.uniform(0.05, 0.95, 2) * side
    outer = rng.uniform(0.04, 0.17) * side
    for share in np.linspace(1, 0.2, int(rng.integers(2, 6))):
        color = bgr(INKS[rng.integers(len(INKS))] + rng.normal(0, 12))
        disc(picture, center, outer * share, color)
        disc(picture, center, outer * share, bgr(INKS[3]), rim=side * 0.0035)


def _checkers(picture: Colors, side: int, rng: np.random.Generator) -> None:
    """Draw a rotated checkerboard of two colors."""
    origin = rng.uniform(0.05, 0.85, 2)
    lean = rng.uniform(-0.7, 0.7)
    cell = rng.uniform(0.018, 0.03)
    right = cell * np.array([np.cos(lean), np.sin(lean)])
    down = cell * np.array([-np.sin(lean), np.cos(lean)])
    pair = INKS[rng.choice(len(INKS), 2, replace=False)]
    for i in range(5):
        for j in range(5):
            corner = origin + i * right + j * down
            quad = np.array([corner, corner + right, corner + right + down, corner + down]) * side
            _translucent(picture, quad.astype(np.float32), pair[(i + j) % 2], 1.0)


def _bar(picture: Colors, side: int, rng: np.random.Generator) -> None:
    """Draw a straight or bent black or colored line, thin or thick."""
    start = rng.uniform(0, 1, 2)
    angle = rng.choice([0.5, 0.8, -0.6, 2.2]) + rng.normal(0, 0.12)
    reach = np.linspace(0, rng.uniform(0.2, 0.7), 40)
    bend = rng.choice([0.0, 0.0, 0.6, -0.6])
    turns = angle + bend * reach * 4
    path = start + np.cumsum(
        np.stack([np.cos(turns), np.sin(turns)], axis=1) * reach[-1] / len(reach), axis=0
    )
    dark = rng.random() < 0.7
    color = bgr(INKS[3] if dark else INKS[rng.integers(len(INKS))])
    line(picture, path * side, color, side * rng.choice([0.003, 0.005, 0.011]))

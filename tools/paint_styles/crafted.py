"""Styles mosaic, stained-glass, candy and neon."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.paint_styles.brushes import disc, fill, line
from tools.paint_styles.canvas import (
    Colors,
    Image,
    Points,
    bgr,
    blur,
    finish,
    grain,
    grid,
    light,
    mix,
    noise,
    palette,
    ramp,
    smoothstep,
)

STONES = (
    palette("d9a520", "f2c94c", "b07d12"),
    palette("0f8f8c", "2fb8ac", "0a6466"),
    palette("c4472a", "e2714a", "98301c"),
    palette("7c1f2b", "a3323c", "5c1420"),
    palette("efe6d2", "dfd0b2", "faf5ea"),
    palette("d9a520", "efe6d2", "e2714a"),
)


def mosaic(side: int, rng: np.random.Generator) -> Image:
    """Draw tesserae laid in overlapping fans, with pale grout between the stones."""
    colors = np.full((side, side, 3), (150, 168, 176), np.uint8)
    relief = np.zeros((side, side), np.uint8)
    pitch = 0.38
    for row in range(-1, 9):
        for column in range(-1, 4):
            center = ((column + 0.5 * (row % 2)) * pitch, (row + 1) * 0.36 * pitch)
            _fan(colors, relief, center, 0.56 * pitch, rng)
    height = blur(relief.astype(np.float32) / 255, 0.0018)
    rough = grain(colors.astype(np.float32), 0.25, rng)
    return finish(light(rough, height, depth=0.9, gloss=0.10))


def _fan(
    colors: Image,
    relief: Image,
    center: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
) -> None:
    """Draw a disc with rings of stones."""
    side = len(colors)
    disc(colors, np.array(center) * side, radius * side, (118, 136, 146))
    disc(relief, np.array(center) * side, radius * side, (0,))
    families = rng.choice(len(STONES), 3, replace=False)
    rings = 5
    depth = radius / rings
    for ring in range(rings):
        stones = STONES[families[(0, 1, 1, 2, 0)[ring]]]
        inner, outer = depth * (ring + 0.06), depth * (ring + 0.92)
        count = max(4, round(2 * np.pi * (ring + 0.5)))
        share = 2 * np.pi / count
        for start in np.arange(count) * share + rng.uniform(0, share):
            turns = start + np.array([0.0, 0.88, 0.88, 0.0]) * share + rng.normal(0, 0.02, 4)
            reach = np.array([inner, inner, outer, outer]) + rng.normal(0, depth * 0.04, 4)
            quad = center + np.stack([np.cos(turns), np.sin(turns)], axis=1) * reach[:, None]
            color = stones[rng.integers(len(stones))] + rng.normal(0, 10) + rng.normal(0, 5, 3)
            fill(colors, quad * side, bgr(color))
            fill(relief, quad * side, (rng.uniform(150, 255),))


GEMS = palette("c8102e", "0b3fb8", "f2a71b", "0f8a4b", "6a1b9a", "0fa3b1", "f6d55c", "e2571e")
RINGS = (6, 12, 18, 24, 24, 32, 32)
RING_GEMS = ((0, 0), (2, 6), (1, 5), (6, 0), (3, 1), (5, 6), (0, 3), (1, 2))


def stained_glass(side: int, rng: np.random.Generator) -> Image:
    """Draw a rose window: jewel-colored panes, streaked and lit from behind, in black lead."""
    sites, gems = _rose(rng)
    panes = _nearest(sites, side)
    glass = gems[panes]
    streaks = noise(side, 5, rng, 5)
    shine = noise(side, 14, rng, 3)
    glass = glass * (0.8 + 0.55 * streaks[..., None]) + 70 * shine[..., None] ** 3
    seams = cv2.morphologyEx(
        panes.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
    )
    away = cv2.distanceTransform((seams == 0).astype(np.uint8), cv2.DIST_L2, 5) / side
    glass *= (0.6 + 0.4 * smoothstep(away, 0.004, 0.022))[..., None]
    lead = 1 - smoothstep(away, 0.0058, 0.0074)
    metal = light(np.full_like(glass, 34), blur(lead, 0.002), depth=1.2, gloss=0.25)
    return finish(mix(glass, metal, lead))


def _nearest(sites: Points, side: int) -> NDArray[np.intp]:
    """Return the index of the nearest of `sites` ``[n, 2]``, 0..1, for each pixel."""
    column, row = np.clip(np.round(sites * side).astype(int), 0, side - 1).T
    marks = np.full((side, side), 255, np.uint8)
    marks[row, column] = 0
    _, labels = cv2.distanceTransformWithLabels(
        marks, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    site_of_label = np.zeros(labels.max() + 1, np.intp)
    site_of_label[labels[row, column]] = np.arange(len(sites))
    return np.asarray(site_of_label[labels])


def _rose(rng: np.random.Generator) -> tuple[Points, Colors]:
    """Return sites ``[n, 2]``, 0..1, of panes in rings around the center, and their colors."""
    sites, gems = [np.array([[0.5, 0.5]])], [GEMS[:1]]
    for ring, count in enumerate(RINGS, start=1):
        turns = (np.arange(count) + 0.5 * (ring % 2)) * 2 * np.pi / count
        turns = turns + rng.normal(0, 0.006, count)
        radius = 0.1 * ring + rng.normal(0, 0.002, count)
        sites.append(0.5 + radius[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1))
        pair = np.array(RING_GEMS[ring])[np.arange(count) % 2]
        stray = rng.random(count) < 0.12
        gems.append(GEMS[np.where(stray, rng.integers(len(GEMS), size=count), pair)])
    every, colors = np.vstack(sites), np.vstack(gems)
    shown = ((every > 0) & (every < 1)).all(axis=1)
    return every[shown].astype(np.float32), colors[shown]


SWEETS = palette("ff2e88", "ffffff", "ffd400", "ff7a1a", "19d3c5", "ffffff", "8a3ffc", "35a7ff")
LOLLIPOPS = ((0.27, 0.30, 0.24), (0.75, 0.22, 0.17), (0.66, 0.70, 0.26), (0.16, 0.80, 0.17))


def candy(side: int, rng: np.random.Generator) -> Image:
    """Draw lollipops and ribbons of pulled sugar, rounded and glossy."""
    x, y = grid(side)
    warped = 3.2 * (x + y) + 1.5 * noise(side, 2.5, rng, 2)
    phase = warped * 1.6
    for cx, cy, size in LOLLIPOPS:
        dx, dy = x - cx, y - cy
        distance = np.hypot(dx, dy)
        turn = np.arctan2(dy, dx) / (2 * np.pi)
        pop = turn * 8 + 6.0 * (distance / size) ** 0.8 + rng.uniform(0, 8)
        phase = np.where(distance < size, pop, phase)
    band = np.floor(phase).astype(int) % len(SWEETS)
    picture = SWEETS[band]
    round_top = np.sqrt(np.clip(1 - (2 * (phase % 1) - 1) ** 2, 0, 1)).astype(np.float32)
    picture = picture * (0.62 + 0.38 * round_top[..., None])
    sugar = blur(round_top, 0.004) * 2.2
    return finish(light(picture, sugar, depth=1.1, gloss=0.75))


TUBES = palette("ff2bd6", "18e0ff", "8b5bff", "3dff8f", "ff5a36", "ffe14d")


def neon(side: int, rng: np.random.Generator) -> Image:
    """Draw glowing circuits that turn by 45 degrees on a dark board."""
    board = ramp(noise(side, 4, rng), palette("05030f", "0b0a2a", "160a3a", "06182f"))
    glow = np.zeros((side, side, 3), np.uint8)
    core = np.zeros((side, side, 3), np.uint8)
    cells = 30
    for _ in range(75):
        path = _circuit(cells, rng) * side / cells
        color = TUBES[rng.choice(len(TUBES), p=(0.3, 0.28, 0.18, 0.1, 0.08, 0.06))]
        width = side * rng.choice([0.003, 0.0045, 0.007])
        line(glow, path, bgr(color), width * 1.6)
        line(core, path, bgr(160 + 0.37 * color), width * 0.6)
        for end in (path[0], path[-1]):
            disc(glow, end, side * 0.009, bgr(color), rim=width)
    tubes = glow.astype(np.float32)
    halo = sum(
        strength * cv2.GaussianBlur(tubes, (0, 0), side * radius)
        for radius, strength in ((0.004, 0.5), (0.012, 0.7), (0.04, 0.9))
    )
    lit: Colors = np.maximum(board + halo, 0.95 * tubes)
    return finish(grain(np.maximum(lit, core.astype(np.float32)), 0.12, rng))


def _circuit(cells: int, rng: np.random.Generator) -> Points:
    """Return a random walk ``[n, 2]`` on grid points with turns of 45 degrees."""
    ways = np.array([(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)])
    heading = int(rng.integers(8))
    points = [rng.integers(0, cells + 1, 2)]
    for _ in range(int(rng.integers(3, 7))):
        points.append(points[-1] + ways[heading] * int(rng.integers(1, 6)))
        heading = (heading + int(rng.choice([-1, 1]))) % 8
    return np.array(points, np.float32)

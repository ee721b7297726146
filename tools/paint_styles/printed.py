"""Styles wave (a woodblock print) and comic."""

import cv2
import numpy as np

from tools.paint_styles.brushes import dab, disc, fill, line, mask_of
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

OUTLINE = palette("0e1c33")[0]
FOAM = palette("f6eed8")[0]
BLACK = (16.0, 12.0, 12.0)


def wave(side: int, rng: np.random.Generator) -> Image:
    """Draw a woodblock sea: rows of breaking waves with clawed foam and carved stripes."""
    _, y = grid(side)
    sky = ramp(y * 1.6, palette("c9b98d", "efe2c0", "f5ead0", "e9d7b0", "d9c49a"))
    canvas = finish(sky)
    _sun(canvas)
    blues = palette("9dbdc4", "5f93ad", "2e6a97", "1d4a80", "16345f", "122a4d")
    for row, base in enumerate(np.linspace(0.40, 1.06, len(blues))):
        _breaker(canvas, float(base), 0.6 + 0.16 * row, blues[row], rng)
    picture = canvas.astype(np.float32)
    planks = noise(side, 26, rng, 3)
    wood = cv2.resize(planks[:, : side // 14], (side, side), interpolation=cv2.INTER_CUBIC)
    return finish(grain(picture * (0.9 + 0.2 * wood[..., None]), 0.12, rng))


def _sun(canvas: Image) -> None:
    """Draw a red disc low in the sky."""
    side = len(canvas)
    disc(canvas, np.array([0.73, 0.20]) * side, 0.095 * side, bgr(palette("c8452e")[0]))


def _breaker(
    canvas: Image, base: float, scale: float, color: Colors, rng: np.random.Generator
) -> None:
    """Draw one row of waves: a dark body, stripes that follow the crest, and foam on it."""
    side = len(canvas)
    t = np.linspace(-0.3, 1.3, 900)
    phase, count = rng.uniform(0, 1), rng.uniform(1.7, 2.6) / scale**0.5
    turn = 2 * np.pi * (count * t + phase)
    height = 0.085 * scale * (1 + 0.25 * np.sin(turn / 2.7))
    lean = np.clip(np.cos(turn), 0, 1) ** 2
    crest_x = t + 0.06 * scale * np.sin(turn) + 0.075 * scale * lean
    crest_y = base - height * (np.cos(turn) + 0.7 * lean**2) - 0.006 * np.sin(3 * turn)
    crest = np.stack([crest_x, crest_y], axis=1) * side
    floor = np.array([[1.4, 1.6], [-0.4, 1.6]]) * side
    body = np.vstack([crest, floor])
    carved = np.full_like(canvas, finish(color))
    for stripe in range(1, 7):
        tone = color * 0.55 if stripe % 2 else color * 0.55 + 0.45 * FOAM
        sunk = crest + np.array([0.012 * stripe * scale, 0.024 * stripe * scale]) * side
        sunk[:, 1] += 0.007 * side * stripe * (1 + np.cos(turn))
        line(carved, sunk, bgr(tone), side * 0.0065 * scale)
    under, over = canvas.astype(np.float32), carved.astype(np.float32)
    canvas[:] = finish(mix(under, over, mask_of(body, side)))
    line(canvas, crest, bgr(OUTLINE), side * 0.006)
    lip = (np.cos(turn) > 0.25) & (np.sin(turn) > -0.2)
    _foam(canvas, crest[np.cos(turn) > 0.1], crest[lip], scale, rng)


def _foam(
    canvas: Image, crest: Points, lip: Points, scale: float, rng: np.random.Generator
) -> None:
    """Draw outlined scallops along the crest, claws that hang from its lip, and spray above."""
    side = len(canvas)
    scallops = crest[rng.choice(len(crest), min(len(crest), 150), replace=False)]
    scallops = scallops + rng.normal(0, 0.004 * scale * side, scallops.shape)
    radii = [side * scale * rng.uniform(0.005, 0.013, len(scallops))]
    points = [scallops]
    for root in lip[rng.choice(len(lip), min(len(lip), 34), replace=False)]:
        t = np.linspace(0, 1, 14)
        curl = rng.uniform(-0.3, 0.5) + rng.uniform(1.2, 2.4) * t
        steps = np.stack([np.cos(curl), np.sin(curl)], axis=1)
        points.append(root + np.cumsum(steps, axis=0) * rng.uniform(0.003, 0.0055) * scale * side)
        radii.append(side * scale * 0.0085 * (1.05 - t))
    spots, sizes = np.vstack(points).astype(np.float32), np.hstack(radii).astype(np.float32)
    rim = np.float32(side * 0.003)
    dab(canvas, spots, sizes + rim, np.broadcast_to(OUTLINE, (len(spots), 3)))
    dab(canvas, spots, sizes, np.broadcast_to(FOAM, (len(spots), 3)))
    spray = crest[rng.integers(len(crest), size=60)] - np.abs(
        rng.normal(0, 0.035 * scale * side, (60, 2))
    )
    dots = (side * rng.uniform(0.0015, 0.0042, 60)).astype(np.float32)
    dab(canvas, spray.astype(np.float32), dots, np.broadcast_to(FOAM, (60, 3)))


def comic(side: int, rng: np.random.Generator) -> Image:
    """Draw bursts, halftone dots and speed lines under bold black outlines."""
    picture = _halftone(side, palette("fff3c9")[0], palette("35b6e8")[0], rng)
    for _ in range(26):
        _speed_line(picture, rng)
    panels = (
        (0.27, 0.30, 0.36, "ffd60a", "ff8a00"),
        (0.80, 0.16, 0.26, "ff3b3b", "ffd60a"),
        (0.74, 0.62, 0.37, "ffffff", "ff3b5c"),
        (0.20, 0.83, 0.30, "31c4f3", "123f9e"),
    )
    for cx, cy, size, paper, dots in panels:
        shade = _halftone(side, palette(paper)[0], palette(dots)[0], rng)
        _burst(picture, shade, (cx, cy), size, rng)
    return finish(grain(picture, 0.06, rng))


def _halftone(side: int, paper: Colors, dots: Colors, rng: np.random.Generator) -> Colors:
    """Return a rotated halftone raster with slowly varying dot sizes."""
    x, y = grid(side)
    pitch = 0.03
    u, v = (x + 0.5 * y) / pitch, (y - 0.5 * x) / pitch
    distance = np.hypot(u % 1 - 0.5, v % 1 - 0.5) / 1.118
    tone = 0.80 * noise(side, 2, rng, 1) - 0.25
    amount = 1 - smoothstep(distance.astype(np.float32) - tone, -0.05, 0.05)
    return mix(np.broadcast_to(paper, (side, side, 3)), np.broadcast_to(dots, (1, 1, 3)), amount)


def _burst(
    picture: Colors,
    shade: Colors,
    center: tuple[float, float],
    size: float,
    rng: np.random.Generator,
) -> None:
    """Draw an exploding star filled from `shade`, with a core and a black shadow, in place."""
    side = len(picture)
    spikes = int(rng.integers(8, 12))
    turns = np.linspace(0, 2 * np.pi, 2 * spikes, endpoint=False) + rng.uniform(0, 1)
    reach = np.where(np.arange(2 * spikes) % 2, 0.62, 1.0) * rng.uniform(0.85, 1.1, 2 * spikes)
    star = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (size * reach)[:, None]
    shadow = star + center + np.array([0.022, 0.03])
    fill(picture, shadow * side, BLACK)
    core = 255 - 0.35 * (255 - shade[::-1, ::-1])
    for share, filling in ((1.0, shade), (0.45, core)):
        corners = (star * share + center) * side
        picture[:] = mix(picture, filling, mask_of(corners, side))
        line(picture, corners, BLACK, side * 0.014 * share**0.5, closed=True)


def _speed_line(picture: Colors, rng: np.random.Generator) -> None:
    """Draw a bold black curve that becomes thinner at its end, in place."""
    side = len(picture)
    start, bend = rng.uniform(0, 1, 2), rng.uniform(-0.8, 0.8)
    t = np.linspace(0, 1, 40)
    turns = rng.uniform(0, 2 * np.pi) + bend * t
    path = start + np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0) * 0.012
    wide = 0.011 * np.sin(np.pi * t**0.6)[:, None]
    across = np.stack([-np.sin(turns), np.cos(turns)], axis=1) * wide
    fill(picture, np.vstack([path + across, (path - across)[::-1]]) * side, BLACK)

"""Generate sequences with exactly known motion: photos on moving planes.

A scene has a background and optionally an object in front of it. Each is a photo (the object has a
mask) with one similarity transform per frame. The position of a pixel in any other frame, and
whether it is hidden there, can therefore be computed exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.footage import PORTRAITS, VIEWS, photo
from live_nst.types import Image

Flow = NDArray[np.float32]
"""Displacements `[height, width, 2]`, (x, y) in pixels."""
Mask = NDArray[np.bool_]

KINDS = ("pan", "zoom", "portrait", "object", "subject", "still", "exposure", "creep")
NOISE = 3.0  # uint8 values; standard deviation of the camera's noise
_SUPERSAMPLING = 2  # for smooth edges


@lru_cache(maxsize=8)
def positions(height: int, width: int) -> Flow:
    """Return the (x, y) of each pixel, `[height, width, 2]`; cached, so do not modify it."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)


class Motion(NamedTuple):
    """Motion of the pixels of one frame to another.

    Attributes:
        flow: Displacement of each pixel.
        visible: The pixel shows the same point there, and neither is on an object's edge.
        hidden: The point is covered by the object there, or outside the frame.
    """

    flow: Flow
    visible: Mask
    hidden: Mask


@dataclass
class Layer:
    """A photo on a plane; `path(t)` is the 2x3 matrix from its pixels to the frame's."""

    image: Image
    path: Callable[[int], NDArray[np.float64]]
    mask: NDArray[np.float32] | None = None


@dataclass
class Scene:
    """A sequence with exact motion."""

    kind: str
    seed: int
    size: tuple[int, int]
    frames: int
    background: Layer
    object: Layer | None = None
    gain: Callable[[int], NDArray[np.float64]] = field(default=lambda t: np.ones(3))

    @property
    def name(self) -> str:
        """Return kind and seed."""
        return f"{self.kind}-{self.seed}"

    def clean(self, t: int) -> Image:
        """Return frame `t` without noise."""
        image = self._draw(self.background, t)
        if self.object is not None:
            alpha = self._alpha(t)[..., None]
            image = image * (1 - alpha) + self._draw(self.object, t) * alpha
        return np.clip(np.rint(image * self.gain(t)), 0, 255).astype(np.uint8)

    def noisy(self, t: int) -> Image:
        """Return frame `t` with camera noise."""
        noise = np.random.default_rng((self.seed, t)).normal(0, NOISE, (*self.size[::-1], 3))
        return np.clip(np.rint(self.clean(t) + noise), 0, 255).astype(np.uint8)

    def motion(self, t: int, other: int) -> Motion:
        """Return the motion of the pixels of frame `t` to frame `other`."""
        width, height = self.size
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float64)
        there = _apply(_layer_motion(self.background, t, other), grid)
        if self.object is None:
            clean = np.ones((height, width), bool)
            covered = ~clean
        else:
            here, alpha = self._alpha(t), self._alpha(other)
            front = here > 0.5
            there[front] = _apply(_layer_motion(self.object, t, other), grid)[front]
            then = cv2.remap(alpha, there.astype(np.float32), None, cv2.INTER_LINEAR)
            clean = np.where(front, (here > 0.98) & (then > 0.98), (here < 0.02) & (then < 0.02))
            covered = (here < 0.02) & (then > 0.5)
        x, y = there[..., 0], there[..., 1]
        slack = 1e-6  # rounding must not move a static pixel out of the frame
        inside = (x > -slack) & (x < width - 1 + slack) & (y > -slack) & (y < height - 1 + slack)
        flow = (there - grid).astype(np.float32)
        return Motion(flow, clean & inside, covered | ~inside)

    def _draw(self, layer: Layer, t: int) -> NDArray[np.float32]:
        return self._put(layer.image, layer.path(t), cv2.BORDER_REFLECT).astype(np.float32)

    def _alpha(self, t: int) -> NDArray[np.float32]:
        assert self.object is not None and self.object.mask is not None
        return self._put(self.object.mask, self.object.path(t), cv2.BORDER_CONSTANT)

    def _put(self, image: np.ndarray, matrix: NDArray[np.float64], border: int) -> np.ndarray:
        width, height = self.size
        large = (
            _SUPERSAMPLING * matrix + np.array([[0, 0, 1], [0, 0, 1]]) * (_SUPERSAMPLING - 1) / 2
        )
        drawn = cv2.warpAffine(
            image,
            large,
            (_SUPERSAMPLING * width, _SUPERSAMPLING * height),
            flags=cv2.INTER_CUBIC if image.dtype == np.uint8 else cv2.INTER_LINEAR,
            borderMode=border,
        )
        return cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)


def make_scene(kind: str, seed: int, size: tuple[int, int] = (384, 216), frames: int = 60) -> Scene:
    """Return a sequence of one of `KINDS`; the seed chooses photos, directions and speeds."""
    random = np.random.default_rng((KINDS.index(kind), seed))
    view = photo(str(random.choice(VIEWS)))
    face = photo(str(random.choice(PORTRAITS)))
    angle = random.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), 0.6 * np.sin(angle)])
    shake = _shake(random, frames)

    def still(t: int) -> NDArray[np.float64]:
        return np.zeros(4)

    def pan(t: int) -> NDArray[np.float64]:
        phase = np.sin(2 * np.pi * t / frames)
        return np.array([*(direction * 32 * phase), 0.03 * np.sin(2 * np.pi * t / 75), 0.0])

    def zoom(t: int) -> NDArray[np.float64]:
        return np.array([*(0.3 * t * direction), 0.0012 * t, 0.005 * t])

    def creep(t: int) -> NDArray[np.float64]:
        return np.array([*(0.15 * t * direction), 0.0, 0.0006 * t])

    def handheld(t: int) -> NDArray[np.float64]:
        return shake[t]

    paths = {
        "pan": pan,
        "zoom": zoom,
        "portrait": handheld,
        "object": pan,
        "exposure": handheld,
        "subject": still,
        "still": still,
        "creep": creep,
    }
    image = face if kind == "portrait" else view
    back = _layer(image, size, paths[kind], cover=1.25)
    made = Scene(kind, seed, size, frames, back)
    if kind in ("object", "subject"):
        made.object = _object(
            face if kind == "subject" else photo(_other(random, view)), random, made
        )
    if kind == "exposure":
        made.gain = _drift(random, frames)
    return made


def _other(random: np.random.Generator, view: Image) -> str:
    names = [name for name in VIEWS if photo(name) is not view]
    return str(random.choice(names))


def _shake(random: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Return camera shake `[frames, 4]`: x, y in pixels, angle, log of the scale."""
    shake = np.zeros((frames, 4))
    for sigma, amount in ((8.0, (9, 6, 0.02, 0.015)), (1.6, (0.7, 0.7, 0.002, 0.001))):
        steps = random.normal(0, 1, (frames + 64, 4))
        smooth = cv2.GaussianBlur(steps, (1, 0), sigmaX=0.1, sigmaY=sigma)[32 : 32 + frames]
        shake += smooth / smooth.std(0) * amount
    return shake


def _layer(
    image: Image,
    size: tuple[int, int],
    pose: Callable[[int], NDArray[np.float64]],
    cover: float,
) -> Layer:
    """Return a centered layer, `cover` times as large as needed to fill the frame."""
    height, width = image.shape[:2]
    scale = cover * max(size[0] / width, size[1] / height)
    if scale < 0.5:  # cv2.warpAffine has no area interpolation
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        scale = 1.0
    return Layer(image, lambda t: _similarity(image.shape, size, scale, pose(t)))


def _object(image: Image, random: np.random.Generator, made: Scene) -> Layer:
    """Return a blob cut out of an image, with its own motion."""
    width, height = made.size
    scale = 0.72 * height / image.shape[0]
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, columns = image.shape[:2]
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = 0.85 + sum(
        random.uniform(-0.05, 0.05) * np.cos(k * angles + random.uniform(0, 6)) for k in (2, 3, 5)
    )
    side = min(columns / 2 - 2, rows * 0.7)
    outline = np.stack(
        [
            columns / 2 + radius * np.cos(angles) * side,
            rows / 2 + radius * np.sin(angles) * rows / 2,
        ],
        -1,
    )
    mask = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    start, speed = random.uniform(0, 6, 2), random.uniform(0.7, 1.3, 2)

    def pose(t: int) -> NDArray[np.float64]:
        x = 0.26 * width * np.sin(0.075 * speed[0] * t + start[0])
        y = 0.06 * height * np.sin(0.11 * speed[1] * t + start[1])
        return np.array([x, y, 0.05 * np.sin(0.05 * t + start[1]), 0.0])

    return Layer(
        image,
        lambda t: _similarity(image.shape, made.size, 1.0, pose(t)),
        mask.astype(np.float32) / 255,
    )


def _drift(random: np.random.Generator, frames: int) -> Callable[[int], NDArray[np.float64]]:
    """Return gains for drifting exposure and white balance, and one step of the exposure."""
    phase = random.uniform(0, 2 * np.pi, 3)

    def gain(t: int) -> NDArray[np.float64]:
        light = 1 + 0.18 * np.sin(2 * np.pi * t / 50 + phase[0])
        warm = 0.06 * np.sin(2 * np.pi * t / 70 + phase[1])
        step = 0.88 if t >= 2 * frames // 3 else 1.0
        return light * step * np.array([1 - warm, 1.0, 1 + warm])

    return gain


def _similarity(
    shape: tuple[int, ...], size: tuple[int, int], scale: float, pose: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the 2x3 matrix from an image to the frame; `pose` is x, y, angle, log of scale."""
    x, y, angle, zoom = pose
    factor = scale * np.exp(zoom)
    rotation = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    center = (np.array([shape[1], shape[0]]) - 1) / 2
    target = (np.array(size) - 1) / 2 + (x, y)
    return np.column_stack([rotation, target - rotation @ center])


def _layer_motion(layer: Layer, t: int, other: int) -> NDArray[np.float64]:
    """Return the 2x3 matrix from frame `t` to frame `other` for points of a layer."""
    here, there = (np.vstack([layer.path(i), (0, 0, 1)]) for i in (t, other))
    return (there @ np.linalg.inv(here))[:2]


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]

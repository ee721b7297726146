"""Seeded sequences of which the motion is known exactly: photographs on moving planes.

A scene is a background and perhaps an object before it. Each is a photograph (the object with a
mask) that a similarity transform puts on the screen, another one for each frame; so where a pixel
was, or will be, in any other frame, and whether it was hidden there, is known in closed form.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.photos import PORTRAITS, VIEWS, photo
from live_nst.types import Image

Flow = NDArray[np.float32]
"""`[height, width, 2]`: from where to where, (x, y) in pixels."""
Mask = NDArray[np.bool_]

KINDS = ("pan", "zoom", "portrait", "object", "subject", "still", "exposure", "creep")
NOISE = 3.0  # levels; standard deviation of the camera's noise
_SUPER = 2  # drawn at twice the size, so that edges are smooth


@lru_cache(maxsize=8)
def positions(height: int, width: int) -> Flow:
    """Where each pixel is: `[height, width, 2]` of (x, y). Shared: nobody writes into it."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)


class Move(NamedTuple):
    """Where the pixels of one frame are in another.

    Attributes:
        flow: Displacement of each pixel.
        seen: The pixel shows the same point there, and neither is on an object's edge.
        hidden: The point is hidden there, by the object or beyond the frame.
    """

    flow: Flow
    seen: Mask
    hidden: Mask


@dataclass
class Layer:
    """A photograph on a plane; `path(t)` is the 2x3 matrix from its pixels to the screen's."""

    picture: Image
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
        return f"{self.kind}-{self.seed}"

    def clean(self, t: int) -> Image:
        """Frame `t` without noise."""
        picture = self._draw(self.background, t)
        if self.object is not None:
            alpha = self._alpha(t)[..., None]
            picture = picture * (1 - alpha) + self._draw(self.object, t) * alpha
        return np.clip(np.rint(picture * self.gain(t)), 0, 255).astype(np.uint8)

    def noisy(self, t: int) -> Image:
        """Frame `t` as a camera gives it."""
        noise = np.random.default_rng((self.seed, t)).normal(0, NOISE, (*self.size[::-1], 3))
        return np.clip(np.rint(self.clean(t) + noise), 0, 255).astype(np.uint8)

    def move(self, t: int, other: int) -> Move:
        """Where the pixels of frame `t` are in frame `other`."""
        width, height = self.size
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float64)
        there = _apply(_between(self.background, t, other), grid)
        if self.object is None:
            clean = np.ones((height, width), bool)
            covered = ~clean
        else:
            here, alpha = self._alpha(t), self._alpha(other)
            front = here > 0.5
            there[front] = _apply(_between(self.object, t, other), grid)[front]
            then = cv2.remap(alpha, there.astype(np.float32), None, cv2.INTER_LINEAR)
            clean = np.where(front, (here > 0.98) & (then > 0.98), (here < 0.02) & (then < 0.02))
            covered = (here < 0.02) & (then > 0.5)
        x, y = there[..., 0], there[..., 1]
        slack = 1e-6  # rounding may not put a pixel at rest beyond the frame
        inside = (x > -slack) & (x < width - 1 + slack) & (y > -slack) & (y < height - 1 + slack)
        flow = (there - grid).astype(np.float32)
        return Move(flow, clean & inside, covered | ~inside)

    def _draw(self, layer: Layer, t: int) -> NDArray[np.float32]:
        return self._put(layer.picture, layer.path(t), cv2.BORDER_REFLECT).astype(np.float32)

    def _alpha(self, t: int) -> NDArray[np.float32]:
        assert self.object is not None and self.object.mask is not None
        return self._put(self.object.mask, self.object.path(t), cv2.BORDER_CONSTANT)

    def _put(self, picture: np.ndarray, matrix: NDArray[np.float64], border: int) -> np.ndarray:
        width, height = self.size
        large = _SUPER * matrix + np.array([[0, 0, 1], [0, 0, 1]]) * (_SUPER - 1) / 2
        drawn = cv2.warpAffine(
            picture,
            large,
            (_SUPER * width, _SUPER * height),
            flags=cv2.INTER_CUBIC if picture.dtype == np.uint8 else cv2.INTER_LINEAR,
            borderMode=border,
        )
        return cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)


def scene(kind: str, seed: int, size: tuple[int, int] = (384, 216), frames: int = 60) -> Scene:
    """A sequence of one of `KINDS`; the seed chooses photographs, ways and speeds."""
    random = np.random.default_rng((KINDS.index(kind), seed))
    view = photo(str(random.choice(VIEWS)))
    face = photo(str(random.choice(PORTRAITS)))
    angle = random.uniform(0, 2 * np.pi)
    way = np.array([np.cos(angle), 0.6 * np.sin(angle)])
    shake = _shake(random, frames)

    def still(t: int) -> NDArray[np.float64]:
        return np.zeros(4)

    def pan(t: int) -> NDArray[np.float64]:
        phase = np.sin(2 * np.pi * t / frames)
        return np.array([*(way * 32 * phase), 0.03 * np.sin(2 * np.pi * t / 75), 0.0])

    def zoom(t: int) -> NDArray[np.float64]:
        return np.array([*(0.3 * t * way), 0.0012 * t, 0.005 * t])

    def creep(t: int) -> NDArray[np.float64]:
        return np.array([*(0.15 * t * way), 0.0, 0.0006 * t])

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
    picture = face if kind == "portrait" else view
    back = _layer(picture, size, paths[kind], cover=1.25)
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
    """A hand's tremor: x, y in pixels, angle, log of the scale; smooth, two time scales."""
    shake = np.zeros((frames, 4))
    for sigma, amount in ((8.0, (9, 6, 0.02, 0.015)), (1.6, (0.7, 0.7, 0.002, 0.001))):
        steps = random.normal(0, 1, (frames + 64, 4))
        smooth = cv2.GaussianBlur(steps, (1, 0), sigmaX=0.1, sigmaY=sigma)[32 : 32 + frames]
        shake += smooth / smooth.std(0) * amount
    return shake


def _layer(
    picture: Image,
    size: tuple[int, int],
    pose: Callable[[int], NDArray[np.float64]],
    cover: float,
) -> Layer:
    """The picture's middle in the screen's, `cover` times as large as would fill it."""
    height, width = picture.shape[:2]
    scale = cover * max(size[0] / width, size[1] / height)
    if scale < 0.5:  # cv2.warpAffine knows no area average
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = picture.shape[:2]
        scale = 1.0
    return Layer(picture, lambda t: _similarity(picture.shape, size, scale, pose(t)))


def _object(picture: Image, random: np.random.Generator, made: Scene) -> Layer:
    """A blob cut out of a picture, on a way of its own."""
    width, height = made.size
    scale = 0.72 * height / picture.shape[0]
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, columns = picture.shape[:2]
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
        picture,
        lambda t: _similarity(picture.shape, made.size, 1.0, pose(t)),
        mask.astype(np.float32) / 255,
    )


def _drift(random: np.random.Generator, frames: int) -> Callable[[int], NDArray[np.float64]]:
    """Exposure and white balance that drift, and one step of the exposure."""
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
    """From the picture's pixels to the screen's: x, y, angle, log of the scale about the middle."""
    x, y, angle, zoom = pose
    factor = scale * np.exp(zoom)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array([shape[1], shape[0]]) - 1) / 2
    target = (np.array(size) - 1) / 2 + (x, y)
    return np.column_stack([turn, target - turn @ middle])


def _between(layer: Layer, t: int, other: int) -> NDArray[np.float64]:
    """From the screen at `t` to the screen at `other`, for points of a layer."""
    here, there = (np.vstack([layer.path(i), (0, 0, 1)]) for i in (t, other))
    return (there @ np.linalg.inv(here))[:2]


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]

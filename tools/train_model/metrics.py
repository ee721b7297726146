"""Measure ways of painting: content and style by VGG16, and steadiness.

Content and style are those of benchmarks/quality/results.md.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from tools.train_model.losses import content_loss, grams, style_losses
from tools.train_model.painting import LOOK, Levels, Pair, Way, finished, frame_of, painter
from tools.train_model.pictures import Rgb, long_side
from tools.train_model.predictor import Predictor
from tools.train_model.vgg import CONTENT, Vgg16
from tools.train_model.views import to_tensor

NOISE = 3.0
"""Standard deviation of the camera noise, in levels of 0..255."""

SHIFT = 2
"""Pixels by which a frame is shifted, to the right and down."""


class Metrics:
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
        self._painted: dict[tuple[nn.Module, float, float], list[tuple[Levels, Levels]]] = {}
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

        Ways that differ in their share of the photo alone are painted once.

        Returns:
            "content", "style" and their sum "total" as shares of the photo's own style loss;
            "flicker", the mean difference of two paintings under two draws of noise, and
            "shift", that of the paintings of a photo and of the same shifted, compared where
            they show the same, both in levels of 0..255.
        """
        share = way.photo_share
        still, first, second, shifted = (
            (1 - share) * painted + share * frame for frame, painted in self._paintings(way)
        )
        content, style = self.shares(finished(still, self.pair.photo))
        return {
            "content": content,
            "style": style,
            "total": content + style,
            "flicker": float(np.abs(first - second).mean()),
            "shift": float(np.abs(shifted[SHIFT:, SHIFT:] - still[:-SHIFT, :-SHIFT]).mean()),
        }

    def _paintings(self, way: Way) -> list[tuple[Levels, Levels]]:
        """Return frames and their paintings: as it is, twice with noise, and shifted."""
        key = way.student, way.stroke, way.strength
        if key not in self._painted:
            paint = painter(replace(way, photo_share=0.0), self.pair.style, self._predictor)
            frame = frame_of(self.pair.photo)
            rng = np.random.default_rng(7)
            noise = [NOISE * rng.standard_normal(frame.shape, np.float32) for _ in range(2)]
            wide = np.pad(frame, ((SHIFT, 0), (SHIFT, 0), (0, 0)), "reflect")
            shifted = wide[: frame.shape[0], : frame.shape[1]]
            frames = [frame, *(np.clip(frame + each, 0, 255) for each in noise), shifted]
            self._painted[key] = [(each, paint(each)) for each in frames]
        return self._painted[key]

    def _tensor(self, picture: Rgb) -> Tensor:
        return to_tensor([picture]).to(self._device)

"""The terms of the loss, one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.engines.runtime import tensorflow
from live_nst.objective.forms import Form
from live_nst.objective.network import Tensor

Picture = NDArray[np.floating[Any]]
"""A `preprocess`ed picture, `[height, width, 3]`."""


@dataclass(frozen=True, slots=True)
class Losses:
    """The terms of the loss, before alpha, beta, gamma and the layers' weights.

    Attributes:
        content: By layer.
        style: By layer; of several styles the weighted sum.
        variation: Total variation.
        form: What weights them.
    """

    content: Mapping[str, float]
    style: Mapping[str, float]
    variation: float
    form: Form

    @property
    def content_total(self) -> float:
        """sum_l c_l content_l."""
        return sum(w * self.content[layer] for layer, w in self.form.content_layers.items())

    @property
    def style_total(self) -> float:
        """sum_l w_l style_l."""
        return sum(w * self.style[layer] for layer, w in self.form.style_layers.items())

    @property
    def total(self) -> float:
        """Alpha content + beta style + gamma variation."""
        form = self.form
        weighted = form.alpha * self.content_total + form.beta * self.style_total
        return weighted + form.gamma * self.variation


def gram_sum(activations: Tensor, weights: Tensor | None) -> Tensor:
    """F' diag(weights) F: the sum over positions of the channels' products.

    Args:
        activations: `[height, width, channels]`.
        weights: `[height, width]`; None for ones.

    Returns:
        `[channels, channels]`; Gatys et al. 2015, equation 3.
    """
    tf = tensorflow()
    flat = tf.reshape(activations, [-1, activations.shape[-1]])
    other = flat if weights is None else flat * tf.reshape(weights, [-1, 1])
    return tf.matmul(other, flat, transpose_a=True)


def total_variation(picture: Picture) -> tuple[float, Picture]:
    """How rough a picture is: the sum of squared differences of neighbours, per pixel.

    Source: Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them"
    (2015), the regulariser R_V with exponent 2, divided by the number of pixels.

    Args:
        picture: `[height, width, 3]`.

    Returns:
        The value, and its gradient in the picture's shape.
    """
    down, across = np.diff(picture, axis=0), np.diff(picture, axis=1)
    pixels = picture.shape[0] * picture.shape[1]
    value = float(np.sum(np.square(down, dtype=np.float64)))
    value += float(np.sum(np.square(across, dtype=np.float64)))
    gradient = np.zeros_like(picture)
    gradient[1:] += down
    gradient[:-1] -= down
    gradient[:, 1:] += across
    gradient[:, :-1] -= across
    return value / pixels, gradient * picture.dtype.type(2 / pixels)

"""The published forms of the loss: which layers, which weights, which normalization.

With F, P and S the activations of the painted picture, the content and the style in one layer,
each `[M, N]` (M positions, N channels), and Gram matrices G = F'F / M and A = S'S / M_S, every
form is

    total = alpha sum_l c_l content_l + beta sum_l w_l style_l + gamma variation

    content_l = content_scale sum (F - P)^2        [/ (N M) where content_mean]
    style_l   = style_scale / N^2 sum (G - A)^2

Dividing the Gram matrices by their own numbers of positions is what the published formulas do with
one M, when both pictures have one size, and lets the style picture have a size of its own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.objective.vgg import Tensor, block_ends, check_layers
from live_nst.runtime.tensorflow import import_tensorflow


@dataclass(frozen=True, slots=True)
class LossConfig:
    """A loss; see the module for the formulas.

    Attributes:
        network: "vgg16" or "vgg19".
        content_layers: Their weights c_l.
        style_layers: Their weights w_l.
        content_scale: The factor of every content term.
        content_mean: Whether content terms are means over positions and channels.
        style_scale: The factor of every style term.
        pooling: "max" or "avg".
        alpha: The weight of content.
        beta: The weight of style.
        gamma: The weight of total variation: the sum of squared differences of neighboring
            pixels, in levels of 0..255, divided by the number of pixels.
    """

    network: str
    content_layers: Mapping[str, float]
    style_layers: Mapping[str, float]
    content_scale: float = 0.5
    content_mean: bool = False
    style_scale: float = 0.25
    pooling: str = "max"
    alpha: float = 1.0
    beta: float = 1000.0
    gamma: float = field(default=0.0)

    def __post_init__(self) -> None:
        check_layers(self.network, [*self.content_layers, *self.style_layers])
        weights = (self.alpha, self.beta, self.gamma)
        for weight in (*weights, *self.content_layers.values(), *self.style_layers.values()):
            if not math.isfinite(weight) or weight < 0:
                raise UsageError(f"{weight:g} is no weight of a loss.", "use numbers from 0 up")


def gatys(network: str = "vgg19") -> LossConfig:
    """Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), equations 1 to 7.

    content_l = 1/2 sum (F - P)^2; style_l = 1 / (4 N^2 M^2) sum (F'F - S'S)^2 with w_l = 1/5;
    total = alpha content + beta style. Each block is seen through its last convolution, before
    the pooling, and the content through block 3.
    """
    ends = block_ends(network)
    return LossConfig(network, {ends[2]: 1.0}, dict.fromkeys(ends, 1 / len(ends)))


def johnson(network: str = "vgg16") -> LossConfig:
    """Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer" (2016).

    content_l = 1 / (N M) sum (F - P)^2, their equation 2; their equations 3 and 4,
    style_l = sum (F'F / (N M) - S'S / (N M))^2, over relu1_2, relu2_2, relu3_3 and relu4_3 of
    VGG16. The content's layer, relu3_3, and the weights 1 and 5 are those of their published code.
    """
    ends = block_ends(network)
    return LossConfig(
        network,
        {ends[2]: 1.0},
        dict.fromkeys(ends[:4], 1.0),
        content_scale=1.0,
        content_mean=True,
        style_scale=1.0,
        beta=5.0,
    )


def magenta(network: str = "vgg16") -> LossConfig:
    """Ghiasi et al. (2017), as Magenta's code computes it: what our fast models were trained with.

    "Exploring the structure of a real-time, arbitrary neural artistic stylization network":
    content = mean (F - P)^2 of conv3; style_l = mean (F'F / M - S'S / M)^2 of conv1 to conv4, each
    weighted by 0.0005; VGG16 with average instead of maximum pooling.
    """
    ends = block_ends(network)
    return LossConfig(
        network,
        {ends[2]: 1.0},
        dict.fromkeys(ends[:4], 1.0),
        content_scale=1.0,
        content_mean=True,
        style_scale=1.0,
        pooling="avg",
        beta=0.0005,
    )


LOSS_CONFIGS = {"gatys": gatys, "johnson": johnson, "magenta": magenta}
"""Every form by its name: a function of the network's name."""


VggImage = NDArray[np.floating[Any]]
"""A `preprocess`ed picture, `[height, width, 3]`."""


@dataclass(frozen=True, slots=True)
class LossTerms:
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
    form: LossConfig

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
    tf = import_tensorflow()
    flat = tf.reshape(activations, [-1, activations.shape[-1]])
    other = flat if weights is None else flat * tf.reshape(weights, [-1, 1])
    return tf.matmul(other, flat, transpose_a=True)


def total_variation(picture: VggImage) -> tuple[float, VggImage]:
    """How rough a picture is: the sum of squared differences of neighbors, per pixel.

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

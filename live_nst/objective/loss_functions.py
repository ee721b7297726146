"""The published losses of style transfer, and the terms that they are made of.

F, P and S are the activations of the stylized image, the content and the style in one layer, each
`[M, N]` (M positions, N channels). With the Gram matrices G = F'F / M and A = S'S / M_S, every loss
is

    total = alpha sum_l c_l content_l + beta sum_l w_l style_l + gamma variation

    content_l = content_scale sum (F - P)^2        [/ (N M) where content_mean]
    style_l   = style_scale / N^2 sum (G - A)^2

The published formulas have one M, as both images have the same size. Here each Gram matrix is
divided by its own number of positions, so that the style image can have another size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.objective.vgg import CONVOLUTIONS, Tensor, block_ends, check_layers
from live_nst.runtime.tensorflow import import_tensorflow

VggImage = NDArray[np.floating[Any]]
"""The result of `preprocess`, `[height, width, 3]`."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """A loss; see the module for the formulas.

    Attributes:
        network: "vgg16" or "vgg19".
        content_layers: The weights c_l by layer.
        style_layers: The weights w_l by layer.
        content_scale: The factor of every content term.
        content_mean: Whether content terms are means over positions and channels.
        style_scale: The factor of every style term.
        pooling: "max" or "avg".
        alpha: The weight of content.
        beta: The weight of style.
        gamma: The weight of total variation; see `total_variation`.
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
    gamma: float = 0.0

    def __post_init__(self) -> None:
        check_layers(self.network, self.layers)
        weights = (self.alpha, self.beta, self.gamma)
        for weight in (*weights, *self.content_layers.values(), *self.style_layers.values()):
            if not math.isfinite(weight) or weight < 0:
                raise UsageError(f"Invalid loss weight {weight:g}", "use 0 or more")

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose activations are needed."""
        return (*self.content_layers, *self.style_layers)


def gatys(network: str = "vgg19") -> LossConfig:
    """Return the loss of Gatys et al., "A Neural Algorithm of Artistic Style" (2015).

    Equations 1 to 7: content_l = 1/2 sum (F - P)^2; style_l = 1 / (4 N^2 M^2) sum (F'F - S'S)^2
    with w_l = 1/5; total = alpha content + beta style. The style layers are the last convolutions
    of the blocks, before the pooling; the content layer is that of block 3.
    """
    ends = block_ends(network)
    return LossConfig(network, {ends[2]: 1.0}, dict.fromkeys(ends, 1 / len(ends)))


def johnson(network: str = "vgg16") -> LossConfig:
    """Return the loss of Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (2016).

    content_l = 1 / (N M) sum (F - P)^2, their equation 2; their equations 3 and 4,
    style_l = sum (F'F / (N M) - S'S / (N M))^2, over relu1_2, relu2_2, relu3_3 and relu4_3 of
    VGG16. The content layer, relu3_3, and the weights 1 and 5 are those of their published code.
    """
    return _mean_squares(network, beta=5.0)


def magenta(network: str = "vgg16") -> LossConfig:
    """Return the loss that the fast models were trained with, as Magenta's code computes it.

    Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization
    network" (2017): content = mean (F - P)^2 of conv3; style_l = mean (F'F / M - S'S / M)^2 of
    conv1 to conv4, each weighted by 0.0005; VGG16 with average instead of maximum pooling.
    """
    return _mean_squares(network, beta=0.0005, pooling="avg")


def _mean_squares(network: str, beta: float, pooling: str = "max") -> LossConfig:
    ends = block_ends(network)
    return LossConfig(
        network,
        {ends[2]: 1.0},
        dict.fromkeys(ends[:4], 1.0),
        content_scale=1.0,
        content_mean=True,
        style_scale=1.0,
        pooling=pooling,
        beta=beta,
    )


LOSS_CONFIGS = {"gatys": gatys, "johnson": johnson, "magenta": magenta}
"""Functions of a network's name that return a published loss, by the loss's name."""


def make_loss_config(
    name: str,
    network: str | None = None,
    *,
    content_weight: float | None = None,
    style_weight: float | None = None,
    tv_weight: float = 0.0,
    content_layers: Sequence[str] = (),
    style_layers: Sequence[str] = (),
) -> LossConfig:
    """Return a published loss with changes; None and empty keep what is published.

    Args:
        name: One of `LOSS_CONFIGS`.
        network: "vgg16" or "vgg19".
        content_weight: alpha.
        style_weight: beta.
        tv_weight: gamma.
        content_layers: Each "LAYER" or "LAYER:WEIGHT".
        style_layers: Each "LAYER" or "LAYER:WEIGHT".

    Raises:
        UsageError: The name, the network, a layer or a weight is invalid.
    """
    if name not in LOSS_CONFIGS:
        raise UsageError(f"Unknown loss {name!r}", f"use {', '.join(LOSS_CONFIGS)}")
    if network is not None and network not in CONVOLUTIONS:
        raise UsageError(f"Unknown network {network!r}", f"use {' or '.join(CONVOLUTIONS)}")
    config = LOSS_CONFIGS[name](network) if network else LOSS_CONFIGS[name]()
    return replace(
        config,
        content_layers=_parse_layers(content_layers) or config.content_layers,
        style_layers=_parse_layers(style_layers) or config.style_layers,
        alpha=config.alpha if content_weight is None else content_weight,
        beta=config.beta if style_weight is None else style_weight,
        gamma=tv_weight,
    )


def _parse_layers(texts: Sequence[str]) -> dict[str, float]:
    """Return the weights by layer; layers without a weight get 1 / the number of layers."""
    layers = {}
    for text in texts:
        layer, colon, weight = text.partition(":")
        try:
            layers[layer] = float(weight) if colon else 1 / len(texts)
        except ValueError:
            raise UsageError(
                f"Invalid layer weight {weight!r}", "write it as block3_conv4:0.5"
            ) from None
    return layers


@dataclass(frozen=True, slots=True)
class LossTerms:
    """The terms of a loss, before alpha, beta, gamma and the weights of the layers.

    Attributes:
        content: By layer.
        style: By layer; the weighted sum if there are several styles.
        variation: Total variation.
        config: The weights.
    """

    content: Mapping[str, float]
    style: Mapping[str, float]
    variation: float
    config: LossConfig

    @property
    def content_total(self) -> float:
        """sum_l c_l content_l."""
        return sum(w * self.content[layer] for layer, w in self.config.content_layers.items())

    @property
    def style_total(self) -> float:
        """sum_l w_l style_l."""
        return sum(w * self.style[layer] for layer, w in self.config.style_layers.items())

    @property
    def total(self) -> float:
        """Alpha content + beta style + gamma variation."""
        config = self.config
        weighted = config.alpha * self.content_total + config.beta * self.style_total
        return weighted + config.gamma * self.variation


def gram_sum(activations: Tensor, weights: Tensor | None) -> Tensor:
    """Return F' diag(weights) F: the sum over positions of the products of the channels.

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


def total_variation(image: VggImage) -> tuple[float, VggImage]:
    """Return the sum of squared differences of neighboring pixels, divided by their number.

    Source: Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them"
    (2015), the regularizer R_V with exponent 2, divided by the number of pixels.

    Args:
        image: `[height, width, 3]`, in uint8 values.

    Returns:
        The value, and its gradient in the image's shape.
    """
    down, across = np.diff(image, axis=0), np.diff(image, axis=1)
    pixels = image.shape[0] * image.shape[1]
    value = float(np.sum(np.square(down, dtype=np.float64)))
    value += float(np.sum(np.square(across, dtype=np.float64)))
    gradient = np.zeros_like(image)
    gradient[1:] += down
    gradient[:-1] -= down
    gradient[:, 1:] += across
    gradient[:, :-1] -= across
    return value / pixels, gradient * image.dtype.type(2 / pixels)

"""The published forms of the loss: which layers, which weights, which normalisation.

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

from live_nst.errors import UsageError
from live_nst.objective.network import block_ends, check_layers


@dataclass(frozen=True, slots=True)
class Form:
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
        gamma: The weight of total variation: the sum of squared differences of neighbouring
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


def gatys(network: str = "vgg19") -> Form:
    """Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), equations 1 to 7.

    content_l = 1/2 sum (F - P)^2; style_l = 1 / (4 N^2 M^2) sum (F'F - S'S)^2 with w_l = 1/5;
    total = alpha content + beta style. Each block is seen through its last convolution, before
    the pooling, and the content through block 3.
    """
    ends = block_ends(network)
    return Form(network, {ends[2]: 1.0}, dict.fromkeys(ends, 1 / len(ends)))


def johnson(network: str = "vgg16") -> Form:
    """Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer" (2016).

    content_l = 1 / (N M) sum (F - P)^2, their equation 2; their equations 3 and 4,
    style_l = sum (F'F / (N M) - S'S / (N M))^2, over relu1_2, relu2_2, relu3_3 and relu4_3 of
    VGG16. The content's layer, relu3_3, and the weights 1 and 5 are those of their published code.
    """
    ends = block_ends(network)
    return Form(
        network,
        {ends[2]: 1.0},
        dict.fromkeys(ends[:4], 1.0),
        content_scale=1.0,
        content_mean=True,
        style_scale=1.0,
        beta=5.0,
    )


def magenta(network: str = "vgg16") -> Form:
    """Ghiasi et al. (2017), as Magenta's code computes it: what our fast models were trained with.

    "Exploring the structure of a real-time, arbitrary neural artistic stylization network":
    content = mean (F - P)^2 of conv3; style_l = mean (F'F / M - S'S / M)^2 of conv1 to conv4, each
    weighted by 0.0005; VGG16 with average instead of maximum pooling.
    """
    ends = block_ends(network)
    return Form(
        network,
        {ends[2]: 1.0},
        dict.fromkeys(ends[:4], 1.0),
        content_scale=1.0,
        content_mean=True,
        style_scale=1.0,
        pooling="avg",
        beta=0.0005,
    )


FORMS = {"gatys": gatys, "johnson": johnson, "magenta": magenta}
"""Every form by its name: a function of the network's name."""

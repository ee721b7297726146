"""The layers that students are made of: each exists in TensorFlow, ONNX, CoreML and OpenVINO."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5
"""What instance normalization adds to the variance; that of the packaged network."""

FEATURES = 1280
"""How many features of a style `predictor.Predictor` gives."""

SMALL = 0.01
"""Below this deviation a feature says hardly anything of a style."""

BOTTLENECK = 100
"""How many numbers describe a style."""


class Head(nn.Module):
    """Makes bottlenecks `[batch, BOTTLENECK]` of features `[batch, FEATURES]`: an affine map.

    Features are all positive and lie close together. The map is trained on how far each lies from
    the mean of many styles, or a step would move all styles alike; see `center`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.linear = nn.Linear(FEATURES, BOTTLENECK)

    def forward(self, features: Tensor) -> Tensor:
        """Compute the bottlenecks of styles."""
        return self.linear((features - self.mean) / self.scale)

    @torch.no_grad()
    def center(self, features: Tensor) -> None:
        """Bring many styles' features to a mean of 0 and a deviation of 1; the map stays the same.

        Args:
            features: `[styles, FEATURES]`.
        """
        mean, scale = features.mean(0), features.std(0, correction=0).clamp(min=SMALL)
        weight = self.linear.weight / self.scale
        self.linear.bias.add_(weight @ (mean - self.mean))
        self.linear.weight.copy_(weight * scale)
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    @property
    def centered(self) -> bool:
        """Whether `center` was called, for this head or for one that it started from."""
        return bool((self.mean != 0).any())


class StyleNorm(nn.Module):
    """Instance normalization whose scale and shift are affine in the bottleneck.

    Source: Dumoulin et al., "A Learned Representation For Artistic Style" (2017), section 2;
    Ghiasi et al. (2017) for the affine map.

    Args:
        channels: Of the activations.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Linear(BOTTLENECK, channels)
        self.beta = nn.Linear(BOTTLENECK, channels)

    def forward(self, x: Tensor, bottleneck: Tensor) -> Tensor:
        """Normalize `[batch, channels, height, width]` for the styles `[batch, BOTTLENECK]`."""
        # One group a channel is instance normalization. PyTorch's own `instance_norm` gives wrong
        # gradients for a batch of one when they come in channels last (2.13, on a CPU).
        x = F.group_norm(x.float(), x.shape[1], eps=EPSILON)
        gamma, beta = self.gamma(bottleneck), self.beta(bottleneck)
        return torch.addcmul(beta[:, :, None, None], x, gamma[:, :, None, None])


class Conv(nn.Module):
    """Reflection padding and a convolution.

    Args:
        before: Channels that come in.
        after: Channels that go out.
        kernel: Its side, odd.
        stride: Its step.
        bias: Whether there is a bias; before a `StyleNorm` it would have no effect.
    """

    def __init__(
        self, before: int, after: int, kernel: int, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.border = kernel // 2
        self.conv = nn.Conv2d(before, after, kernel, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `[batch, before, height, width]`."""
        return self.conv(F.pad(x, (self.border,) * 4, mode="reflect"))


def space_to_depth(x: Tensor, block: int) -> Tensor:
    """Move blocks of pixels into channels, in the order of TensorFlow's operation.

    Args:
        x: `[batch, channels, height, width]`, both sides multiples of `block`.
        block: Side of a block.

    Returns:
        `[batch, block * block * channels, height / block, width / block]`; the channel of the
        pixel (row, column) of a block is `(row * block + column) * channels + channel`.
    """
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels, height // block, block, width // block, block)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height // block, width // block)


def depth_to_space(x: Tensor, block: int) -> Tensor:
    """Undo `space_to_depth`."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, block, block, channels // block**2, height, width)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * block, width * block)


def upsample(x: Tensor) -> Tensor:
    """Double height and width by nearest neighbours."""
    return F.interpolate(x, scale_factor=2, mode="nearest")

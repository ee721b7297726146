"""The layers that students are made of: each exists in TensorFlow, ONNX, CoreML and OpenVINO."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5
"""What instance normalization adds to the variance; that of the packaged network."""

BOTTLENECK = 100
"""How many numbers describe a style."""


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
        x = F.instance_norm(x.float(), eps=EPSILON)
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

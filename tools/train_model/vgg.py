"""VGG16's features of a batch of pictures, as `live_nst.objective.vgg` defines them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train_model.onnx_weights import VGG_BLOCKS, Weights

MEAN = (123.68, 116.779, 103.939)
"""ImageNet's mean red, green and blue in 0..255."""

CHANNELS = (64, 128, 256, 512, 512)
CONTENT = 2
"""The index of the block through whose last layer content is seen."""


class Vgg16(nn.Module):
    """The convolutions of VGG16, frozen.

    Source: Simonyan and Zisserman (2015), configuration D, with maximum pooling.

    Args:
        weights: What `onnx_weights.read_vgg` gave.
        precision: The type that it computes in, float32 or bfloat16.
    """

    def __init__(self, weights: Weights, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.precision = precision
        self._layers: list[list[tuple[str, str]]] = []
        for block, count in enumerate(VGG_BLOCKS, 1):
            self._layers.append([])
            for number in range(1, count + 1):
                name = f"block{block}_conv{number}"
                kernel = torch.from_numpy(weights[f"{name}/weights"]).permute(3, 2, 0, 1)
                if block == number == 1:
                    kernel = kernel.flip(1)  # BGR to RGB
                kernel = kernel.to(precision).contiguous(memory_format=torch.channels_last)
                self.register_buffer(f"{name}_kernel", kernel)
                bias = torch.from_numpy(weights[f"{name}/bias"]).to(precision)
                self.register_buffer(f"{name}_bias", bias)
                self._layers[-1].append((f"{name}_kernel", f"{name}_bias"))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Compute the activations after the last ReLU of each block.

        Args:
            pictures: `[batch, 3, height, width]`, RGB 0..1, at least 16 pixels each way.

        Returns:
            Five tensors `[batch, CHANNELS[block], height / 2^block, width / 2^block]`, channels
            last in memory, in `precision`.
        """
        x = (pictures.float() * 255 - self.mean).to(self.precision)
        x = x.contiguous(memory_format=torch.channels_last)
        found = []
        for block, layers in enumerate(self._layers):
            if block:
                x = F.max_pool2d(x, 2)
            for kernel, bias in layers:
                x = F.relu_(F.conv2d(x, getattr(self, kernel), getattr(self, bias), padding=1))
            found.append(x)
        return found

"""The packaged network's style predictor without its last layer, frozen.

A picture goes in and its features come out. The last layer makes a bottleneck of them. It belongs
to the student, which trains it: `students.Student.head`.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train_model.onnx_weights import Weights

SIDE = 256
"""Side, in pixels, of the square in which a style is seen."""

STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)


class Predictor(nn.Module):
    """MobileNet v2 and a mean over space.

    Source: Ghiasi et al. (2017), section 2; Sandler et al., "MobileNetV2" (2018), table 2.

    Args:
        weights: What `onnx_weights.read_mobile` gave.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._names: dict[str, str] = {}
        for name, values in weights.items():
            if name.startswith(("Mobile", "mobilenet")):
                if values.ndim == 4:
                    order = (2, 3, 0, 1) if "/depthwise/" in name else (3, 2, 0, 1)
                    values = values.transpose(order)
                self._names[name] = name.replace("/", "_")
                array = torch.from_numpy(np.ascontiguousarray(values))
                self.register_buffer(self._names[name], array)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.buffers()).device

    @torch.no_grad()
    def forward(self, style: Tensor) -> Tensor:
        """Compute `[batch, FEATURES]` of pictures `[batch, 3, 256, 256]`, RGB 0..1."""
        x = self._conv(style, "MobilenetV2/Conv", 2)
        for index, stride in enumerate(STRIDES):
            name = "MobilenetV2/expanded_conv" + (f"_{index}" if index else "")
            y = self._conv(x, f"{name}/expand") if index else x  # the first does not expand
            y = self._conv(y, f"{name}/depthwise", stride, groups=y.shape[1])
            y = self._conv(y, f"{name}/project", act=False)
            x = x + y if stride == 1 and x.shape[1] == y.shape[1] else y
        return self._conv(x, "MobilenetV2/Conv_1").mean((2, 3))

    def _conv(
        self, x: Tensor, name: str, stride: int = 1, groups: int = 1, act: bool = True
    ) -> Tensor:
        kernel = getattr(self, self._names[f"{name}/weights"])
        bias = getattr(self, self._names[f"{name}/bias"])
        y = F.conv2d(_same(x, kernel.shape[-1], stride), kernel, bias, stride, groups=groups)
        return F.relu6(y) if act else y


def _same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad as TensorFlow's SAME does."""
    height, width = x.shape[-2:]
    across, down = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in (width, height))
    return F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))

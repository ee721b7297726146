"""Which device and precision to train in, and the frozen networks on it."""

import contextlib
from pathlib import Path

import torch

from tools.train_model.onnx_weights import load
from tools.train_model.predictor import Predictor
from tools.train_model.vgg import Vgg16

PRECISIONS = ("auto", "float32", "bfloat16")


def pick_device(name: str) -> torch.device:
    """Pick a device: "auto" takes CUDA where it is there, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Pick a precision: "auto" takes bfloat16 where the device has matrix units for it.

    Args:
        name: One of `PRECISIONS`.
        device: Where it is computed.
    """
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float32
    with contextlib.suppress(AttributeError):
        if torch.cpu._is_amx_tile_supported():
            return torch.bfloat16
    return torch.float32


def frozen(folder: Path, device: torch.device, precision: torch.dtype) -> tuple[Vgg16, Predictor]:
    """Make VGG16 and the predictor from the files that `weights` wrote to `folder`."""
    vgg = Vgg16(load(folder / "vgg16.npz"), precision).to(device)
    return vgg, Predictor(load(folder / "mobile.npz")).to(device)

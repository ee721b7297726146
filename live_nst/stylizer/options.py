"""The options of a stylizer as one value, from the command line down to the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from live_nst.errors import UsageError
from live_nst.stylizer.look import Look
from live_nst.stylizer.sizes import check_size, check_stroke

if TYPE_CHECKING:  # NumPy takes a tenth of a second, which `live-nst --help` does not need
    from live_nst.styles.registry import StyleInput

STABILIZE_MODES = ("off", "fast", "best")
"""How much is done against flicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StylizerOptions:
    """What a stylizer runs, and how.

    Attributes:
        model: "mobile", "fine", "live", "hub", a TF Hub or Kaggle handle, a SavedModel folder,
            or "auto".
        styles: One or more styles; the first is in use at the start.
        size: Longer side, in pixels, of the image that the network sees; None for the default of
            the device.
        device: "auto", "cpu", "gpu", "gpu:1" (the second one) or "npu".
        engine: "auto", "tensorflow", "openvino" or "onnxruntime"; "auto" takes TensorFlow on
            NVIDIA's GPUs, else OpenVINO.
        precision: Number format of the network: "auto", "float32", "bfloat16" or "float16"; "auto"
            takes bfloat16 on a CPU that has instructions for it.
        concurrency: How many frames the network may compute at the same time. One has the lowest
            latency, several the highest throughput.
        stabilize: "off" stylizes every frame independently. "fast" removes flicker from a video,
            whose frames must then be given in order; "best" estimates motion more exactly and keeps
            the image sharper, but takes longer.
        look: How the stylized image is blended with the frame.
        stroke: Size of the brush strokes; 1 is their size in the style image.
        content_style_seconds: For looks of the blend "styles": how long the content style of one
            frame is used for the frames after it, which must then be given in order. With 0 it is
            computed for every frame, which takes about as long as the frame itself.

    Raises:
        UsageError: A value is invalid.
    """

    model: str = "auto"
    styles: tuple[StyleInput, ...] = ("starry",)
    size: int | None = None
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    concurrency: int = 1
    stabilize: str = "off"
    look: Look = field(default_factory=Look)
    stroke: float = 1.0
    content_style_seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.styles:
            raise UsageError("No style was given.", "name one, such as starry")
        if self.size is not None:
            check_size(self.size)
        check_stroke(self.stroke)
        check_stabilize_mode(self.stabilize)
        if self.concurrency < 1:
            raise UsageError(f"Invalid concurrency {self.concurrency}.", "use 1 or more")


def check_stabilize_mode(mode: str) -> str:
    """Return `mode` if it is one of `STABILIZE_MODES`.

    Raises:
        UsageError: It is not.
    """
    if mode not in STABILIZE_MODES:
        raise UsageError(f"Invalid stabilizer mode {mode!r}.", f"use {', '.join(STABILIZE_MODES)}")
    return mode

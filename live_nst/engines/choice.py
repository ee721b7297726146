"""Choose the engine that runs a model, its device and its precision."""

from dataclasses import dataclass
from typing import get_args

from live_nst.engines.base import Engine
from live_nst.engines.onnxruntime import OnnxRuntimeEngine
from live_nst.engines.onnxruntime_providers import pick_precision, pick_provider
from live_nst.engines.openvino import OpenVINOEngine, native_precisions
from live_nst.errors import DeviceError, UsageError
from live_nst.models.program import SplitModel
from live_nst.runtime.tensorflow import gpu_precisions, pick_device
from live_nst.types import Precision

ENGINES = ("auto", "tensorflow", "openvino", "onnxruntime")
PRECISIONS = ("auto", *get_args(Precision))


@dataclass(frozen=True)
class EngineChoice:
    """An engine that can run here.

    Attributes:
        engine: "tensorflow", "openvino" or "onnxruntime".
        device: "cpu" or "gpu".
        precision: Precision of frame programs.
        reason: Why it was chosen, as a part of a sentence for the user.
    """

    engine: str
    device: str
    precision: Precision
    reason: str

    def make(self, model: SplitModel, concurrency: int = 1) -> Engine:
        """Return the engine with a model; `concurrency` frames may run at once."""
        if self.engine == "openvino":
            return OpenVINOEngine(model, self.precision, concurrency)
        if self.engine == "onnxruntime":
            return OnnxRuntimeEngine(model, self.device, self.precision, concurrency)
        from live_nst.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(model, self.device, precision=self.precision)


def choose_engine(
    engine: str = "auto", device: str = "auto", precision: str = "auto"
) -> EngineChoice:
    """Return the fastest engine that can run here, within what the user asked for.

    On a GPU: TensorFlow, with convolutions in float16 if the GPU has matrix units for it. That
    changes an image by less than 0.001 of its range in the mean. On a CPU: OpenVINO, which takes
    at most half of TensorFlow's time, in bfloat16 if the processor supports it. That takes 0.6 of
    float32's time and changes an image by less than 0.004 of its range in the mean
    (docs/models-and-engines.md).

    Args:
        engine: auto, tensorflow, openvino or onnxruntime.
        device: auto, cpu or gpu.
        precision: auto, float32, bfloat16 or float16.

    Raises:
        UsageError: A value is invalid, or two values exclude each other.
        DeviceError: The engine, device or precision is not available.
    """
    if engine not in ENGINES:
        raise UsageError(f"Invalid engine {engine!r}.", f"use {_listed(ENGINES)}")
    if precision not in PRECISIONS:
        raise UsageError(f"Invalid precision {precision!r}.", f"use {_listed(PRECISIONS)}")
    if engine == "onnxruntime":
        provider = pick_provider(device)
        reason = "it was asked for"
        if device == "auto" and provider.place == "cpu":
            reason += ", and it finds no GPU"
        place = f"gpu:{provider.index}" if provider.index else provider.place
        return EngineChoice(engine, place, pick_precision(precision, provider), reason)
    if engine == "openvino" and device == "gpu":
        raise UsageError(
            "The engine openvino runs on the CPU only.", "use --engine tensorflow, or --device cpu"
        )
    picked = pick_device("cpu" if engine == "openvino" and device == "auto" else device)
    place = "cpu" if picked == "CPU:0" else "gpu"
    if place == "gpu" or engine == "tensorflow":
        reason = "there is a GPU" if engine == "auto" else "it was asked for"
        return EngineChoice("tensorflow", place, _for_tensorflow(precision, picked), reason)
    try:
        native = native_precisions()
    except DeviceError:
        if engine == "openvino":
            raise
        reason = "OpenVINO is not installed"
        return EngineChoice("tensorflow", place, _for_tensorflow(precision, picked), reason)
    reason = "it is the fastest on a CPU" if engine == "auto" else "it was asked for"
    return EngineChoice("openvino", place, _for_openvino(precision, native), reason)


def _for_openvino(precision: str, native: tuple[Precision, ...]) -> Precision:
    if precision == "auto":
        return "bfloat16" if "bfloat16" in native else "float32"
    if precision not in native:
        raise DeviceError(
            f"This processor does not support {precision}.", f"use {_listed(('auto', *native))}"
        )
    return precision


def _for_tensorflow(precision: str, device: str) -> Precision:
    if device == "CPU:0":
        if precision not in ("auto", "float32"):
            raise UsageError(
                f"The engine tensorflow does not support {precision} on a CPU.",
                "use --precision float32, or --engine openvino",
            )
        return "float32"
    native = gpu_precisions(device)
    if precision == "auto":
        return "float16" if "float16" in native else "float32"
    if precision not in native:
        raise DeviceError(
            f"This GPU does not support {precision}.", f"use {_listed(('auto', *native))}"
        )
    return precision


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"

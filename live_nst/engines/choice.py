"""Which engine runs a model, where, and in what precision."""

from dataclasses import dataclass
from typing import get_args

from live_nst.engines.base import Engine
from live_nst.engines.openvino import OpenVINOEngine, native_precisions
from live_nst.errors import DeviceError, UsageError
from live_nst.models.program import SplitModel
from live_nst.runtime.tensorflow import gpu_precisions, pick_device
from live_nst.types import Precision

ENGINES = ("auto", "tensorflow", "openvino")
PRECISIONS = ("auto", *get_args(Precision))


@dataclass(frozen=True)
class EngineChoice:
    """An engine that is there, and how it is to run.

    Attributes:
        engine: "tensorflow" or "openvino".
        device: "cpu" or "gpu".
        precision: What frames are computed in.
        why: The reason, for people, as part of a sentence.
    """

    engine: str
    device: str
    precision: Precision
    reason: str

    def make(self, model: SplitModel, concurrency: int = 1) -> Engine:
        """The engine with a model; `concurrency` frames may be computed at once."""
        if self.engine == "openvino":
            return OpenVINOEngine(model, self.precision, concurrency)
        from live_nst.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(model, self.device, precision=self.precision)


def choose_engine(
    engine: str = "auto", device: str = "auto", precision: str = "auto"
) -> EngineChoice:
    """Pick the fastest engine that is there, or insist on the one that was asked for.

    On a GPU it is TensorFlow, with convolutions in float16 where the GPU has matrix units for that:
    it changes a picture by less than 0.001 of its range in the mean. On a CPU it is OpenVINO,
    which there takes half of TensorFlow's time and less, and computes in bfloat16 where the
    processor does: that takes 0.6 of float32's time and changes a picture by less than 0.004 of its
    range in the mean (docs/how-it-works.md).

    Args:
        engine: auto, tensorflow or openvino.
        device: auto, cpu or gpu.
        precision: auto, float32, bfloat16 or float16.

    Raises:
        UsageError: Another word, or words that exclude each other.
        DeviceError: What was asked for is not there.
    """
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine!r}.", f"use {_listed(ENGINES)}")
    if precision not in PRECISIONS:
        raise UsageError(f"There is no precision {precision!r}.", f"use {_listed(PRECISIONS)}")
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
            f"This processor does not compute in {precision}.", f"use {_listed(('auto', *native))}"
        )
    return precision


def _for_tensorflow(precision: str, device: str) -> Precision:
    if device == "CPU:0":
        if precision not in ("auto", "float32"):
            raise UsageError(
                f"The engine tensorflow does not run in {precision} on a CPU.",
                "use --precision float32, or --engine openvino",
            )
        return "float32"
    native = gpu_precisions(device)
    if precision == "auto":
        return "float16" if "float16" in native else "float32"
    if precision not in native:
        raise DeviceError(
            f"This GPU does not compute in {precision}.", f"use {_listed(('auto', *native))}"
        )
    return precision


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"

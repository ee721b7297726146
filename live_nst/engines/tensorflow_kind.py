"""TensorFlow as one kind of engine: for the processor and NVIDIA's GPUs."""

from collections.abc import Sequence

from live_nst.engines.base import Engine
from live_nst.engines.kind import ComputeDevice, pick_native_precision
from live_nst.errors import LiveNstError, UsageError
from live_nst.models.program import SplitModel
from live_nst.runtime import tensorflow as runtime
from live_nst.runtime.device_words import gpu_word
from live_nst.types import Precision


class TensorFlowKind:
    """TensorFlow; see `live_nst.engines.kind.EngineKind`."""

    name = "tensorflow"
    title = "TensorFlow"

    def devices(self) -> Sequence[ComputeDevice]:
        """Return the GPUs and the processor. Without NVIDIA's driver nothing is imported."""
        found = []
        for number, handle in enumerate(runtime.gpu_names()):
            native = runtime.gpu_precisions(handle)
            preferred: Precision = "float16" if "float16" in native else "float32"
            label = runtime.gpu_label(handle)
            found.append(ComputeDevice(gpu_word(number), label, handle, native, preferred))
        return (*found, ComputeDevice("cpu", "cpu", "CPU:0", ("float32",), "float32"))

    def missing(self, word: str) -> LiveNstError:
        """Return the error of `pick_device`."""
        return runtime.missing_device(word)

    def pick_precision(self, device: ComputeDevice, wanted: str) -> Precision:
        """Return the precision of convolutions; on a CPU everything is float32."""
        if device.word == "cpu" and wanted not in ("auto", "float32"):
            raise UsageError(
                f"The engine tensorflow does not support {wanted} on a CPU.",
                "use --precision float32, or --engine openvino",
            )
        return pick_native_precision(device, wanted)

    def make(
        self, model: SplitModel, device: ComputeDevice, precision: Precision, concurrency: int
    ) -> Engine:
        """Return a `TensorFlowEngine`. It shares the device by itself."""
        from live_nst.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(model, device.word, precision=precision)

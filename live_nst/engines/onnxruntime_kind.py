"""ONNX Runtime as one kind of engine: GPUs that neither TensorFlow nor OpenVINO can use."""

from collections.abc import Sequence

from live_nst.engines import onnxruntime_providers as providers
from live_nst.engines.base import Engine
from live_nst.engines.kind import ComputeDevice
from live_nst.engines.onnxruntime import OnnxRuntimeEngine
from live_nst.errors import DeviceError, LiveNstError
from live_nst.models.program import SplitModel
from live_nst.runtime.device_words import gpu_word
from live_nst.types import Precision


class OnnxRuntimeKind:
    """ONNX Runtime; see `live_nst.engines.kind.EngineKind`.

    It is used only where it is asked for, as its GPUs have not been tested on real machines.
    """

    name = "onnxruntime"
    title = "ONNX Runtime"

    def devices(self) -> Sequence[ComputeDevice]:
        """Return the GPUs of the provider that is installed, and the processor."""
        cpu = ComputeDevice("cpu", "cpu", providers.CPU, ("float32",), "float32")
        provider = providers.pick_provider("auto")
        if provider.place == "cpu":
            return (cpu,)
        number = providers.count_gpus(provider)
        found = [providers.Provider(provider.name, index) for index in range(number)]
        return (*map(_describe, found), cpu)

    def missing(self, word: str) -> LiveNstError:
        """Return the error that tells what ONNX Runtime lacks for a device."""
        try:
            providers.pick_provider(word)
        except LiveNstError as exc:
            return exc
        return DeviceError(f"ONNX Runtime finds no GPU with the name {word}.", "use --device gpu")

    def pick_precision(self, device: ComputeDevice, wanted: str) -> Precision:
        """Return the precision of frame programs."""
        return providers.pick_precision(wanted, providers.Provider(device.handle))

    def make(
        self, model: SplitModel, device: ComputeDevice, precision: Precision, concurrency: int
    ) -> Engine:
        """Return an `OnnxRuntimeEngine`."""
        return OnnxRuntimeEngine(model, device.word, precision, concurrency)


def _describe(provider: providers.Provider) -> ComputeDevice:
    label = providers.device_name(provider)
    word = gpu_word(provider.index)
    return ComputeDevice(word, label, provider.name, ("float32", "float16"), "float16")

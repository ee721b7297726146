"""OpenVINO as one kind of engine: for the processor, Intel's GPUs and Intel's NPU."""

from collections.abc import Sequence

from live_nst.engines import openvino_devices
from live_nst.engines.base import Engine
from live_nst.engines.kind import ComputeDevice, pick_native_precision
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.errors import LiveNstError
from live_nst.models.program import SplitModel
from live_nst.runtime.chips import find_chips
from live_nst.types import Precision


class OpenVINOKind:
    """OpenVINO; see `live_nst.engines.kind.EngineKind`."""

    name = "openvino"
    title = "OpenVINO"

    def devices(self) -> Sequence[ComputeDevice]:
        """Return Intel's GPUs and NPU, and the processor."""
        return openvino_devices.openvino_devices()

    def missing(self, word: str) -> LiveNstError:
        """Return the error that tells why a device is missing, and which there are."""
        return openvino_devices.missing_device(word, self.devices(), find_chips())

    def pick_precision(self, device: ComputeDevice, wanted: str) -> Precision:
        """Return the precision of frame programs."""
        return pick_native_precision(device, wanted)

    def make(
        self, model: SplitModel, device: ComputeDevice, precision: Precision, concurrency: int
    ) -> Engine:
        """Return an `OpenVINOEngine`."""
        return OpenVINOEngine(model, precision, concurrency, device)

"""The devices, engines and precisions that run on this machine, ready to be measured."""

from collections.abc import Sequence
from dataclasses import replace

from live_nst.bench.flops import Calls, MatmulShape, openvino_matmuls, tensorflow_matmuls
from live_nst.bench.report import EngineSetup
from live_nst.engines.choice import (
    ENGINES,
    KINDS,
    PRECISIONS,
    available_devices,
    choose_engine,
)
from live_nst.engines.kind import find_device
from live_nst.errors import LiveNstError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
from live_nst.types import DownloadProgress, Notify, Size


class StylizerSetups:
    """Opens stylizers with each device, engine and precision that runs a model on this machine.

    Args:
        model: See `live_nst.Stylizer`.
        device: The word of the device to measure; "auto" for all that there are.
        notify: Called with one sentence for every choice that the user should know of.
        progress: Called while the model is downloaded.

    Attributes:
        default: What live-nst chooses by itself.
        model: Name of the model.
        device: Name of the device that live-nst chooses by itself.

    Raises:
        LiveNstError: The model or the device is not available.
    """

    def __init__(
        self,
        model: str,
        device: str,
        notify: Notify = lambda sentence: None,
        progress: DownloadProgress | None = None,
    ) -> None:
        self._options = StylizerOptions(model=model, device=device)
        with StylizerCore(self._options, notify=notify, progress=progress) as stylizer:
            self.model = stylizer.model_name
            self.device = stylizer.device
            engine = stylizer.engine.partition(" ")[0]
            self.default = EngineSetup(engine, stylizer.precision, stylizer.device_word)

    def available(self) -> Sequence[EngineSetup]:
        """Return every setup that runs here, first the one that live-nst chooses by itself."""
        found = [self.default]
        others = [engine for engine in ENGINES[1:] if engine != self.default.engine]
        for device in self._devices():
            for engine in (self.default.engine, *others):
                for precision in PRECISIONS[1:]:
                    setup = EngineSetup(engine, precision, device)
                    if setup not in found and _runs(setup):
                        found.append(setup)
        return found

    def _devices(self) -> list[str]:
        """Return the words of the devices, the default one first."""
        words = [self.default.device]
        if self._options.device == "auto":
            words += available_devices()
        return list(dict.fromkeys(words))

    def network_size(self, camera: Size, size: int) -> Size:
        """Return (width, height) of the network's input for a camera frame and a `--size`."""
        return network_size(camera, size)

    def open_stylizer(self, setup: EngineSetup, camera: Size, size: int) -> StylizerCore:
        """Return a stylizer that is prepared for frames of `camera` pixels."""
        options = replace(
            self._options,
            size=size,
            engine=setup.engine,
            precision=setup.precision,
            device=setup.device,
        )
        stylizer = StylizerCore(options)
        stylizer.prepare(camera, size)
        return stylizer

    def matmuls(self, precision: str, shapes: Sequence[MatmulShape]) -> Calls:
        """Return matrix multiplications on the default device, by `matmul_name`.

        They run in the default engine. There are none for other engines than TensorFlow and
        OpenVINO, and for devices that cannot run them: then the peak stays unknown.
        """
        device = find_device(KINDS[self.default.engine], self.default.device)
        assert device is not None
        if self.default.engine == "tensorflow":
            return tensorflow_matmuls(device.handle, precision, shapes)
        if self.default.engine != "openvino":
            return {}
        try:
            return openvino_matmuls(precision, shapes, device=device.handle)
        except RuntimeError:
            return {}


def _runs(setup: EngineSetup) -> bool:
    try:
        choose_engine(setup.engine, setup.device, setup.precision)
    except LiveNstError:
        return False
    return True

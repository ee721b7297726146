"""The engines and precisions that run on this machine, ready to be measured."""

from collections.abc import Sequence
from dataclasses import replace

from live_nst.bench.flops import Calls, MatmulShape, openvino_matmuls, tensorflow_matmuls
from live_nst.bench.report import EngineSetup
from live_nst.engines.choice import ENGINES, PRECISIONS, choose_engine
from live_nst.errors import LiveNstError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
from live_nst.types import DownloadProgress, Notify, Size


class StylizerSetups:
    """Opens stylizers with each engine and precision that runs a model on this machine.

    Args:
        model: See `live_nst.Stylizer`.
        device: auto, cpu or gpu.
        notify: Called with one sentence for every choice that the user should know of.
        progress: Called while the model is downloaded.

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
        choice = choose_engine(device=device)
        self.default = EngineSetup(choice.engine, choice.precision)
        self._options = StylizerOptions(model=model, device=device)
        with StylizerCore(self._options, notify=notify, progress=progress) as stylizer:
            self.model = stylizer.model_name
            self.device = stylizer.device

    def available(self) -> Sequence[EngineSetup]:
        """Return every setup that runs here, first the one that live-nst chooses by itself."""
        found = [self.default]
        others = [engine for engine in ENGINES[1:] if engine != self.default.engine]
        for engine in (self.default.engine, *others):
            for precision in PRECISIONS[1:]:
                setup = EngineSetup(engine, precision)
                if setup not in found and self._runs(setup):
                    found.append(setup)
        return found

    def _runs(self, setup: EngineSetup) -> bool:
        try:
            choose_engine(setup.engine, self._options.device, setup.precision)
        except LiveNstError:
            return False
        return True

    def network_size(self, camera: Size, size: int) -> Size:
        """Return (width, height) of the network's input for a camera frame and a `--size`."""
        return network_size(camera, size)

    def open_stylizer(self, setup: EngineSetup, camera: Size, size: int) -> StylizerCore:
        """Return a stylizer that is prepared for frames of `camera` pixels."""
        options = replace(self._options, size=size, engine=setup.engine, precision=setup.precision)
        stylizer = StylizerCore(options)
        stylizer.prepare(camera, size)
        return stylizer

    def matmuls(self, precision: str, shapes: Sequence[MatmulShape]) -> Calls:
        """Return matrix multiplications on the device, by `matmul_name`."""
        if self.device != "cpu":
            return tensorflow_matmuls("GPU:0", precision, shapes)
        if self.default.engine == "openvino":
            return openvino_matmuls(precision, shapes)
        return tensorflow_matmuls("CPU:0", precision, shapes)

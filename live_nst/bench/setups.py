"""What there is to measure on this machine: the engines that run here, as people use them."""

from collections.abc import Callable, Sequence

from live_nst.bench.flops import MatmulShape, openvino_matmuls, tensorflow_matmuls
from live_nst.bench.report import EngineSetup
from live_nst.engines.choice import ENGINES, PRECISIONS, choose_engine
from live_nst.errors import LiveNstError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import network_size
from live_nst.types import Size


class StylizerSetups:
    """Whole `Stylizer` calls; see `live_nst.bench.run.BenchSetups`.

    Args:
        model: See `live_nst.Stylizer`.
        device: auto, cpu or gpu.
        notify: Called with one sentence for every choice worth telling.
        progress: Called with bytes done and in all while a model is fetched.

    Raises:
        LiveNstError: The model or the device cannot be had.
    """

    def __init__(
        self,
        model: str,
        device: str,
        notify: Callable[[str], None] = lambda sentence: None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        choice = choose_engine(device=device)
        self.default = EngineSetup(choice.engine, choice.precision)
        with StylizerCore(model, device=device, notify=notify, progress=progress) as stylizer:
            self.model = stylizer.model_name
            self.device = stylizer.device
        self._wanted = (model, device)

    @property
    def setups(self) -> Sequence[EngineSetup]:
        """Every engine and precision that runs here, first what live-nst picks by itself."""
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
            choose_engine(setup.engine, self._wanted[1], setup.precision)
        except LiveNstError:
            return False
        return True

    def network(self, camera: Size, size: int) -> Size:
        """What the network sees of a camera frame at a long side."""
        return network_size(camera, size)

    def painter(self, setup: EngineSetup, camera: Size, size: int) -> StylizerCore:
        """A stylizer that is ready to paint frames of `camera` pixels."""
        model, device = self._wanted
        stylizer = StylizerCore(
            model, size=size, device=device, engine=setup.engine, precision=setup.precision
        )
        stylizer.prepare(camera, size)
        return stylizer

    def products(
        self, precision: str, shapes: Sequence[MatmulShape]
    ) -> dict[str, Callable[[], object]]:
        """Matrix products on the device, by `product_name`."""
        if self.device != "cpu":
            return tensorflow_matmuls("GPU:0", precision, shapes)
        if self.default.engine == "openvino":
            return openvino_matmuls(precision, shapes)
        return tensorflow_matmuls("CPU:0", precision, shapes)

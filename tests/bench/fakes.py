"""A clock, a machine and ways to paint that take exactly as long as they are told to."""

from collections.abc import Callable, Sequence

import numpy as np

from live_nst.bench.flops import MatmulShape, matmul_flops, matmul_name
from live_nst.bench.report import EngineSetup
from live_nst.errors import DeviceError
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image, Size


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Meter:
    """Tells the loads it was given, one after the other; the last one again and again."""

    def __init__(self, *loads: float) -> None:
        self._loads = list(loads)

    def __call__(self) -> "Meter":
        return self

    def share(self) -> float:
        return self._loads.pop(0) if len(self._loads) > 1 else self._loads[0]


class Painter:
    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.closed = 0

    def __call__(self, image: Image) -> Image:
        self._work()
        return np.zeros_like(image)

    def close(self) -> None:
        self.closed += 1


class Workshop:
    """Every setup takes `seconds` per pixel that the network sees; products run at `peak`.

    Args:
        clock: Moves on by what is computed.
        seconds: By setup; None for one that cannot be had.
        ready: Seconds that making one way ready takes.
    """

    model, device = "mobile", "cpu"
    peak = 1e12

    def __init__(
        self, clock: Clock, seconds: dict[EngineSetup, float | None], ready: float = 0.1
    ) -> None:
        self.clock = clock
        self._seconds = seconds
        self._ready = ready
        self.setups = tuple(seconds)
        self.default = self.setups[0]
        self.painters: list[Painter] = []
        self.before_call: Callable[[], None] = lambda: None

    def network(self, camera: Size, size: int) -> Size:
        return network_size(camera, size)

    def painter(self, setup: EngineSetup, camera: Size, size: int) -> Painter:
        self.clock.sleep(self._ready)
        per_pixel = self._seconds[setup]
        if per_pixel is None:
            raise DeviceError("it does not load", "install it again")
        width, height = self.network(camera, size)

        def work() -> None:
            self.before_call()
            self.clock.sleep(per_pixel * width * height)

        self.painters.append(Painter(work))
        return self.painters[-1]

    def products(
        self, precision: str, shapes: Sequence[MatmulShape]
    ) -> dict[str, Callable[[], object]]:
        def product(shape: MatmulShape) -> Callable[[], object]:
            return lambda: self.clock.sleep(matmul_flops(shape) / self.peak)

        return {matmul_name(precision, shape): product(shape) for shape in shapes}

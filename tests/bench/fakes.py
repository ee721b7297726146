"""A clock, a load meter and stylizers that take exactly the given time."""

from collections.abc import Callable, Sequence

import numpy as np

from live_nst.bench.flops import Calls, MatmulShape, matmul_flops, matmul_name
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
    """Returns the given loads one after the other, and then the last one again and again."""

    def __init__(self, *loads: float) -> None:
        self._loads = list(loads)

    def __call__(self) -> "Meter":
        return self

    def share(self) -> float:
        return self._loads.pop(0) if len(self._loads) > 1 else self._loads[0]


class FakeStylizer:
    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.closed = 0

    def __call__(self, image: Image) -> Image:
        self._work()
        return np.zeros_like(image)

    def close(self) -> None:
        self.closed += 1


class FakeSetups:
    """In place of `StylizerSetups`: a setup takes `seconds` per pixel of the network's input.

    Args:
        clock: Advanced by what is computed.
        seconds: By setup; None for one that is not available.
        ready: Seconds to open a stylizer.
    """

    model, device = "mobile", "cpu"
    peak = 1e12

    def __init__(
        self, clock: Clock, seconds: dict[EngineSetup, float | None], ready: float = 0.1
    ) -> None:
        self.clock = clock
        self._seconds = seconds
        self._ready = ready
        self.default = next(iter(seconds))
        self.stylizers: list[FakeStylizer] = []
        self.before_call: Callable[[], None] = lambda: None

    def available(self) -> Sequence[EngineSetup]:
        return tuple(self._seconds)

    def network_size(self, camera: Size, size: int) -> Size:
        return network_size(camera, size)

    def open_stylizer(self, setup: EngineSetup, camera: Size, size: int) -> FakeStylizer:
        self.clock.sleep(self._ready)
        per_pixel = self._seconds[setup]
        if per_pixel is None:
            raise DeviceError("it does not load", "install it again")
        width, height = self.network_size(camera, size)

        def work() -> None:
            self.before_call()
            self.clock.sleep(per_pixel * width * height)

        self.stylizers.append(FakeStylizer(work))
        return self.stylizers[-1]

    def matmuls(self, precision: str, shapes: Sequence[MatmulShape]) -> Calls:
        def matmul(shape: MatmulShape) -> Callable[[], object]:
            return lambda: self.clock.sleep(matmul_flops(shape) / self.peak)

        return {matmul_name(precision, shape): matmul(shape) for shape in shapes}

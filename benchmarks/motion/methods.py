"""Ways to steady a painted film; each is made anew for every film."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from benchmarks.motion.scenes import Flow
from live_nst.stabilizer import Stabilizer
from live_nst.stabilizer.filter import StabilizerState, stabilize_frame
from live_nst.types import Image


class Method(Protocol):
    """One frame in, one frame out, in order; `exact` is the flow to the frame before, if known."""

    def __call__(self, content: Image, painted: Image, exact: Flow | None) -> Image: ...


class Raw:
    """Every frame as the network painted it."""

    def __call__(self, content: Image, painted: Image, exact: Flow | None) -> Image:
        return painted


class Average:
    """What others do: a share of the output before, blended in where it is."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._kept: np.ndarray | None = None

    def __call__(self, content: Image, painted: Image, exact: Flow | None) -> Image:
        new = painted.astype(np.float32)
        old = new if self._kept is None else self._kept
        self._kept = self._share * old + (1 - self._share) * new
        return np.rint(self._kept).astype(np.uint8)


class Stabilized:
    """`--stabilize fast` or `best`."""

    def __init__(self, mode: str) -> None:
        self._stabilizer = Stabilizer(mode)

    def __call__(self, content: Image, painted: Image, exact: Flow | None) -> Image:
        return self._stabilizer(content, painted)


class FastOnExactFlow:
    """The same, told the true motion: what better motion could still gain."""

    def __init__(self) -> None:
        self._state: StabilizerState | None = None

    def __call__(self, content: Image, painted: Image, exact: Flow | None) -> Image:
        assert exact is not None
        self._state, steadied = stabilize_frame(
            self._state, content, painted, lambda now, then, guess: exact.copy()
        )
        return steadied


METHODS: dict[str, Callable[[], Method]] = {
    "raw": Raw,
    "average 0.5": lambda: Average(0.5),
    "average 0.7": lambda: Average(0.7),
    "fast": lambda: Stabilized("fast"),
    "best": lambda: Stabilized("best"),
    "fast, exact flow": FastOnExactFlow,
}

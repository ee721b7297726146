"""Stabilization methods to compare; each video gets a new instance."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from benchmarks.motion.scenes import Flow
from live_nst.stabilizer.filter import StabilizerState, stabilize_frame
from live_nst.stabilizer.stabilizer import Stabilizer
from live_nst.types import Image


class Method(Protocol):
    """Stabilize one frame after the other; `exact` is the flow to the last frame, if known."""

    def __call__(self, content: Image, stylized: Image, exact: Flow | None) -> Image: ...


class Raw:
    """No stabilization."""

    def __call__(self, content: Image, stylized: Image, exact: Flow | None) -> Image:
        return stylized


class Average:
    """Exponential average without motion compensation, as other programs do it."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._average: np.ndarray | None = None

    def __call__(self, content: Image, stylized: Image, exact: Flow | None) -> Image:
        new = stylized.astype(np.float32)
        old = new if self._average is None else self._average
        self._average = self._share * old + (1 - self._share) * new
        return np.rint(self._average).astype(np.uint8)


class Stabilized:
    """`--stabilize fast` or `best`."""

    def __init__(self, mode: str) -> None:
        self._stabilizer = Stabilizer(mode)

    def __call__(self, content: Image, stylized: Image, exact: Flow | None) -> Image:
        return self._stabilizer(content, stylized)


class FastOnExactFlow:
    """The filter of `fast` with the exact motion: the limit of better motion estimation."""

    def __init__(self) -> None:
        self._state: StabilizerState | None = None

    def __call__(self, content: Image, stylized: Image, exact: Flow | None) -> Image:
        assert exact is not None
        self._state, stabilized = stabilize_frame(
            self._state, content, stylized, lambda now, then, guess: exact.copy()
        )
        return stabilized


METHODS: dict[str, Callable[[], Method]] = {
    "raw": Raw,
    "average 0.5": lambda: Average(0.5),
    "average 0.7": lambda: Average(0.7),
    "fast": lambda: Stabilized("fast"),
    "best": lambda: Stabilized("best"),
    "fast, exact flow": FastOnExactFlow,
}

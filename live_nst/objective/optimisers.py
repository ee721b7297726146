"""The optimisers of `paint`: one dialogue, so that both can be stopped and resumed anywhere."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from live_nst.engines.runtime import quiet_stderr, tensorflow
from live_nst.errors import UsageError
from live_nst.objective.lbfgs import MEMORY, Lbfgs, Vector

OPTIMISERS = ("lbfgs", "adam")

_RATE = 4.0
"""Adam's step in grey levels, which is about what every pixel moves by at first."""


class Optimiser(Protocol):
    """Minimises a function of `n` variables within bounds.

    Each `ask` is followed by a `tell` about that very point. Nothing blocks, nothing is closed.
    """

    @property
    def best(self) -> Vector:
        """The best point that it was told of, float32 `[n]`; not to be changed."""
        ...

    @property
    def done(self) -> bool:
        """Whether it can get no further."""
        ...

    def ask(self) -> Vector:
        """The point, within the bounds, whose value and gradient are wanted: float32 `[n]`."""
        ...

    def tell(self, value: float, gradient: Vector) -> None:
        """Take the value, which may be infinite or NaN, and the gradient at that point."""
        ...

    def state(self) -> dict[str, Any]:
        """Arrays and numbers from which `restore` goes on as if nothing had happened."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave, in an optimiser made in the same way."""
        ...


class Adam:
    """Keras' Adam (Kingma and Ba 2015), clipped to bounds after every step.

    Args:
        start: float32 `[n]`.
        lower: The least values, float32 `[n]` or a scalar.
        upper: The largest values.
    """

    done = False

    def __init__(self, start: Vector, lower: Vector | float, upper: Vector | float) -> None:
        tensorflow()
        with quiet_stderr():
            import keras
        self._lower, self._upper = lower, upper
        self._variable = keras.Variable(np.clip(start, lower, upper).astype(np.float32))
        self._adam = keras.optimizers.Adam(_RATE)
        self._adam.build([self._variable])
        self._point = self._best = self._read()
        self._least = np.inf

    @property
    def best(self) -> Vector:
        """The point with the least value so far."""
        return self._best

    def ask(self) -> Vector:
        """The point where the last step led."""
        return self._point

    def tell(self, value: float, gradient: Vector) -> None:
        """Take a step."""
        if value < self._least:
            self._least, self._best = value, self._point
        self._adam.apply([tensorflow().constant(gradient)], [self._variable])
        self._variable.assign(np.clip(self._read(), self._lower, self._upper))
        self._point = self._read()

    def state(self) -> dict[str, Any]:
        """The point, the best one, and Adam's own variables."""
        own = {f"adam{i}": v.value.numpy() for i, v in enumerate(self._adam.variables)}
        return {"point": self._point, "best": self._best, "least": self._least} | own

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._point, self._best = state["point"], state["best"]
        self._least = float(state["least"])
        self._variable.assign(self._point)
        for i, variable in enumerate(self._adam.variables):
            variable.assign(state[f"adam{i}"])

    def _read(self) -> Vector:
        values: Vector = self._variable.value.numpy()
        return values


def make_optimiser(
    name: str, start: Vector, lower: Vector | float, upper: Vector | float
) -> Optimiser:
    """The optimiser `name`, at `start`, within bounds.

    Raises:
        UsageError: There is none of that name.
    """
    if name == "lbfgs":
        return Lbfgs(start, lower, upper)
    if name == "adam":
        return Adam(start, lower, upper)
    raise UsageError(f"There is no optimiser {name!r}.", f"use {' or '.join(OPTIMISERS)}")


def vectors(name: str) -> int:
    """How many vectors of `n` float32 numbers an optimiser holds, at most."""
    return {"lbfgs": 2 * MEMORY + 8, "adam": 8}[name]

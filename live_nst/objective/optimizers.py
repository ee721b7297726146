"""L-BFGS within bounds, as a dialogue: it asks for a point, and is told its value and gradient.

Our own, as the libraries' cannot be stopped and resumed: SciPy's keeps what it has learned of the
curvature to itself. Source: Nocedal and Wright, "Numerical
Optimization" (2006), algorithms 7.4 and 7.5, with the free variables of projected quasi-Newton
methods (Bertsekas 1982): those at a bound that want to cross it stay where they are.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.runtime.tensorflow import import_tensorflow, quiet_stderr

Vector = NDArray[np.float32]

HISTORY_SIZE = 20
"""Pairs of steps and changes of gradient that are kept."""

FIRST_STEP = 4.0
"""Root mean square, in gray levels, of the first step, before anything is known of curvature."""

_SUFFICIENT = 1e-4  # of the decrease that the slope promises
_MOST_CUTS = 12  # of one step, before the memory is distrusted
_LEAST_CURVATURE = 1e-10


class Lbfgs:
    """Minimizes a function of many variables.

        while not optimizer.done:
            optimizer.tell(*function(optimizer.ask()))

    Args:
        start: float32 `[n]`, within the bounds.
        lower: The least values, float32 `[n]` or a scalar.
        upper: The largest values.
        memory: How many pairs are kept; each takes two vectors.

    Attributes:
        done: No further decrease is possible in float32.
    """

    def __init__(
        self,
        start: Vector,
        lower: Vector | float = -np.inf,
        upper: Vector | float = np.inf,
        memory: int = HISTORY_SIZE,
    ) -> None:
        self._lower, self._upper, self._memory = lower, upper, memory
        self._point = np.clip(start, lower, upper).astype(np.float32)
        self._trial = self._point
        self._value = np.inf
        self._gradient: Vector | None = None
        self._direction = np.zeros_like(self._point)
        self._step = 0.0
        self._cuts = 0
        self._pairs: list[tuple[Vector, Vector]] = []
        self.done = False

    @property
    def best(self) -> Vector:
        """The point with the least value so far."""
        return self._point

    def ask(self) -> Vector:
        """The point whose value and gradient are wanted, float32 `[n]`; not to be changed."""
        return self._trial

    def tell(self, value: float, gradient: Vector) -> None:
        """Take the value and gradient at the point that was asked for."""
        if self._gradient is None:
            self._accept(value, gradient)
            return
        change = self._trial - self._point
        promised = float(self._gradient @ change)
        if np.isfinite(value) and value <= self._value + _SUFFICIENT * promised:
            self._remember(change, gradient - self._gradient)
            self._accept(value, gradient)
        else:
            self._cut(value, promised)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to go on as if nothing had happened: arrays, numbers."""
        empty = np.zeros((0, self._point.size), np.float32)
        return {
            "point": self._point,
            "trial": self._trial,
            "value": self._value,
            "gradient": empty[:0] if self._gradient is None else self._gradient,
            "direction": self._direction,
            "step": self._step,
            "cuts": self._cuts,
            "steps": np.stack([s for s, _ in self._pairs]) if self._pairs else empty,
            "changes": np.stack([y for _, y in self._pairs]) if self._pairs else empty,
            "done": self.done,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._point, self._trial = state["point"], state["trial"]
        self._value = float(state["value"])
        self._gradient = state["gradient"] if np.size(state["gradient"]) else None
        self._direction, self._step = state["direction"], float(state["step"])
        self._cuts, self.done = int(state["cuts"]), bool(state["done"])
        self._pairs = list(zip(state["steps"], state["changes"], strict=True))

    def _accept(self, value: float, gradient: Vector) -> None:
        self._point, self._value, self._gradient = self._trial, value, gradient
        self._cuts = 0
        free = self._free(gradient)
        self._direction = -self._times_inverse_hessian(gradient * free) * free
        slope = float(gradient @ self._direction)
        if self._pairs and slope >= 0:
            self._pairs.clear()
            self._direction = -gradient * free
        size = float(np.sqrt(np.mean(np.square(self._direction, dtype=np.float64))))
        if size == 0:
            self.done = True
            return
        self._go(1.0 if self._pairs else FIRST_STEP / size)

    def _cut(self, value: float, promised: float) -> None:
        """The step was too long: shorten it to where a parabola has its minimum."""
        self._cuts += 1
        if self._cuts > _MOST_CUTS:
            self._give_up()
            return
        excess = value - self._value - promised
        shorter = -promised / (2 * excess) if np.isfinite(excess) and excess > 0 else 0.1
        self._go(self._step * float(np.clip(shorter, 0.1, 0.5)))

    def _give_up(self) -> None:
        """Distrust the memory; if there is none left to distrust, this is the minimum."""
        if not self._pairs or self._gradient is None:
            self.done = True
            return
        self._pairs.clear()
        self._trial = self._point
        self._accept(self._value, self._gradient)

    def _go(self, step: float) -> None:
        self._step = step
        further = self._point + np.float32(step) * self._direction
        self._trial = np.clip(further, self._lower, self._upper).astype(np.float32)

    def _free(self, gradient: Vector) -> NDArray[np.bool_]:
        """The variables that are not pressed against a bound."""
        low = (self._point <= self._lower) & (gradient > 0)
        high = (self._point >= self._upper) & (gradient < 0)
        free: NDArray[np.bool_] = ~(low | high)
        return free

    def _remember(self, step: Vector, change: Vector) -> None:
        if float(step @ change) > _LEAST_CURVATURE * float(change @ change):
            self._pairs.append((step, change))
            del self._pairs[: -self._memory]

    def _times_inverse_hessian(self, gradient: Vector) -> Vector:
        """The two-loop recursion."""
        result = gradient
        shares = []
        for step, change in reversed(self._pairs):
            share = float(step @ result) / float(step @ change)
            shares.append(share)
            result = result - np.float32(share) * change
        if self._pairs:
            step, change = self._pairs[-1]
            result = result * np.float32(float(step @ change) / float(change @ change))
        for (step, change), share in zip(self._pairs, reversed(shares), strict=True):
            back = float(change @ result) / float(step @ change)
            result = result + np.float32(share - back) * step
        return result


OPTIMIZERS = ("lbfgs", "adam")

_RATE = 4.0
"""Adam's step in gray levels, which is about what every pixel moves by at first."""


class Optimizer(Protocol):
    """Minimizes a function of `n` variables within bounds.

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
        """Go on from what `state` gave, in an optimizer made in the same way."""
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
        import_tensorflow()
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
        self._adam.apply([import_tensorflow().constant(gradient)], [self._variable])
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


def make_optimizer(
    name: str, start: Vector, lower: Vector | float, upper: Vector | float
) -> Optimizer:
    """The optimizer `name`, at `start`, within bounds.

    Raises:
        UsageError: There is none of that name.
    """
    if name == "lbfgs":
        return Lbfgs(start, lower, upper)
    if name == "adam":
        return Adam(start, lower, upper)
    raise UsageError(f"There is no optimizer {name!r}.", f"use {' or '.join(OPTIMIZERS)}")


def count_vectors(name: str) -> int:
    """How many vectors of `n` float32 numbers an optimizer holds, at most."""
    return {"lbfgs": 2 * HISTORY_SIZE + 8, "adam": 8}[name]

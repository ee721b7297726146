"""The optimizers of `paint`, which can be stopped after any evaluation and resumed later.

They have an ask-and-tell interface: the caller evaluates the function, not the optimizer.

        while not optimizer.done:
            optimizer.tell(*function(optimizer.ask()))

L-BFGS is written here because those of the libraries cannot be resumed: SciPy does not expose its
estimate of the curvature.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.runtime.tensorflow import import_tensorflow, quiet_stderr

Vector = NDArray[np.float32]

OPTIMIZERS = ("lbfgs", "adam")

HISTORY_SIZE = 20
"""The number of pairs of steps and gradient changes that L-BFGS keeps."""

FIRST_STEP = 4.0
"""Root mean square, in uint8 values, of the first step of L-BFGS, when no curvature is known."""

_LEARNING_RATE = 4.0  # Adam's, in uint8 values: about the first change of every pixel
_SUFFICIENT_DECREASE = 1e-4  # of the decrease that the slope predicts (Armijo's condition)
_MAX_BACKTRACKS = 12  # of one step, before the history is discarded
_MIN_CURVATURE = 1e-10


class Optimizer(Protocol):
    """Minimizes a function of `n` variables within bounds."""

    @property
    def best(self) -> Vector:
        """The best point so far, float32 `[n]`, read-only."""
        ...

    @property
    def done(self) -> bool:
        """Whether no further decrease is possible."""
        ...

    def ask(self) -> Vector:
        """Return the point, within the bounds, to evaluate next: float32 `[n]`, read-only."""
        ...

    def tell(self, value: float, gradient: Vector) -> None:
        """Take the value, which may be infinite or NaN, and the gradient at the asked point."""
        ...

    def state(self) -> dict[str, Any]:
        """Return the arrays and numbers with which `restore` continues as if never stopped."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the result of `state` of an optimizer with the same bounds."""
        ...


def make_optimizer(
    name: str, start: Vector, lower: Vector | float, upper: Vector | float
) -> Optimizer:
    """Return an optimizer that starts at `start` and stays within bounds.

    Raises:
        UsageError: The name is not in `OPTIMIZERS`.
    """
    if name == "lbfgs":
        return Lbfgs(start, lower, upper)
    if name == "adam":
        return Adam(start, lower, upper)
    raise UsageError(f"Unknown optimizer {name!r}", f"use {' or '.join(OPTIMIZERS)}")


def count_vectors(name: str) -> int:
    """Return how many vectors of `n` float32 numbers an optimizer holds at most."""
    return {"lbfgs": 2 * HISTORY_SIZE + 8, "adam": 8}[name]


class Lbfgs:
    """L-BFGS within bounds; see `Optimizer`.

    Source: Nocedal and Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5, with the
    free variables of projected quasi-Newton methods (Bertsekas 1982): a variable at a bound, whose
    gradient points across it, is left out of the step.

    Args:
        start: float32 `[n]`.
        lower: The lower bounds, float32 `[n]` or a scalar.
        upper: The upper bounds.
    """

    def __init__(
        self, start: Vector, lower: Vector | float = -np.inf, upper: Vector | float = np.inf
    ) -> None:
        self._lower, self._upper = lower, upper
        self._point = np.clip(start, lower, upper).astype(np.float32)
        self._trial = self._point
        self._value = np.inf
        self._gradient: Vector | None = None
        self._direction = np.zeros_like(self._point)
        self._step = 0.0
        self._backtracks = 0
        self._history: list[tuple[Vector, Vector]] = []
        self.done = False

    @property
    def best(self) -> Vector:
        """See `Optimizer`."""
        return self._point

    def ask(self) -> Vector:
        """See `Optimizer`."""
        return self._trial

    def tell(self, value: float, gradient: Vector) -> None:
        """See `Optimizer`."""
        if self._gradient is None:
            self._accept(value, gradient)
            return
        step = self._trial - self._point
        predicted = float(self._gradient @ step)
        if np.isfinite(value) and value <= self._value + _SUFFICIENT_DECREASE * predicted:
            self._remember(step, gradient - self._gradient)
            self._accept(value, gradient)
        else:
            self._backtrack(value, predicted)

    def state(self) -> dict[str, Any]:
        """See `Optimizer`."""
        empty = np.zeros((0, self._point.size), np.float32)
        return {
            "point": self._point,
            "trial": self._trial,
            "value": self._value,
            "gradient": empty[:0] if self._gradient is None else self._gradient,
            "direction": self._direction,
            "step": self._step,
            "cuts": self._backtracks,
            "steps": np.stack([s for s, _ in self._history]) if self._history else empty,
            "changes": np.stack([y for _, y in self._history]) if self._history else empty,
            "done": self.done,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Optimizer`."""
        self._point, self._trial = state["point"], state["trial"]
        self._value = float(state["value"])
        self._gradient = state["gradient"] if np.size(state["gradient"]) else None
        self._direction, self._step = state["direction"], float(state["step"])
        self._backtracks, self.done = int(state["cuts"]), bool(state["done"])
        self._history = list(zip(state["steps"], state["changes"], strict=True))

    def _accept(self, value: float, gradient: Vector) -> None:
        """Move to the trial point, and choose the next direction and step there."""
        self._point, self._value, self._gradient = self._trial, value, gradient
        self._backtracks = 0
        free = self._free_variables(gradient)
        self._direction = -self._times_inverse_hessian(gradient * free) * free
        if self._history and float(gradient @ self._direction) >= 0:  # not a descent
            self._history.clear()
            self._direction = -gradient * free
        length = float(np.sqrt(np.mean(np.square(self._direction, dtype=np.float64))))
        if length == 0:
            self.done = True
            return
        self._try_step(1.0 if self._history else FIRST_STEP / length)

    def _backtrack(self, value: float, predicted: float) -> None:
        """Shorten the step to the minimum of a parabola through what is known."""
        self._backtracks += 1
        if self._backtracks > _MAX_BACKTRACKS:
            self._discard_history()
            return
        excess = value - self._value - predicted
        shorter = -predicted / (2 * excess) if np.isfinite(excess) and excess > 0 else 0.1
        self._try_step(self._step * float(np.clip(shorter, 0.1, 0.5)))

    def _discard_history(self) -> None:
        """Start again with the gradient's direction; without a history this is the minimum."""
        if not self._history or self._gradient is None:
            self.done = True
            return
        self._history.clear()
        self._trial = self._point
        self._accept(self._value, self._gradient)

    def _try_step(self, step: float) -> None:
        self._step = step
        trial = self._point + np.float32(step) * self._direction
        self._trial = np.clip(trial, self._lower, self._upper).astype(np.float32)

    def _free_variables(self, gradient: Vector) -> NDArray[np.bool_]:
        low = (self._point <= self._lower) & (gradient > 0)
        high = (self._point >= self._upper) & (gradient < 0)
        free: NDArray[np.bool_] = ~(low | high)
        return free

    def _remember(self, step: Vector, change: Vector) -> None:
        if float(step @ change) > _MIN_CURVATURE * float(change @ change):
            self._history.append((step, change))
            del self._history[:-HISTORY_SIZE]

    def _times_inverse_hessian(self, gradient: Vector) -> Vector:
        """Return the product by the two-loop recursion, algorithm 7.4."""
        result = gradient
        shares = []
        for step, change in reversed(self._history):
            share = float(step @ result) / float(step @ change)
            shares.append(share)
            result = result - np.float32(share) * change
        if self._history:
            step, change = self._history[-1]
            result = result * np.float32(float(step @ change) / float(change @ change))
        for (step, change), share in zip(self._history, reversed(shares), strict=True):
            back = float(change @ result) / float(step @ change)
            result = result + np.float32(share - back) * step
        return result


class Adam:
    """Keras' Adam (Kingma and Ba 2015), clipped to bounds after every step; see `Optimizer`.

    Args:
        start: float32 `[n]`.
        lower: The lower bounds, float32 `[n]` or a scalar.
        upper: The upper bounds.
    """

    done = False

    def __init__(self, start: Vector, lower: Vector | float, upper: Vector | float) -> None:
        import_tensorflow()
        with quiet_stderr():
            import keras
        self._lower, self._upper = lower, upper
        self._variable = keras.Variable(np.clip(start, lower, upper).astype(np.float32))
        self._adam = keras.optimizers.Adam(_LEARNING_RATE)
        self._adam.build([self._variable])
        self._point = self._best = self._read()
        self._least = np.inf

    @property
    def best(self) -> Vector:
        """See `Optimizer`."""
        return self._best

    def ask(self) -> Vector:
        """See `Optimizer`."""
        return self._point

    def tell(self, value: float, gradient: Vector) -> None:
        """See `Optimizer`."""
        if value < self._least:
            self._least, self._best = value, self._point
        self._adam.apply([import_tensorflow().constant(gradient)], [self._variable])
        self._variable.assign(np.clip(self._read(), self._lower, self._upper))
        self._point = self._read()

    def state(self) -> dict[str, Any]:
        """See `Optimizer`."""
        own = {f"adam{i}": v.value.numpy() for i, v in enumerate(self._adam.variables)}
        return {"point": self._point, "best": self._best, "least": self._least} | own

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Optimizer`."""
        self._point, self._best = state["point"], state["best"]
        self._least = float(state["least"])
        self._variable.assign(self._point)
        for i, variable in enumerate(self._adam.variables):
            variable.assign(state[f"adam{i}"])

    def _read(self) -> Vector:
        values: Vector = self._variable.value.numpy()
        return values

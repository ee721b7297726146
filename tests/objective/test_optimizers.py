"""One contract over both optimizers, and what L-BFGS alone promises."""

from typing import Any

import numpy as np
import pytest

from live_nst.errors import UsageError
from live_nst.objective.optimizers import OPTIMIZERS, Lbfgs, Optimizer, make_optimizer

NUMBER = 30
SCALES = np.linspace(1, 20, NUMBER).astype(np.float32)
CENTER = np.linspace(-200, 200, NUMBER).astype(np.float32)


def bowl(point: Any) -> tuple[float, Any]:
    """A quadratic whose free minimum is `CENTER`."""
    away = point - CENTER
    return float((SCALES * away * away).sum()), 2 * SCALES * away


@pytest.fixture(params=OPTIMIZERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(name: str) -> Optimizer:
    return make_optimizer(name, np.zeros(NUMBER, np.float32), -100.0, 100.0)


def run(optimizer: Optimizer, steps: int) -> list[float]:
    values = []
    for _ in range(steps):
        point = optimizer.ask()
        assert point.dtype == np.float32 and (np.abs(point) <= 100).all()
        value, gradient = bowl(point)
        optimizer.tell(value, gradient)
        values.append(value)
        if optimizer.done:
            break
    return values


def test_minimum_within_the_bounds(name: str) -> None:
    optimizer = make(name)
    run(optimizer, 200)
    np.testing.assert_allclose(optimizer.best, np.clip(CENTER, -100, 100), atol=0.5)


def test_best(name: str) -> None:
    optimizer = make(name)
    values = run(optimizer, 25)
    assert bowl(optimizer.best)[0] == pytest.approx(min(values))


@pytest.mark.parametrize("steps", [0, 1, 2, 7, 25])
def test_restore(name: str, steps: int) -> None:
    whole, first = make(name), make(name)
    expected = run(whole, steps + 15)
    values = run(first, steps)
    state = {key: np.array(value) for key, value in first.state().items()}
    second = make_optimizer(name, np.full(NUMBER, 3, np.float32), -100.0, 100.0)
    second.restore(state)
    values += run(second, 15)
    assert values == expected
    np.testing.assert_array_equal(whole.best, second.best)


def test_value_that_is_not_finite(name: str) -> None:
    optimizer = make(name)
    run(optimizer, 5)
    point = optimizer.ask()
    optimizer.tell(float("nan"), np.zeros_like(point))
    assert np.isfinite(optimizer.ask()).all() and np.isfinite(optimizer.best).all()


def test_unknown_optimizer() -> None:
    with pytest.raises(UsageError, match="sgd"):
        make("sgd")


def rosenbrock(point: Any) -> tuple[float, Any]:
    x, y = float(point[0]), float(point[1])
    value = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return value, np.array(slope, np.float32)


def test_lbfgs_on_the_rosenbrock_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live_nst.objective.optimizers.FIRST_STEP", 0.1)
    optimizer = Lbfgs(np.array([-1.2, 1.0], np.float32))
    for _ in range(80):
        optimizer.tell(*rosenbrock(optimizer.ask()))
    np.testing.assert_allclose(optimizer.best, [1, 1], atol=2e-3)


def test_lbfgs_on_a_quadratic() -> None:
    optimizer = Lbfgs(np.zeros(NUMBER, np.float32))
    values = []
    for _ in range(40):
        value, gradient = bowl(optimizer.ask())
        optimizer.tell(value, gradient)
        values.append(value)
    assert min(values) < 1e-6 * values[0]


def test_lbfgs_is_done_at_a_minimum() -> None:
    optimizer = Lbfgs(CENTER.copy())
    optimizer.tell(*bowl(optimizer.ask()))
    assert optimizer.done
    np.testing.assert_array_equal(optimizer.best, CENTER)

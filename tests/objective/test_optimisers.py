"""One contract over both optimisers, and what L-BFGS alone promises."""

from typing import Any

import numpy as np
import pytest

from live_nst.errors import UsageError
from live_nst.objective.lbfgs import Lbfgs
from live_nst.objective.optimisers import OPTIMISERS, Optimiser, make_optimiser

NUMBER = 30
SCALES = np.linspace(1, 20, NUMBER).astype(np.float32)
CENTRE = np.linspace(-200, 200, NUMBER).astype(np.float32)


def bowl(point: Any) -> tuple[float, Any]:
    """A quadratic whose free minimum is `CENTRE`."""
    away = point - CENTRE
    return float((SCALES * away * away).sum()), 2 * SCALES * away


@pytest.fixture(params=OPTIMISERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(name: str) -> Optimiser:
    return make_optimiser(name, np.zeros(NUMBER, np.float32), -100.0, 100.0)


def run(optimiser: Optimiser, steps: int) -> list[float]:
    values = []
    for _ in range(steps):
        point = optimiser.ask()
        assert point.dtype == np.float32 and (np.abs(point) <= 100).all()
        value, gradient = bowl(point)
        optimiser.tell(value, gradient)
        values.append(value)
        if optimiser.done:
            break
    return values


def test_it_finds_the_minimum_within_the_bounds(name: str) -> None:
    optimiser = make(name)
    run(optimiser, 200)
    np.testing.assert_allclose(optimiser.best, np.clip(CENTRE, -100, 100), atol=0.5)


def test_the_best_is_the_least_it_was_told(name: str) -> None:
    optimiser = make(name)
    values = run(optimiser, 25)
    assert bowl(optimiser.best)[0] == pytest.approx(min(values))


@pytest.mark.parametrize("steps", [0, 1, 2, 7, 25])
def test_restored_it_goes_on_as_if_nothing_had_happened(name: str, steps: int) -> None:
    whole, first = make(name), make(name)
    expected = run(whole, steps + 15)
    values = run(first, steps)
    state = {key: np.array(value) for key, value in first.state().items()}
    second = make_optimiser(name, np.full(NUMBER, 3, np.float32), -100.0, 100.0)
    second.restore(state)
    values += run(second, 15)
    assert values == expected
    np.testing.assert_array_equal(whole.best, second.best)


def test_a_value_that_is_not_finite_does_no_harm(name: str) -> None:
    optimiser = make(name)
    run(optimiser, 5)
    point = optimiser.ask()
    optimiser.tell(float("nan"), np.zeros_like(point))
    assert np.isfinite(optimiser.ask()).all() and np.isfinite(optimiser.best).all()


def test_there_is_no_other() -> None:
    with pytest.raises(UsageError, match="sgd"):
        make("sgd")


def rosenbrock(point: Any) -> tuple[float, Any]:
    x, y = float(point[0]), float(point[1])
    value = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return value, np.array(slope, np.float32)


def test_lbfgs_follows_a_curved_valley(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live_nst.objective.lbfgs.FIRST_STEP", 0.1)
    optimiser = Lbfgs(np.array([-1.2, 1.0], np.float32))
    for _ in range(80):
        optimiser.tell(*rosenbrock(optimiser.ask()))
    np.testing.assert_allclose(optimiser.best, [1, 1], atol=2e-3)


def test_lbfgs_needs_few_evaluations_on_a_quadratic() -> None:
    optimiser = Lbfgs(np.zeros(NUMBER, np.float32))
    values = []
    for _ in range(40):
        value, gradient = bowl(optimiser.ask())
        optimiser.tell(value, gradient)
        values.append(value)
    assert min(values) < 1e-6 * values[0]


def test_lbfgs_ends_at_a_minimum() -> None:
    optimiser = Lbfgs(CENTRE.copy())
    optimiser.tell(*bowl(optimiser.ask()))
    assert optimiser.done
    np.testing.assert_array_equal(optimiser.best, CENTRE)

"""The simulated cluster."""

from typing import Any

import pytest

from benchmarks.cluster.record import broken_promises
from benchmarks.cluster.simulation import Film, simulate

FILM = Film(
    frames=640, paint=0.1, warm=0.09, packets=1000, result=1000, head=0.0005, join=0.0, start=0.0
)


@pytest.mark.parametrize("workers", [2, 4])
def test_few_workers_grow_in_proportion(workers: int) -> None:
    """Of what one worker paints, so many paint at least 90% as many times as much."""
    alike = {"spread": 0.0, "slow": 0.0, "step": 0.05}
    one = simulate(FILM, 1, 40, 1e9, **alike)
    several = simulate(FILM, workers, 40, 1e9, **alike)
    assert one.seconds / several.seconds > 0.9 * workers
    assert one.repeated == several.repeated == 0


def test_slow_worker_is_helped() -> None:
    outcome = simulate(FILM, 8, 40, 1e9, spread=0.0, slow=0.3, step=0.05)
    assert outcome.repeated > 0
    assert outcome.seconds < 40  # a slow worker alone takes 69 seconds for a chunk


def test_broken_promises() -> None:
    def record(fps: float, cpu: float, memory: float) -> dict[str, Any]:
        rows = [
            {"workers": 1, "fps": 2.0, "cpu ms": 42.0, "same": True},
            {"workers": 2, "fps": fps, "cpu ms": cpu, "same": True},
        ]
        peaks = [{"peak mb": 200.0}, {"peak mb": memory}]
        return {"measured": {"rows": rows, "painting": {"cpu ms": 40.0}}, "memory": peaks}

    assert not list(broken_promises(record(3.7, 44.0, 210.0)))
    assert list(broken_promises(record(3.4, 50.0, 300.0))) == [
        "2 workers do 85% of proportional",
        "with 2 workers 20% is not painting",
        "the head's memory grows from 200 to 300 MB",
    ]

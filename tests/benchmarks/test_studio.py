"""What the studio's benchmark takes for a broken promise."""

from typing import Any

import pytest

from benchmarks.studio.record import broken_promises

KEPT: dict[str, Any] = {
    "viewers": {"one_ms": [20.0, 21.0, 40.0], "many_ms": [21.0, 22.0, 20.0]},
    "page": {"first_ms": [900.0], "click_ms": [400.0], "latency_ms": [65.0] * 9 + [100.0]},
}


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("viewers", {"many_ms": [23.0]}, "cost 9.5% more"),
        ("page", {"first_ms": [900.0, 1200.0, 1300.0]}, "first_ms is 1200"),
        ("page", {"click_ms": [float("inf")]}, "click_ms is inf"),
        ("page", {"latency_ms": [71.0]}, "the latency is 71 ms"),
        ("page", {"latency_ms": [50.0] * 8 + [131.0] * 2}, "the 90th percentile"),
    ],
)
def test_broken_promises(part: str, values: dict[str, list[float]], words: str) -> None:
    assert broken_promises(KEPT, 10.0) == []
    (broken,) = broken_promises(KEPT | {part: KEPT[part] | values}, 10.0)
    assert words in broken


def test_a_page_that_was_not_measured_is_told() -> None:
    assert "was not measured" in broken_promises(KEPT | {"page": None}, 10.0)[0]

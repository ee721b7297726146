import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stats import SampleStats


def test_of() -> None:
    spread = SampleStats.of([5, 1, 2, 4, 3])
    assert spread == SampleStats(3, 1, 5, 2, 4, 5)
    assert spread.as_dict() == {"median": 3, "min": 1, "max": 5, "q1": 2, "q3": 4, "n": 5}


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=50))
def test_median(values: list[float]) -> None:
    spread = SampleStats.of(values)
    assert spread.median == pytest.approx(statistics.median(values))
    assert (spread.low, spread.high) == (min(values), max(values))
    assert spread.low <= spread.quarter <= spread.median <= spread.three_quarters <= spread.high


def test_as_dict() -> None:
    assert SampleStats.of([1 / 3, 12345.678]).as_dict()["max"] == 12346.0
    assert SampleStats.of([1 / 3]).as_dict()["median"] == 0.33333


def test_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        SampleStats.of([])

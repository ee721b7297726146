"""What several measurements of one thing say together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SampleStats:
    """Measurements of one thing, in the unit they came in.

    Attributes:
        median: The middle one.
        low: The least.
        high: The largest.
        quarter: A quarter of them are not above it.
        three_quarters: Three quarters of them are not above it.
        count: How many there were.
    """

    median: float
    low: float
    high: float
    quarter: float
    three_quarters: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "SampleStats":
        """The spread of `values`.

        Raises:
            ValueError: There are none.
        """
        if not len(values):
            raise ValueError("nothing was measured")
        low, quarter, median, three, high = np.percentile(values, (0, 25, 50, 75, 100))
        return cls(
            float(median), float(low), float(high), float(quarter), float(three), len(values)
        )

    def as_dict(self) -> dict[str, float]:
        """Plain numbers of five digits, ready for JSON."""
        return {
            "median": _short(self.median),
            "min": _short(self.low),
            "max": _short(self.high),
            "q1": _short(self.quarter),
            "q3": _short(self.three_quarters),
            "n": self.count,
        }


def _short(value: float) -> float:
    return float(f"{value:.5g}")

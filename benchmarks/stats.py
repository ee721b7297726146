"""Summarize repeated measurements of one value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SampleStats:
    """Order statistics of measurements, in their unit.

    Attributes:
        median: The median.
        low: The minimum.
        high: The maximum.
        quarter: The first quartile.
        three_quarters: The third quartile.
        count: The number of measurements.
    """

    median: float
    low: float
    high: float
    quarter: float
    three_quarters: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "SampleStats":
        """Return the statistics of `values`.

        Raises:
            ValueError: There are no values.
        """
        if not len(values):
            raise ValueError("nothing was measured")
        low, quarter, median, three, high = np.percentile(values, (0, 25, 50, 75, 100))
        return cls(
            float(median), float(low), float(high), float(quarter), float(three), len(values)
        )

    def as_dict(self) -> dict[str, float]:
        """Return numbers of five digits for JSON."""
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

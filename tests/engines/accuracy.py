"""How far a precision is from float32, in pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from live_nst.engines.base import Bottleneck, Engine
from live_nst.types import Image, Size

MEAN_LIMIT = 0.004
"""The mean difference, of a range of 0..1, up to which a precision may be a default."""


@dataclass(frozen=True)
class Difference:
    """How far pictures are apart, on a scale where 1 is black against white.

    Attributes:
        mean: Over all pictures, pixels and channels.
        worst_mean: Of the picture that differs most.
        maximum: Of a single value.
    """

    mean: float
    worst_mean: float
    maximum: float


def difference(
    engine: Engine, exact: Engine, photos: Iterable[Image], styles: Sequence[Bottleneck], size: Size
) -> Difference:
    """Compare what two engines paint.

    Args:
        engine: The one in question.
        exact: One of the same model in float32.
        photos: BGR uint8, all of one size.
        styles: Every photo is painted in each.
        size: The network's.

    Returns:
        The difference of what comes out: levels, rounded to whole ones, as people see them.
    """
    means: list[float] = []
    maximum = 0.0
    for photo in photos:
        camera = (photo.shape[1], photo.shape[0])
        runners = [each.compile(camera, size) for each in (engine, exact)]
        for style in styles:
            painted, expected = (
                run(photo, each.expand(style)).stylized.astype(np.float64)
                for run, each in zip(runners, (engine, exact), strict=True)
            )
            off = np.abs(painted - expected) / 255
            means.append(float(off.mean()))
            maximum = max(maximum, float(off.max()))
    return Difference(float(np.mean(means)), max(means), maximum)

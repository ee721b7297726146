"""Compare the images of two engines or precisions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from live_nst.engines.base import Bottleneck, Engine
from live_nst.types import Image, Size

MEAN_LIMIT = 0.004
"""Maximum mean difference, on a scale of 0 to 1, of a default precision."""


@dataclass(frozen=True)
class Difference:
    """Difference of images on a scale of 0 to 1.

    Attributes:
        mean: Mean over all images, pixels and channels.
        worst_mean: The mean of the image that differs most.
        maximum: The largest difference of a single value.
    """

    mean: float
    worst_mean: float
    maximum: float


def measure_difference(
    engine: Engine, exact: Engine, photos: Iterable[Image], styles: Sequence[Bottleneck], size: Size
) -> Difference:
    """Compare the stylized images of two engines.

    Args:
        engine: The engine to judge.
        exact: An engine with the same model in float32.
        photos: BGR uint8, all of one size.
        styles: Every photo is stylized with each of them.
        size: Size of the network.

    Returns:
        The difference of the uint8 images.
    """
    means: list[float] = []
    maximum = 0.0
    for photo in photos:
        camera = (photo.shape[1], photo.shape[0])
        runners = [each.compile(camera, size) for each in (engine, exact)]
        for style in styles:
            stylized, expected = (
                run(photo, each.expand(style)).stylized.astype(np.float64)
                for run, each in zip(runners, (engine, exact), strict=True)
            )
            off = np.abs(stylized - expected) / 255
            means.append(float(off.mean()))
            maximum = max(maximum, float(off.max()))
    return Difference(float(np.mean(means)), max(means), maximum)

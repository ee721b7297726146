"""Draw batches: which photos in which styles, strokes and strengths. Prepared ahead by threads."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tools.train_model.pictures import Picture
from tools.train_model.settings import Settings
from tools.train_model.views import Views, cut


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step trains on.

    Attributes:
        views: Two views of each photo.
        styles: (index of the style, stroke) for each photo.
        strengths: `[batch]`, 0..1: how much of the style; the rest is the photo's own.
    """

    views: Views
    styles: list[tuple[int, float]]
    strengths: Tensor


def entries(styles: int, settings: Settings) -> list[tuple[int, float]]:
    """List the (style, stroke) pairs that are trained: each at stroke 1, a share at the others.

    Args:
        styles: How many styles there are; after them come their variants, at stroke 1 alone.
        settings: Which strokes, for which share of the styles, and how many variants.
    """
    found = [(index, 1.0) for index in range(styles)]
    for number, stroke in enumerate(settings.strokes):
        picked = np.random.default_rng([settings.seed, number]).permutation(styles)
        found += [(int(i), stroke) for i in picked[: round(settings.stroke_share * styles)]]
    found += [(styles + index, 1.0) for index in range(settings.variants * styles)]
    return found


def draw(
    seen: int, photos: Sequence[Picture], choices: Sequence[tuple[int, float]], settings: Settings
) -> Batch:
    """Draw the batch that follows after `seen` pictures; nothing else decides what it is."""
    rng = np.random.default_rng([settings.seed, seen])
    picked = [photos[int(i)] for i in rng.integers(len(photos), size=settings.batch)]
    styles = [choices[int(i)] for i in rng.integers(len(choices), size=settings.batch)]
    strengths = np.where(
        rng.random(settings.batch) < settings.full, 1.0, rng.random(settings.batch)
    )
    views = cut(picked, settings.crop, settings.photo_side, rng)
    return Batch(views, styles, torch.from_numpy(strengths.astype(np.float32)))


def batches(
    seen: int,
    photos: Sequence[Picture],
    choices: Sequence[tuple[int, float]],
    settings: Settings,
    workers: int,
) -> Iterator[Batch]:
    """Draw batches without end, in order, a few ahead of use.

    Args:
        seen: Pictures seen before the first.
        photos: What to cut views from.
        choices: What `entries` gave.
        settings: Of the run.
        workers: Threads that prepare them.
    """
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while len(waiting) < 2 * workers:
                    waiting.append(pool.submit(draw, seen, photos, choices, settings))
                    seen += settings.batch
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

"""Styles as bottlenecks: computed once, kept in memory and on disk."""

import threading
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck, Engine
from live_nst.frames import Image
from live_nst.styles.cache import BottleneckCache
from live_nst.styles.picture import crops, read_picture
from live_nst.styles.spec import StyleSpec


class StyleBank:
    """Gives the bottleneck of a style, computing it at most once.

    It may be used from several threads.

    Args:
        engine: Computes bottlenecks.
        cache: Keeps them on disk.

    Attributes:
        computations: How often the model's style part ran.
    """

    def __init__(self, engine: Engine, cache: BottleneckCache) -> None:
        self._engine = engine
        self._cache = cache
        self._known: dict[tuple[Path, float], Bottleneck] = {}
        self._lock = threading.Lock()
        self.computations = 0

    def bottleneck(self, spec: StyleSpec, stroke: float = 1.0) -> Bottleneck:
        """The bottleneck of `spec`; a mix is the weighted mean of its parts'.

        Args:
            spec: The style.
            stroke: How large its strokes are, 1 being their size in its pictures.

        Raises:
            StyleError: A picture cannot be read.
        """
        with self._lock:
            parts = [part.weight * self._of_file(part.picture, stroke) for part in spec.parts]
        mixed: Bottleneck = np.sum(parts, axis=0, dtype=np.float32)
        return mixed

    def of_picture(self, picture: Image, stroke: float = 1.0) -> Bottleneck:
        """The bottleneck of a picture that is in memory, BGR uint8 `[height, width, 3]`."""
        with self._lock:
            return self._of_picture(picture, stroke)

    def _of_file(self, path: Path, stroke: float) -> Bottleneck:
        if (path, stroke) not in self._known:
            self._known[path, stroke] = self._of_picture(read_picture(path), stroke)
        return self._known[path, stroke]

    def _of_picture(self, picture: Image, stroke: float) -> Bottleneck:
        views = [self._of_view(view) for view in crops(picture, self._engine.style_size, stroke)]
        mean: Bottleneck = np.mean(views, axis=0, dtype=np.float32)
        return mean

    def _of_view(self, view: Image) -> Bottleneck:
        bottleneck = self._cache.load(view, self._engine.bottleneck_size)
        if bottleneck is None:
            bottleneck = self._engine.encode(view)
            self.computations += 1
            self._cache.store(view, bottleneck)
        return bottleneck

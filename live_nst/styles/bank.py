"""Styles as bottlenecks: computed once, kept in memory and on disk."""

import threading
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck, Engine
from live_nst.frames import Image
from live_nst.styles.cache import BottleneckCache
from live_nst.styles.picture import crop, read_picture
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
        self._known: dict[Path, Bottleneck] = {}
        self._lock = threading.Lock()
        self.computations = 0

    def bottleneck(self, spec: StyleSpec) -> Bottleneck:
        """The bottleneck of `spec`; a mix is the weighted mean of its parts'.

        Raises:
            StyleError: A picture cannot be read.
        """
        with self._lock:
            parts = [part.weight * self._of_file(part.picture) for part in spec.parts]
        mixed: Bottleneck = np.sum(parts, axis=0, dtype=np.float32)
        return mixed

    def of_picture(self, picture: Image) -> Bottleneck:
        """The bottleneck of a picture that is in memory, BGR uint8 `[height, width, 3]`."""
        with self._lock:
            return self._of_picture(picture)

    def _of_file(self, path: Path) -> Bottleneck:
        if path not in self._known:
            self._known[path] = self._of_picture(read_picture(path))
        return self._known[path]

    def _of_picture(self, picture: Image) -> Bottleneck:
        prepared = crop(picture, self._engine.style_size)
        bottleneck = self._cache.load(prepared, self._engine.bottleneck_size)
        if bottleneck is None:
            bottleneck = self._engine.encode(prepared)
            self.computations += 1
            self._cache.store(prepared, bottleneck)
        return bottleneck

"""Bottlenecks of styles: computed once, kept in memory and on disk, compared and interpolated."""

import hashlib
import threading
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck, Engine
from live_nst.files.atomic import atomic_write
from live_nst.styles.image import read_style_image, stroke_crops
from live_nst.styles.spec import StyleSpec
from live_nst.types import Image


def interpolate_bottlenecks(first: Bottleneck, second: Bottleneck, share: float) -> Bottleneck:
    """Return the style that lies `share` (0 to 1) of the way from `first` to `second`."""
    return (first + np.float32(share) * (second - first)).astype(np.float32)


def bottleneck_distance(one: Bottleneck, other: Bottleneck) -> float:
    """Return how different two styles are: 0 for equal ones, about 1 for unrelated ones."""
    if one is other:
        return 0.0
    norm = float(np.linalg.norm(one) + np.linalg.norm(other)) / 2
    return float(np.linalg.norm(one - other)) / norm if norm > 0 else 0.0


class BottleneckCache:
    """A folder of bottlenecks on disk, by the fingerprint of the model and the content of an image.

    A damaged file, or a folder that cannot be written, only costs time.

    Args:
        root: The folder; it is created when something is stored.
        fingerprint: Identifies the model: the SHA-256 of its files.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        self._folder = root / fingerprint[:32]

    def load(self, image: Image, size: int) -> Bottleneck | None:
        """Return the bottleneck of an image, or None if it is not stored.

        Args:
            image: BGR uint8, at the style size of the model.
            size: How many numbers the bottleneck must have.
        """
        try:
            with self._path(image).open("rb") as file:
                values = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError, MemoryError):  # missing or damaged
            return None
        if values.dtype != np.float32 or values.shape != (size,) or not np.isfinite(values).all():
            return None
        bottleneck: Bottleneck = values
        return bottleneck

    def store(self, image: Image, bottleneck: Bottleneck) -> None:
        """Store a bottleneck, if the folder can be written."""
        path = self._path(image)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, sync=False) as file:
                np.save(file, bottleneck)
        except OSError:
            return

    def _path(self, image: Image) -> Path:
        digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
        return self._folder / f"{digest}.npy"


class BottleneckStore:
    """Computes the bottleneck of every style at most once. Several threads may use it.

    Args:
        engine: Computes bottlenecks.
        cache: Keeps them on disk.

    Attributes:
        computations: How often the style part of the model ran.
    """

    def __init__(self, engine: Engine, cache: BottleneckCache) -> None:
        self._engine = engine
        self._cache = cache
        self._by_file: dict[tuple[Path, float], Bottleneck] = {}
        self._lock = threading.Lock()
        self.computations = 0

    def of_spec(self, spec: StyleSpec, stroke: float = 1.0) -> Bottleneck:
        """Return the bottleneck of a style; that of a mix is the weighted mean of its parts.

        Args:
            spec: The style.
            stroke: Size of its strokes; 1 is their size in the image.

        Raises:
            StyleError: An image cannot be read.
        """
        with self._lock:
            parts = [part.weight * self._of_file(part.path, stroke) for part in spec.parts]
        mean: Bottleneck = np.sum(parts, axis=0, dtype=np.float32)
        return mean

    def of_image(self, image: Image, stroke: float = 1.0) -> Bottleneck:
        """Return the bottleneck of an image in memory, BGR uint8 `[height, width, 3]`."""
        with self._lock:
            return self._of_image(image, stroke)

    def _of_file(self, path: Path, stroke: float) -> Bottleneck:
        if (path, stroke) not in self._by_file:
            self._by_file[path, stroke] = self._of_image(read_style_image(path), stroke)
        return self._by_file[path, stroke]

    def _of_image(self, image: Image, stroke: float) -> Bottleneck:
        crops = stroke_crops(image, self._engine.style_size, stroke)
        mean: Bottleneck = np.mean([self._of_crop(c) for c in crops], axis=0, dtype=np.float32)
        return mean

    def _of_crop(self, crop: Image) -> Bottleneck:
        bottleneck = self._cache.load(crop, self._engine.bottleneck_size)
        if bottleneck is None:
            bottleneck = self._engine.encode(crop)
            self.computations += 1
            self._cache.store(crop, bottleneck)
        return bottleneck

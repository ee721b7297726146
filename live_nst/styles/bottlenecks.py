"""Bottlenecks on disk, so that a second start computes none."""

import hashlib
import os
import tempfile
import threading
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck, Engine
from live_nst.styles.image import read_style_image, stroke_crops
from live_nst.styles.spec import StyleSpec
from live_nst.types import Image


class BottleneckCache:
    """A folder of bottlenecks, keyed by a model's fingerprint and a picture's content.

    It is only an aid: what is damaged or cannot be written is computed again.

    Args:
        root: The folder; made when first written to.
        fingerprint: What tells the model from any other: its files' SHA-256.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        self._folder = root / fingerprint[:32]

    def load(self, picture: Image, size: int) -> Bottleneck | None:
        """The bottleneck of `picture`, as it goes into the model; None if it is not there.

        Args:
            picture: BGR uint8, at the model's style size.
            size: How many numbers it must have.
        """
        try:
            with self._path(picture).open("rb") as file:
                values = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError, MemoryError):  # missing, or half-written by something else
            return None
        if values.dtype != np.float32 or values.shape != (size,) or not np.isfinite(values).all():
            return None
        bottleneck: Bottleneck = values
        return bottleneck

    def store(self, picture: Image, bottleneck: Bottleneck) -> None:
        """Keep a bottleneck; a folder that cannot be written is left alone."""
        path = self._path(picture)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, bottleneck)
            os.replace(temporary, path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)

    def _path(self, picture: Image) -> Path:
        digest = hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
        return self._folder / f"{digest}.npy"


class BottleneckStore:
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
            self._known[path, stroke] = self._of_picture(read_style_image(path), stroke)
        return self._known[path, stroke]

    def _of_picture(self, picture: Image, stroke: float) -> Bottleneck:
        views = [
            self._of_view(view) for view in stroke_crops(picture, self._engine.style_size, stroke)
        ]
        mean: Bottleneck = np.mean(views, axis=0, dtype=np.float32)
        return mean

    def _of_view(self, view: Image) -> Bottleneck:
        bottleneck = self._cache.load(view, self._engine.bottleneck_size)
        if bottleneck is None:
            bottleneck = self._engine.encode(view)
            self.computations += 1
            self._cache.store(view, bottleneck)
        return bottleneck

"""Bottlenecks on disk, so that a second start computes none."""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck
from live_nst.frames import Image


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

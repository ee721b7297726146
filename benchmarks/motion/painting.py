"""Sequences painted frame by frame, kept so that methods can be compared without painting again."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.photos import frames_of
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image

Film = NDArray[np.uint8]
"""`[frames, height, width, 3]`, BGR."""

SIZE = 384


class Painter:
    """Paints films with the packaged model, every frame for itself.

    Args:
        styles: Built-in styles.
        cache: A folder for what was painted before, or None.
    """

    def __init__(self, styles: Sequence[str], cache: Path | None) -> None:
        self._styles = styles
        self._cache = cache
        self._stylizer: StylizerCore | None = None

    def paint(self, name: str, frames: Sequence[Image]) -> dict[str, Film]:
        """The film in every style."""
        return {style: self._paint(name, style, frames) for style in self._styles}

    def _paint(self, name: str, style: str, frames: Sequence[Image]) -> Film:
        kept = self._cache / f"{name}-{style}.npy" if self._cache else None
        if kept and kept.exists():
            return np.load(kept)
        if self._stylizer is None:
            self._stylizer = StylizerCore("mobile", self._styles, size=SIZE, device="cpu")
        self._stylizer.select(style)
        film = np.stack([self._stylizer.network(frame).stylized for frame in frames])
        if kept:
            np.save(kept, film)
        return film

    def close(self) -> None:
        if self._stylizer is not None:
            self._stylizer.close()


def clip_frames(name: str, count: int) -> Film:
    """The first frames of a clip, at the size at which the network sees them."""
    frames = frames_of(name, count)
    height, width = frames[0].shape[:2]
    size = network_size((width, height), SIZE)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])

"""The parts of a picture in tiles: windows, statistics put together, room for what is between."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import ModelError
from live_nst.types import Size


class TileWindow(NamedTuple):
    """A part of a picture, in pixels: rows from top to bottom, columns from left to right."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, margin: int, size: Size) -> "TileWindow":
        """The window with `margin` more on each side, where the picture of `size` goes on."""
        return TileWindow(
            max(0, self.top - margin),
            min(size[1], self.bottom + margin),
            max(0, self.left - margin),
            min(size[0], self.right + margin),
        )

    def inside(self, outer: "TileWindow") -> "TileWindow":
        """The same window, counted from the corner of `outer`."""
        return TileWindow(
            self.top - outer.top,
            self.bottom - outer.top,
            self.left - outer.left,
            self.right - outer.left,
        )

    def of(self, picture: Any, scale: int = 1) -> Any:
        """A view of the window in a picture `[height, width, channels]` reduced by `scale`."""
        top, bottom, left, right = (side // scale for side in self)
        return picture[top:bottom, left:right]

    @property
    def pixels(self) -> int:
        """How many there are."""
        return (self.bottom - self.top) * (self.right - self.left)


def cut_tiles(size: Size, longest: int, multiple: int) -> Iterator[TileWindow]:
    """Cut a picture of `size` into windows of nearly equal sides, row by row.

    Args:
        size: (width, height), multiples of `multiple`.
        longest: Longest side of a window.
        multiple: What all sides and corners are multiples of.
    """
    for top, bottom in _parts(size[1], longest, multiple):
        for left, right in _parts(size[0], longest, multiple):
            yield TileWindow(top, bottom, left, right)


def _parts(length: int, longest: int, multiple: int) -> list[tuple[int, int]]:
    units = length // multiple
    count = -(-units // max(1, longest // multiple))
    edges = [multiple * (units * part // count) for part in range(count + 1)]
    return list(itertools.pairwise(edges))


class RunningMoments:
    """Mean and variance per channel of a picture that comes in pieces, in float64.

    Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for computing
    sample variances": no difference of two large sums, which would cost precision.

    Attributes:
        mean: Of what was added.
        variance: Of what was added, divided by its count.
    """

    def __init__(self) -> None:
        self._count = 0
        self.mean: NDArray[np.float64] = np.zeros(())
        self.variance: NDArray[np.float64] = np.zeros(())

    def add(self, count: int, mean: NDArray[Any], variance: NDArray[Any]) -> None:
        """Add a piece of `count` pixels with its own mean and variance."""
        share = count / (self._count + count)
        delta = mean.astype(np.float64) - self.mean
        self.variance = (
            (1 - share) * self.variance + share * variance + share * (1 - share) * delta**2
        )
        self.mean = self.mean + share * delta
        self._count += count


def room(shape: tuple[int, ...], *, on_disk: bool) -> NDArray[np.float32]:
    """An array to be filled, in memory or in a temporary file that vanishes with it.

    Raises:
        ModelError: There is no room.
    """
    size = 4 * int(np.prod(shape))
    try:
        if not on_disk:
            return np.empty(shape, np.float32)
        with tempfile.TemporaryFile() as file:
            # A mapped file that meets a full disk later kills the process: ask for all of it now.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            elif shutil.disk_usage(tempfile.gettempdir()).free < size:
                raise OSError("the disk is full")
            return np.memmap(file, np.float32, "w+", shape=shape)
    except (OSError, MemoryError) as exc:
        place = f"in {tempfile.gettempdir()}" if on_disk else "in memory"
        raise ModelError(
            f"The picture needs {size / 1e9:.1f} GB {place}, which are not there.",
            "choose a smaller --size, or name a larger folder in TMPDIR",
        ) from exc

"""Cut an image into tiles."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

from live_nst.types import Size


class TileWindow(NamedTuple):
    """A part of an image in pixels: rows from top to bottom, columns from left to right."""

    top: int
    bottom: int
    left: int
    right: int

    def surroundings(self, margin: int, size: Size, image_size: Size) -> "TileWindow":
        """Return a window of `size` within the image that holds this one.

        It reaches at least `margin` pixels further to each side, or up to the image's edge.
        """
        left = max(0, min(self.left - margin, image_size[0] - size[0]))
        top = max(0, min(self.top - margin, image_size[1] - size[1]))
        return TileWindow(top, top + size[1], left, left + size[0])

    def inside(self, outer: "TileWindow") -> "TileWindow":
        """Return the same window, counted from the corner of `outer`."""
        return TileWindow(
            self.top - outer.top,
            self.bottom - outer.top,
            self.left - outer.left,
            self.right - outer.left,
        )

    def of(self, image: NDArray[Any], scale: int = 1) -> NDArray[Any]:
        """Return a view of the window in `[height, width, channels]`, downscaled by `scale`."""
        top, bottom, left, right = (side // scale for side in self)
        return image[top:bottom, left:right]


def cut_tiles(size: Size, longest: int, multiple: int) -> Iterator[TileWindow]:
    """Cut an image into windows of nearly equal size, row by row.

    Args:
        size: (width, height), multiples of `multiple`.
        longest: Longest side of a window.
        multiple: All edges are multiples of this.
    """
    for top, bottom in _split_length(size[1], longest, multiple):
        for left, right in _split_length(size[0], longest, multiple):
            yield TileWindow(top, bottom, left, right)


def _split_length(length: int, longest: int, multiple: int) -> list[tuple[int, int]]:
    units = length // multiple
    count = math.ceil(units / max(1, longest // multiple))
    edges = [multiple * (units * part // count) for part in range(count + 1)]
    return list(itertools.pairwise(edges))

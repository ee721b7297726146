"""A picture in overlapping tiles whose features, put together, are exactly the picture's."""

from dataclasses import dataclass
from itertools import pairwise

from live_nst.objective.network import MIN_SIDE


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one axis, in pixels: what it answers for, and what it must see for that.

    Attributes:
        start, stop: The core. It begins and ends at multiples of 16, or at the picture's end.
        outer_start, outer_stop: The core and its surroundings, within the picture.
    """

    start: int
    stop: int
    outer_start: int
    outer_stop: int

    @property
    def outer(self) -> slice:
        """Where the tile lies in the picture."""
        return slice(self.outer_start, self.outer_stop)

    def core(self, stride: int) -> slice:
        """Where the core lies in the tile's activations, those of a layer of this stride."""
        return slice(
            (self.start - self.outer_start) // stride, (self.stop - self.outer_start) // stride
        )

    def place(self, stride: int) -> slice:
        """Where the core's activations lie in those of the whole picture."""
        return slice(self.start // stride, self.stop // stride)

    @property
    def kind(self) -> tuple[int, int, int]:
        """What tiles that can share a graph have in common."""
        return (
            self.outer_stop - self.outer_start,
            self.start - self.outer_start,
            self.stop - self.outer_start,
        )


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of a picture."""

    rows: Span
    columns: Span

    @property
    def kind(self) -> tuple[int, ...]:
        """What tiles that can share a graph have in common."""
        return *self.rows.kind, *self.columns.kind


def split(height: int, width: int, side: int, halo: int) -> list[Tile]:
    """Cut a picture into tiles.

    Args:
        height: Of the picture, in pixels.
        width: Of the picture.
        side: The longest side of a core, in pixels.
        halo: What a tile must see around its core; a multiple of 16.

    Returns:
        One tile if the picture is no larger than `side`.
    """
    columns = _spans(width, side, halo)
    return [Tile(row, column) for row in _spans(height, side, halo) for column in columns]


def _spans(length: int, side: int, halo: int) -> list[Span]:
    units = max(1, length // MIN_SIDE)
    count = min(units, -(-length // max(MIN_SIDE, side)))
    edges = [MIN_SIDE * (units * i // count) for i in range(count)] + [length]
    return [
        Span(start, stop, max(0, start - halo), min(length, stop + halo))
        for start, stop in pairwise(edges)
    ]

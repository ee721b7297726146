"""A picture in overlapping tiles whose features, put together, are exactly the picture's."""

from dataclasses import dataclass
from itertools import pairwise

import psutil

from live_nst.errors import UsageError
from live_nst.objective.image_pyramid import Size
from live_nst.objective.optimizers import count_vectors
from live_nst.objective.vgg import MIN_SIDE


@dataclass(frozen=True, slots=True)
class TileSpan:
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
class ImageTile:
    """A tile of a picture."""

    rows: TileSpan
    columns: TileSpan

    @property
    def kind(self) -> tuple[int, ...]:
        """What tiles that can share a graph have in common."""
        return *self.rows.kind, *self.columns.kind


def split_into_tiles(height: int, width: int, side: int, halo: int) -> list[ImageTile]:
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
    return [ImageTile(row, column) for row in _spans(height, side, halo) for column in columns]


def _spans(length: int, side: int, halo: int) -> list[TileSpan]:
    units = max(1, length // MIN_SIDE)
    count = min(units, -(-length // max(MIN_SIDE, side)))
    edges = [MIN_SIDE * (units * i // count) for i in range(count)] + [length]
    return [
        TileSpan(start, stop, max(0, start - halo), min(length, stop + halo))
        for start, stop in pairwise(edges)
    ]


BYTES_PER_PIXEL = 2600
"""What the loss and gradient of VGG19's five blocks take at their peak, measured at 1024x1024."""

_SHARE = 0.7  # of the memory that is free
_LEAST_TILE = 128
_GPU_TILE = 1024  # 4 GB with its halo, as a GPU is not asked how much it has


def tile_side(size: Size, halo: int, optimizer: str, device: str) -> int | None:
    """The side of the largest tiles that fit, in pixels; None if the whole picture does.

    Args:
        size: (width, height) of the picture.
        halo: What a tile sees around it, in pixels.
        optimizer: Its vectors need memory, too.
        device: TensorFlow's name of the device.

    Raises:
        UsageError: Not even the smallest tile fits.
    """
    pixels = size[0] * size[1]
    free = psutil.virtual_memory().available * _SHARE - 4 * 3 * pixels * count_vectors(optimizer)
    if not device.startswith("CPU"):
        return None if max(size) <= _GPU_TILE + 2 * halo else _GPU_TILE
    if pixels * BYTES_PER_PIXEL <= free:
        return None
    side = int(max(0.0, free / BYTES_PER_PIXEL) ** 0.5) - 2 * halo
    if side < _LEAST_TILE:
        need = 4 * 3 * pixels * count_vectors(optimizer)
        need += (_LEAST_TILE + 2 * halo) ** 2 * BYTES_PER_PIXEL
        raise UsageError(
            f"A painting of {size[0]}x{size[1]} pixels needs {need / _SHARE / 1e9:.1f} GB of free "
            "memory, which this machine has not.",
            "use a smaller --size"
            + ("" if optimizer == "adam" else ", or --optimizer adam, which keeps less"),
        )
    return side

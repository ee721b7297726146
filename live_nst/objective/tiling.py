"""Overlapping tiles whose features, joined, are exactly those of the whole image.

Gradients of VGG need 2,600 bytes per pixel, so that a large image is computed tile by tile.
"""

from dataclasses import dataclass
from itertools import pairwise

from live_nst.errors import UsageError
from live_nst.objective.optimizers import count_vectors
from live_nst.objective.vgg import MIN_SIDE
from live_nst.runtime.machine import free_memory
from live_nst.types import Size

BYTES_PER_PIXEL = 2600
"""The peak memory of VGG19's loss and gradient, measured at 1024x1024 pixels."""

_MEMORY_SHARE = 0.7  # of the free memory
_MIN_TILE = 128
_GPU_TILE = 1024  # 4 GB with its margin; TensorFlow does not tell how much memory a GPU has


@dataclass(frozen=True, slots=True)
class TileSpan:
    """One axis of a tile, in pixels: a core, and the surroundings that its features depend on.

    Attributes:
        start: Start of the core, a multiple of 16.
        stop: End of the core: a multiple of 16, or the end of the image.
        outer_start: Start of the surroundings, within the image.
        outer_stop: End of the surroundings, within the image.
    """

    start: int
    stop: int
    outer_start: int
    outer_stop: int

    @property
    def outer(self) -> slice:
        """The tile with its surroundings, in the image."""
        return slice(self.outer_start, self.outer_stop)

    def core(self, stride: int) -> slice:
        """Return the core in the tile's activations, in a layer of that stride."""
        return slice(
            (self.start - self.outer_start) // stride, (self.stop - self.outer_start) // stride
        )

    def place(self, stride: int) -> slice:
        """Return the core in the whole image's activations, in a layer of that stride."""
        return slice(self.start // stride, self.stop // stride)

    @property
    def shape(self) -> tuple[int, int, int]:
        """A key that is equal for spans that can share a TensorFlow graph."""
        return (
            self.outer_stop - self.outer_start,
            self.start - self.outer_start,
            self.stop - self.outer_start,
        )


@dataclass(frozen=True, slots=True)
class ImageTile:
    """A tile of an image."""

    rows: TileSpan
    columns: TileSpan

    @property
    def shape(self) -> tuple[int, ...]:
        """A key that is equal for tiles that can share a TensorFlow graph."""
        return *self.rows.shape, *self.columns.shape


def split_into_tiles(height: int, width: int, side: int, margin: int) -> list[ImageTile]:
    """Return the tiles of an image; a single one if the image is no larger than `side`.

    Args:
        height: Height of the image, in pixels.
        width: Width of the image, in pixels.
        side: The longest side of a core, in pixels.
        margin: Pixels around a core that its features depend on; a multiple of 16.
    """
    columns = _split_axis(width, side, margin)
    return [
        ImageTile(row, column) for row in _split_axis(height, side, margin) for column in columns
    ]


def _split_axis(length: int, side: int, margin: int) -> list[TileSpan]:
    units = max(1, length // MIN_SIDE)
    count = min(units, -(-length // max(MIN_SIDE, side)))
    edges = [MIN_SIDE * (units * i // count) for i in range(count)] + [length]
    return [
        TileSpan(start, stop, max(0, start - margin), min(length, stop + margin))
        for start, stop in pairwise(edges)
    ]


def choose_tile_side(size: Size, margin: int, optimizer: str, device: str) -> int | None:
    """Return the side of the largest tiles that fit into memory, or None if no tiles are needed.

    Args:
        size: (width, height) of the image.
        margin: Pixels around a tile that its features depend on.
        optimizer: Its vectors need memory as well.
        device: TensorFlow's name of the device.

    Raises:
        UsageError: Not even the smallest tiles fit.
    """
    if not device.startswith("CPU"):
        return None if max(size) <= _GPU_TILE + 2 * margin else _GPU_TILE
    pixels = size[0] * size[1]
    vectors = 4 * 3 * pixels * count_vectors(optimizer)  # bytes
    free = free_memory() * _MEMORY_SHARE - vectors
    if pixels * BYTES_PER_PIXEL <= free:
        return None
    side = int(max(0.0, free / BYTES_PER_PIXEL) ** 0.5) - 2 * margin
    if side < _MIN_TILE:
        need = vectors + (_MIN_TILE + 2 * margin) ** 2 * BYTES_PER_PIXEL
        raise UsageError(
            f"Not enough memory: {size[0]}x{size[1]} pixels need "
            f"{need / _MEMORY_SHARE / 1e9:.1f} GB of free memory",
            "use a smaller --size"
            + ("" if optimizer == "adam" else ", or --optimizer adam, which needs less"),
        )
    return side

"""Whether a painting fits into memory, and in tiles of which size."""

import psutil

from live_nst.errors import UsageError
from live_nst.objective.optimisers import vectors
from live_nst.objective.pyramid import Size

BYTES_PER_PIXEL = 2600
"""What the loss and gradient of VGG19's five blocks take at their peak, measured at 1024x1024."""

_SHARE = 0.7  # of the memory that is free
_LEAST_TILE = 128
_GPU_TILE = 1024  # 4 GB with its halo, as a GPU is not asked how much it has


def tile_side(size: Size, halo: int, optimiser: str, device: str) -> int | None:
    """The side of the largest tiles that fit, in pixels; None if the whole picture does.

    Args:
        size: (width, height) of the picture.
        halo: What a tile sees around it, in pixels.
        optimiser: Its vectors need memory, too.
        device: TensorFlow's name of the device.

    Raises:
        UsageError: Not even the smallest tile fits.
    """
    pixels = size[0] * size[1]
    free = psutil.virtual_memory().available * _SHARE - 4 * 3 * pixels * vectors(optimiser)
    if not device.startswith("CPU"):
        return None if max(size) <= _GPU_TILE + 2 * halo else _GPU_TILE
    if pixels * BYTES_PER_PIXEL <= free:
        return None
    side = int(max(0.0, free / BYTES_PER_PIXEL) ** 0.5) - 2 * halo
    if side < _LEAST_TILE:
        need = 4 * 3 * pixels * vectors(optimiser)
        need += (_LEAST_TILE + 2 * halo) ** 2 * BYTES_PER_PIXEL
        raise UsageError(
            f"A painting of {size[0]}x{size[1]} pixels needs {need / _SHARE / 1e9:.1f} GB of free "
            "memory, which this machine has not.",
            "use a smaller --size"
            + ("" if optimiser == "adam" else ", or --optimizer adam, which keeps less"),
        )
    return side

"""Draw a sheet of odd styles: none may leave burnt or dead areas.

    python -m benchmarks.quality.odd_styles SHEET.jpg [--models fine mobile]

A row for each style, and in it the style and, for each model, three photos painted in it. Print how
much of each painting is clipped, or flat where its photo is not.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from benchmarks.motion.footage import photo
from benchmarks.quality.models import OURS, REFERENCE, Pair, paint_at_full_strength
from benchmarks.quality.stylize import resize_to_width
from live_nst.types import Image

PHOTOS = ("astronaut", "coffee", "room")
_SIDE = 256
_CELL = (216, 162)
_CLIPPED = 2  # levels from black or white in all channels
_FLAT, _NOT_FLAT = 1.5, 8.0  # standard deviation of a block of the painting and of the photo
_BLOCK = 16


def _one_color() -> Image:
    return np.full((_SIDE, _SIDE, 3), (40, 120, 200), np.uint8)


def _black_and_white() -> Image:
    squares = np.indices((_SIDE, _SIDE)).sum(0) // 32 % 2 * 255
    return np.repeat(squares[..., None], 3, 2).astype(np.uint8)


def _noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)


def _tiny() -> Image:
    return np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)


def _line_drawing() -> Image:
    gray = cv2.cvtColor(photo("hopper"), cv2.COLOR_BGR2GRAY)
    lines = 255 - cv2.dilate(cv2.Canny(gray, 60, 140), np.ones((2, 2), np.uint8))
    return cv2.cvtColor(lines, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]


def _black() -> Image:
    return np.zeros((_SIDE, _SIDE, 3), np.uint8)


ODD_STYLES: dict[str, Callable[[], Image]] = {
    "one color": _one_color,
    "black": _black,
    "black and white": _black_and_white,
    "noise": _noise,
    "a photograph": lambda: photo("rocket"),
    "8x8 pixels": _tiny,
    "a line drawing": _line_drawing,
}


def faults(painting: Image, original: Image) -> tuple[float, float]:
    """Return which share of a painting is clipped, and which is dead.

    Args:
        painting: BGR uint8.
        original: The photo, of the same size.

    Returns:
        The share of the pixels that are black or white, and that of the blocks of 16x16 pixels
        that are flat although the photo is not.
    """
    low, high = painting.max(2) <= _CLIPPED, painting.min(2) >= 255 - _CLIPPED
    flat = (_deviations(painting) < _FLAT) & (_deviations(original) > _NOT_FLAT)
    return float((low | high).mean()), float(flat.mean())


def _deviations(image: Image) -> np.ndarray:
    """Return the standard deviation of the brightness in each block."""
    gray = image.astype(np.float32).mean(2)
    height, width = (side // _BLOCK * _BLOCK for side in gray.shape)
    blocks = gray[:height, :width].reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    return np.asarray(blocks.std((1, 3)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.odd_styles", description=__doc__
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", nargs="+", default=[*OURS, REFERENCE])
    arguments = parser.parse_args(argv)
    photos = [resize_to_width(photo(name)) for name in PHOTOS]
    styles = {name: make() for name, make in ODD_STYLES.items()}
    pairs = [
        Pair(f"{name}/{style}", image, picture)
        for style, picture in styles.items()
        for name, image in zip(PHOTOS, photos, strict=True)
    ]
    painted = {model: paint_at_full_strength(pairs, model) for model in arguments.models}
    rows = []
    for number, (name, style) in enumerate(styles.items()):
        row = [style]
        for model, images in painted.items():
            mine = images[len(photos) * number : len(photos) * (number + 1)]
            row += mine
            shares = [faults(*each) for each in zip(mine, photos, strict=True)]
            words = ", ".join(f"{clipped:.1%} / {dead:.1%}" for clipped, dead in shares)
            print(f"{name} by {model}: clipped / dead {words}")
        rows.append(np.hstack([_fit(image) for image in row]))
    sheet = np.vstack(rows)
    Pillow.fromarray(np.ascontiguousarray(sheet[..., ::-1])).save(arguments.out, quality=85)
    return 0


def _fit(image: Image) -> Image:
    cell = cv2.resize(image, _CELL, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(  # type: ignore[return-value]
        cell, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )


if __name__ == "__main__":
    raise SystemExit(main())

"""Whether anything in sight changes: while nothing does, a painting can be shown again.

A camera's noise changes every pixel of every frame, but hardly the mean of many of them. So frames
are compared cell by cell, in cells of a few hundred of a camera's pixels, with the mean of the
frames since it became still, and by as much as the noise is found to be. That mean stays as it is
while nothing changes: neither a slow motion nor a slow change of the light stays unnoticed.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image

cv: Any = cv2  # its type stubs do not know which dtypes come back

CellMeans = NDArray[np.float32]
"""`[rows, columns, 3]`, BGR, 0..255: means of parts of a frame."""

SETTLED_FRAMES = 20
"""Frames that must be still, and painted, until the average of their paintings is steady."""
REFRESH_INTERVAL = 8
"""Of so many still frames one is painted: it takes the average a little further."""

_LONG_SIDE = 80  # cells
_SAMPLES = 4  # each way, in a cell
_SIGMAS = 6.0  # of the noise, by which no cell of a still frame differs
_LEAST, _MOST = 1.5, 6.0  # levels; what differs by more is a change however strong the noise is
_AREA = 8  # cells each way, of which the mean is compared, too
_LEAST_OF_AREA = 0.6  # levels
_AREA_SIGMAS = 6.0  # noise is not quite without connection from cell to cell
_FROM_MEAN = 1.2533  # what a normal distribution's deviation is of its mean distance: sqrt(pi / 2)


class StaticScene(NamedTuple):
    """What is kept of the frames so far. Nobody writes into its array.

    Attributes:
        cells: The mean of the still frames, until it had `SETTLED`.
        noise: How far a cell of a still frame is from it, in levels, as a standard deviation.
        frames: How many frames were still, one after the other, up to `SETTLED`.
        shown: How often the last painting has been shown again.
    """

    cells: CellMeans
    noise: float
    frames: int = 0
    shown: int = 0

    @property
    def settled(self) -> bool:
        """Whether it has been still for long enough."""
        return self.frames >= SETTLED_FRAMES

    @property
    def can_reuse(self) -> bool:
        """Whether this frame looks like those before it, so that their painting may be shown."""
        return self.shown > 0


def update_static_scene(before: StaticScene | None, image: Image) -> StaticScene:
    """Compare a frame with those before it.

    Args:
        before: What the frame before gave, or None to begin.
        image: The frame, BGR uint8 `[height, width, 3]`, of any size.
    """
    now = _cells(image)
    if before is None or before.cells.shape != now.shape:
        return StaticScene(now, _MOST)
    difference = now - before.cells
    noise = _FROM_MEAN * float(np.minimum(np.abs(difference), np.float32(_MOST)).mean())
    if _differs(difference, before.noise if before.frames else noise):
        return StaticScene(now, _MOST)
    if before.settled:
        return before._replace(shown=(before.shown + 1) % REFRESH_INTERVAL)
    frames = before.frames + 1
    return StaticScene(
        before.cells + difference / np.float32(frames + 1),
        before.noise + (noise - before.noise) / frames,
        frames,
    )


def _cells(image: Image) -> CellMeans:
    """From a part of the pixels, evenly spread: reading all takes four times as long."""
    height, width = image.shape[:2]
    scale = _LONG_SIDE / max(height, width)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    samples = cv.resize(image, (_SAMPLES * columns, _SAMPLES * rows), interpolation=cv.INTER_LINEAR)
    # In float: rounded, faint noise would look like changes of a whole level.
    samples = samples.astype(np.float32)
    cells: CellMeans = cv.resize(samples, (columns, rows), interpolation=cv.INTER_AREA)
    return cells


def _differs(difference: CellMeans, noise: float) -> bool:
    """Whether a cell differs by more than noise, or a large area by more than its noise."""
    if np.abs(difference).max() > min(max(_SIGMAS * noise, _LEAST), _MOST):
        return True
    rows, columns = difference.shape[:2]
    size = max(1, columns // _AREA), max(1, rows // _AREA)
    areas = cv.resize(difference, size, interpolation=cv.INTER_AREA)
    return bool(np.abs(areas).max() > max(_AREA_SIGMAS * noise / _AREA, _LEAST_OF_AREA))

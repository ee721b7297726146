"""Static scene detection: while nothing changes, a stylized frame can be shown again.

The noise of a camera changes every pixel of every frame, but hardly the mean of many pixels. So
frames are compared cell by cell, in cells of a few hundred camera pixels, with the mean of the
frames since the scene became static; the threshold follows the measured noise. This mean is then
kept, so that neither slow motion nor a slow change of the light is missed.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image

cv: Any = cv2  # its type stubs lack the dtypes of results

CellMeans = NDArray[np.float32]
"""Means of parts of a frame: BGR float32 `[rows, columns, 3]`."""

SETTLED_FRAMES = 20
"""Number of static frames, all stylized, after which their average no longer changes visibly."""
REFRESH_INTERVAL = 8
"""One of this many static frames is stylized, which improves the average a little more."""

_LONG_SIDE = 80  # cells
_SAMPLES = 4  # per cell and direction
_CELL_SIGMAS = 6.0  # standard deviations of the noise by which no cell of a static frame differs
_MIN_THRESHOLD, _MAX_THRESHOLD = 1.5, 6.0  # uint8 values, whatever the noise
_AREA_CELLS = 8  # cells per direction in the areas whose means are compared as well
_MIN_AREA_THRESHOLD = 0.6  # uint8 values
_AREA_SIGMAS = 6.0  # as noise is slightly correlated from cell to cell
_SIGMA_PER_MEAN = 1.2533  # sqrt(pi / 2): a normal distribution's deviation per mean distance


class StaticScene(NamedTuple):
    """What is kept of the frames so far. Its array must not be modified.

    Attributes:
        cells: Mean of the static frames, up to `SETTLED_FRAMES` of them.
        noise: Standard deviation of a cell of a static frame, in uint8 values.
        frames: How many successive frames were static, up to `SETTLED_FRAMES`.
        reused: How often the last stylized frame has been shown again.
    """

    cells: CellMeans
    noise: float
    frames: int = 0
    reused: int = 0

    @property
    def settled(self) -> bool:
        """Whether the scene has been static for long enough."""
        return self.frames >= SETTLED_FRAMES

    @property
    def can_reuse(self) -> bool:
        """Whether the last stylized frame may be shown again for this frame."""
        return self.reused > 0


def update_static_scene(before: StaticScene | None, image: Image) -> StaticScene:
    """Compare a frame with the frames before it.

    Args:
        before: The result for the frame before, or None for the first frame.
        image: The frame, BGR uint8 `[height, width, 3]`, of any size.
    """
    cells = _cell_means(image)
    if before is None or before.cells.shape != cells.shape:
        return StaticScene(cells, _MAX_THRESHOLD)
    difference = cells - before.cells
    distance = np.minimum(np.abs(difference), np.float32(_MAX_THRESHOLD)).mean()
    noise = _SIGMA_PER_MEAN * float(distance)
    if _differs(difference, before.noise if before.frames else noise):
        return StaticScene(cells, _MAX_THRESHOLD)
    if before.settled:
        return before._replace(reused=(before.reused + 1) % REFRESH_INTERVAL)
    frames = before.frames + 1
    return StaticScene(
        before.cells + difference / np.float32(frames + 1),
        before.noise + (noise - before.noise) / frames,
        frames,
    )


def _cell_means(image: Image) -> CellMeans:
    """Return the means of the cells, from evenly spaced pixels: all would take 4 times longer."""
    height, width = image.shape[:2]
    scale = _LONG_SIDE / max(height, width)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    samples = cv.resize(image, (_SAMPLES * columns, _SAMPLES * rows), interpolation=cv.INTER_LINEAR)
    # In float32: rounded means would turn weak noise into changes of a whole uint8 value.
    samples = samples.astype(np.float32)
    cells: CellMeans = cv.resize(samples, (columns, rows), interpolation=cv.INTER_AREA)
    return cells


def _differs(difference: CellMeans, noise: float) -> bool:
    """Return whether a cell, or a large area, differs by more than noise."""
    threshold = min(max(_CELL_SIGMAS * noise, _MIN_THRESHOLD), _MAX_THRESHOLD)
    if np.abs(difference).max() > threshold:
        return True
    rows, columns = difference.shape[:2]
    size = max(1, columns // _AREA_CELLS), max(1, rows // _AREA_CELLS)
    areas = cv.resize(difference, size, interpolation=cv.INTER_AREA)
    area_threshold = max(_AREA_SIGMAS * noise / _AREA_CELLS, _MIN_AREA_THRESHOLD)
    return bool(np.abs(areas).max() > area_threshold)

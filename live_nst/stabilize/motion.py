"""How the picture moved from one frame to the next."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its type stubs do not know what comes back

Gray = NDArray[np.uint8]
"""`[height, width]`, 0..255."""

Flow = NDArray[np.float32]
"""`[rows, columns, 2]`: for points of one frame, how far off (x, y) they are in another."""

MotionFinder = Callable[[Gray, Gray, Flow | None], Flow]
"""From (this frame, the other frame, a first guess), both frames halved, to a new array: evenly
spaced points, as many as are found apart, and their motion in pixels of the whole frame. The guess
is what it found for the frame before, or None; it need not be right nor of the same size."""

SMALLEST = 12
"""Pixels: in a halved frame with a shorter side no motion is looked for."""

_MATCHING = 6  # steps
_WIDE = 160  # pixels; a halved frame with a longer side is halved once more


class DisMotion:
    """Dense inverse search (Kroeger et al. 2016), as OpenCV has it.

    From a guess on, only the finest scale is searched: from frame to frame motion changes little,
    so the search goes on where it ended, and finds more than one from coarse to fine each time.

    The result depends on what is given alone, not on earlier calls nor on the number of threads.
    It may be called from one thread at a time.

    Args:
        fine: Take ten times as long, and find more, without a guess.
    """

    def __init__(self, *, fine: bool = False) -> None:
        self._fine = fine
        preset = cv.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv.DISOPTICAL_FLOW_PRESET_ULTRAFAST
        self._whole, self._finest = (cv.DISOpticalFlow_create(preset) for _ in range(2))
        for search in (self._whole, self._finest):
            search.setFinestScale(0)
            if not fine:
                search.setGradientDescentIterations(_MATCHING)
        self._finest.setCoarsestScale(0)

    def __call__(self, now: Gray, then: Gray, guess: Flow | None = None) -> Flow:
        """Where the points of `now` are in `then`, both at least `SMALLEST` pixels each way."""
        flow: Flow
        if self._fine:
            flow = self._whole.calc(now, then, None)
            flow *= 2
            return flow
        scale = 2
        if max(now.shape) >= _WIDE:
            size = now.shape[1] // 2, now.shape[0] // 2
            now, then = (cv.resize(one, size, interpolation=cv.INTER_AREA) for one in (now, then))
            scale = 4
        if guess is not None and guess.shape[:2] == now.shape:
            flow = self._finest.calc(now, then, guess * np.float32(1 / scale))
        else:
            flow = self._whole.calc(now, then, None)
        flow *= scale
        return flow

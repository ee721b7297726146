"""How the picture moved from one frame to the next."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its type stubs do not know what comes back

Gray = NDArray[np.uint8]
"""`[height, width]`, 0..255."""

Flow = NDArray[np.float32]
"""`[rows, columns, 2]`: for points of one frame, how far off (x, y) they are in another."""

MotionFinder = Callable[[Gray, Gray], Flow]
"""From (this frame, the other frame), both halved, to a new array: evenly spaced points, as many
as are found apart, and their motion in pixels of the whole frame."""

SMALLEST = 12
"""Pixels: in a halved frame with a shorter side no motion is looked for."""

_MATCHING = 6  # steps
_REFINEMENTS, _RELAXATIONS = 3, 5  # they find more than the other half of the matching
_WIDE = 160  # pixels; a halved frame with a longer side is halved once more


class DisMotion:
    """Dense inverse search (Kroeger et al. 2016), as OpenCV has it, refined variationally.

    The result depends on the two pictures alone, not on earlier ones nor on the number of threads.
    It may be called from one thread at a time.

    Args:
        fine: Take ten times as long, and find more.
    """

    def __init__(self, *, fine: bool = False) -> None:
        create: Any = cv2.DISOpticalFlow_create  # type: ignore[attr-defined]
        self._refine: Any = None
        if fine:
            self._dis = create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        else:
            self._dis = create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
            self._dis.setGradientDescentIterations(_MATCHING)
            self._refine = _refinement()
        self._dis.setFinestScale(0)

    def __call__(self, now: Gray, then: Gray) -> Flow:
        """Where the points of `now` are in `then`, both at least `SMALLEST` pixels each way."""
        scale = 2
        if self._refine is not None and max(now.shape) >= _WIDE:
            size = now.shape[1] // 2, now.shape[0] // 2
            now, then = (cv.resize(one, size, interpolation=cv.INTER_AREA) for one in (now, then))
            scale = 4
        flow: Flow = self._dis.calc(now, then, None)
        if self._refine is not None:
            flow = self._refine.calc(now, then, flow)
        flow *= scale
        return flow


def _refinement() -> Any:
    """As within dense inverse search, but on its last result alone.

    On each of its scales it would take twice as long, and find no more.
    """
    refine: Any = cv.VariationalRefinement_create()
    refine.setAlpha(20.0)
    refine.setDelta(5.0)
    refine.setGamma(10.0)
    refine.setFixedPointIterations(_REFINEMENTS)
    refine.setSorIterations(_RELAXATIONS)
    return refine


@lru_cache(maxsize=8)
def positions(height: int, width: int) -> Flow:
    """Where each pixel is: `[height, width, 2]` of (x, y). Shared: nobody writes into it."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)

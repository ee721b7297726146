"""How the picture moved from one frame to the next."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""`[height, width]`, 0..255."""

Flow = NDArray[np.float32]
"""`[height, width, 2]`: for each pixel of one frame, how far off (x, y) its point is in another."""

MotionFinder = Callable[[Gray, Gray], Flow]
"""From (this frame, the other frame), both of one size, to a new array."""

SMALLEST = 16
"""Pixels: in a picture with a shorter side no motion is looked for."""

_MATCHING, _REFINEMENTS = 6, 2  # steps; refining finds more than the other half of the matching


class DisMotion:
    """Dense inverse search (Kroeger et al. 2016), as OpenCV has it, refined variationally.

    The result depends on the two pictures alone, not on earlier ones nor on the number of threads.
    It may be called from one thread at a time.

    Args:
        fine: Take ten times as long, and find more.
    """

    def __init__(self, *, fine: bool = False) -> None:
        create: Any = cv2.DISOpticalFlow_create  # type: ignore[attr-defined]
        if fine:
            self._dis = create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
            return
        self._dis = create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dis.setGradientDescentIterations(_MATCHING)
        self._dis.setVariationalRefinementIterations(_REFINEMENTS)

    def __call__(self, now: Gray, then: Gray) -> Flow:
        """Where the points of `now` are in `then`, both at least `SMALLEST` pixels each way."""
        flow: Flow = self._dis.calc(now, then, None)
        return flow


@lru_cache(maxsize=8)
def positions(height: int, width: int) -> Flow:
    """Where each pixel is: `[height, width, 2]` of (x, y). Shared: nobody writes into it."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)

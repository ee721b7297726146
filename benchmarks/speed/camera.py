"""A camera that costs nothing: prepared frames at a set rate."""

import math
from collections.abc import Sequence

from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo
from live_nst.types import Closeable, Frame, Image


class PreparedSource(Closeable):
    """Hands out prepared pictures, one after the other, as a camera's driver hands out its own.

    The demo draws its frames on the very cores that paint, so it would be measured, too.

    Args:
        images: BGR uint8 pictures of one size, shown again and again.
        fps: Frames per second; frame k is due k / fps seconds after opening. A late reader gets
            the newest frame that is due.
        clock: Gives the time, and waits.
    """

    def __init__(self, images: Sequence[Image], fps: float, clock: Clock | None = None) -> None:
        self._images = images
        self._clock = clock or SystemClock()
        height, width = images[0].shape[:2]
        self._info = SourceInfo("prepared frames", width, height, fps)
        self._next = 0
        self._closed = False
        self._start = self._clock.now()

    @property
    def info(self) -> SourceInfo:
        """What was granted: always what was asked for."""
        return self._info

    def read(self) -> Frame | None:
        """Wait for the next frame that is due; None once closed."""
        if self._closed:
            return None
        fps = self._info.fps
        now = self._clock.now()
        index = max(self._next, math.floor((now - self._start) * fps + 1e-6))
        self._clock.sleep(self._start + index / fps - now)
        self._next = index + 1
        return Frame(self._images[index % len(self._images)], index, self._clock.now())

    def close(self) -> None:
        """Give no more frames. Calling it again does nothing."""
        self._closed = True

"""The demo source: a drawn scene in place of a camera, for machines that have none."""

import math

from live_nst.errors import UsageError
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.sources.demo_video import DemoVideo
from live_nst.types import Closeable, Frame

_SIZES = (16, 8192)
_RATES = (1.0, 240.0)
# Of a frame: what rounding may take from a moment that is exactly due.
_ROUNDING = 1e-6


class DemoSource(Closeable):
    """Frames of `DemoScene` in real time, as a camera of the size and rate asked for gives them.

    Frame k is due k / fps seconds after opening and shows the scene at k / fps seconds, so what it
    shows depends on its index alone. A reader that is late gets the newest frame that is due; those
    before it are lost. It never ends by itself.

    Args:
        request: Width and height in 16..8192 pixels, 1..240 frames per second.
        clock: Gives the time, and waits.

    Raises:
        UsageError: The size or the rate is out of range.
    """

    def __init__(self, request: SourceRequest, clock: Clock | None = None) -> None:
        _check(request)
        self._clock = clock or SystemClock()
        self._info = SourceInfo("demo", request.width, request.height, request.fps)
        self._scene = DemoVideo(request.width, request.height)
        self._next = 0
        self._closed = False
        self._start = self._clock.now()

    @property
    def info(self) -> SourceInfo:
        """What was granted: always what was asked for."""
        return self._info

    def read(self) -> Frame | None:
        """Wait for the next frame that is due; None once closed.

        Its `time` is the clock's when it was due, or when it was asked for if that was later.
        """
        if self._closed:
            return None
        fps = self._info.fps
        now = self._clock.now()
        newest = math.floor((now - self._start) * fps + _ROUNDING)
        index = max(self._next, newest)
        self._clock.sleep(self._start + index / fps - now)
        self._next = index + 1
        captured = self._clock.now()
        return Frame(self._scene.image_at(index / fps), index, captured)

    def close(self) -> None:
        """Give no more frames. Calling it again does nothing."""
        self._closed = True


def _check(request: SourceRequest) -> None:
    low, high = _SIZES
    if not (low <= request.width <= high and low <= request.height <= high):
        raise UsageError(
            f"The demo cannot be {request.width}x{request.height} pixels.",
            f"Ask for {low} to {high} pixels each way, for example 1280x720.",
        )
    slow, fast = _RATES
    if not slow <= request.fps <= fast:
        raise UsageError(
            f"The demo cannot run at {request.fps:g} frames per second.",
            f"Ask for {slow:g} to {fast:g} frames per second, for example 30.",
        )

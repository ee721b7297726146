"""The demo source: a video loop in place of a camera, for machines that have none."""

from live_nst.errors import UsageError
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.sources.demo_video import DemoVideo
from live_nst.sources.pacing import FrameSchedule
from live_nst.types import Closeable, Frame

_MIN_SIDE, _MAX_SIDE = 16, 8192  # pixels
_MIN_FPS, _MAX_FPS = 1.0, 240.0


class DemoSource(Closeable):
    """Frames of `DemoVideo` in real time, at the size and rate that are asked for, without end.

    Frame k is due k / fps seconds after opening and shows the image of that moment. So an image
    depends on its index alone. A late reader gets the newest frame that is due and never the
    frames before it. Rates above the video's repeat its images.

    Args:
        request: Width and height of 16 to 8192 pixels, 1 to 240 frames per second.
        clock: Gives the time and waits.

    Raises:
        UsageError: The size or the rate is out of range.
    """

    def __init__(self, request: SourceRequest, clock: Clock | None = None) -> None:
        _check(request)
        self._clock = clock or SystemClock()
        self._info = SourceInfo("demo", request.width, request.height, request.fps)
        self._video = DemoVideo(request.width, request.height)
        self._closed = False
        self._schedule = FrameSchedule(request.fps, self._clock)

    @property
    def info(self) -> SourceInfo:
        """Exactly the size and rate that were asked for."""
        return self._info

    def read(self) -> Frame | None:
        """Wait for the next frame that is due and return it; None after `close`.

        Its `time` is the clock's when the frame was due, or at the call if that was later.
        """
        if self._closed:
            return None
        index = self._schedule.wait()
        captured = self._clock.now()
        return Frame(self._video.image_at(index / self._info.fps), index, captured)

    def close(self) -> None:
        """Close the video. Calling it again does nothing."""
        self._closed = True
        self._video.close()


def _check(request: SourceRequest) -> None:
    """Raise `UsageError` for a size or a rate that is out of range."""
    if not all(_MIN_SIDE <= side <= _MAX_SIDE for side in (request.width, request.height)):
        raise UsageError(
            f"Invalid demo size {request.width}x{request.height}",
            f"use {_MIN_SIDE} to {_MAX_SIDE} pixels for each side, for example 1280x720",
        )
    if not _MIN_FPS <= request.fps <= _MAX_FPS:
        raise UsageError(
            f"Invalid demo rate of {request.fps:g} frames per second",
            f"use {_MIN_FPS:g} to {_MAX_FPS:g}, for example 30",
        )

"""The demo's images: a short video loop that is part of the package.

`tools/draw_demo` drew and encoded it. A person talks and waves in front of a webcam, and a cat
walks by. The last frame is followed by the first without a visible cut.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from live_nst.errors import SourceError
from live_nst.runtime.pyav import open_for_reading
from live_nst.types import Closeable, Image, Size

VIDEO = Path(__file__).with_name("demo.mp4")
FPS = 30
LOOP_SECONDS = 20.0
KEYFRAME_INTERVAL = 150
"""Frames from one key frame of the video to the next."""

_FRAMES = round(FPS * LOOP_SECONDS)
# Of a frame. Rounding may put a time that is exactly due a little before its frame.
_ROUNDING = 1e-4


class DemoVideo(Closeable):
    """Images of the demo video at any size, always the same for the same time and size.

    Where the shape differs from the video's, its edges are cropped. Asking for one frame after
    the other is fastest: a step back, or a long step ahead, decodes from the last key frame.

    Args:
        width: Width of the images in pixels.
        height: Height of the images in pixels.

    Raises:
        SourceError: The video is missing from the package, or damaged.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        try:
            self._container = open_for_reading(VIDEO)
        except av.FFmpegError as exc:
            raise SourceError("the demo video cannot be read", "install live-nst again") from exc
        self._stream = self._container.streams.video[0]
        # Every further thread would delay the first frame. Two decode far more than 240 per second.
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = 2
        self._decoded: Iterator[av.VideoFrame] = self._container.decode(self._stream)
        self._number = -1
        self._frame: av.VideoFrame | None = None

    def image_at(self, seconds: float) -> Image:
        """Return the image at a time, which may lie after the end of the first loop.

        Args:
            seconds: Time from the start of the video.

        Returns:
            A new array, BGR uint8 ``[height, width, 3]``.
        """
        number = int(seconds % LOOP_SECONDS * FPS + _ROUNDING) % _FRAMES
        if self._frame is None or number != self._number:
            self._frame = self._decode(number)
        return _fit(_to_bgr(self._frame), self._size)

    def close(self) -> None:
        """Close the video. Calling it again does nothing."""
        self._container.close()

    def _decode(self, number: int) -> av.VideoFrame:
        """Return frame `number` of the video, decoding all frames before it that are needed."""
        if not self._number < number <= self._number + KEYFRAME_INTERVAL:
            # FFmpeg goes to the last key frame that is not after this time in microseconds.
            self._container.seek(round(number / FPS * 1_000_000))
            self._decoded = self._container.decode(self._stream)
        while True:
            frame = next(self._decoded)
            self._number = round(frame.time * FPS)
            if self._number == number:
                return frame


def _to_bgr(frame: av.VideoFrame) -> Image:
    # FFmpeg's own conversion makes everything about one level darker.
    image: Any = cv2.cvtColor(frame.to_ndarray(format="yuv420p"), cv2.COLOR_YUV2BGR_I420)
    return np.asarray(image, np.uint8)


def _fit(image: Image, size: Size) -> Image:
    """Return the largest centered part of `image` that has the shape of `size`, at that size."""
    height, width = image.shape[:2]
    scale = min(width / size[0], height / size[1])
    part_width, part_height = max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)
    left, top = (width - part_width) // 2, (height - part_height) // 2
    part = image[top : top + part_height, left : left + part_width]
    if (part_width, part_height) == size:
        return np.ascontiguousarray(part)
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size, interpolation=method), np.uint8)

"""The camera or screen of a browser as a source: what its page sends is decoded here.

The frames come from outside: whatever they contain, the worst that happens is that they are
refused.
"""

import time
from collections.abc import Callable

import av
import cv2
import numpy as np

from live_nst.errors import SourceError, SourceLostError
from live_nst.files.packets import packet_of
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.sources.browser_feed import BrowserFeed, BrowserInbox
from live_nst.types import Closeable, Frame, Image

MAX_PIXELS = 4096 * 2304
"""Larger frames are refused."""
_READ_SECONDS = 4.0
_MAX_BROKEN = 60  # frames in a row
_MAX_AGE = 5.0  # seconds; a capture time that is older is not believed


class BrowserSource(Closeable):
    """Frames of the page that sends its camera or screen; the newest one counts.

    It opens also while no page sends. Then `read` waits a while, and is lost. It is an
    `InterruptibleSource`.

    Args:
        inbox: Where the page's frames come from.
        request: The size that is announced until a frame comes.
    """

    def __init__(self, inbox: BrowserInbox, request: SourceRequest) -> None:
        self._inbox = inbox
        self._info = SourceInfo("browser's camera", request.width, request.height, request.fps)
        self._feed: BrowserFeed | None = None
        self._decoder: _Decoder | None = None
        self._index = -1
        self._time = 0.0
        self._closed = False

    @property
    def info(self) -> SourceInfo:
        """The size that was asked for: pages send what their camera gives."""
        return self._info

    def read(self) -> Frame | None:
        """Return the newest frame; None after `close` or `interrupt`.

        Raises:
            SourceLostError: No page sends frames, or they cannot be used.
        """
        deadline = time.monotonic() + _READ_SECONDS
        while not self._closed:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SourceLostError("no page sends its camera", "start it on the studio's page")
            if self._feed is None or self._decoder is None:
                self._feed = self._inbox.wait(left, self._has_closed)
                self._decoder = _Decoder(self._feed) if self._feed is not None else None
                continue
            decoded = self._decoder.newest(min(left, 0.5), self._has_closed)
            if decoded is not None:
                return self._as_frame(*decoded)
            if self._feed.ended:
                name, self._feed, self._decoder = self._feed.name, None, None
                raise SourceLostError(f"the {name} is gone", "start it again on the studio's page")
        return None

    def _as_frame(self, image: Image, sent: float) -> Frame:
        """Return a frame with the time of its capture, as far as that is believable."""
        now = time.monotonic()
        captured = sent if now - _MAX_AGE <= sent <= now else now
        self._time = max(captured, self._time)
        self._index += 1
        return Frame(image, self._index, self._time)

    def _has_closed(self) -> bool:
        return self._closed

    def interrupt(self) -> None:
        """Let `read` return None at once. Any thread may call this."""
        self._closed = True
        self._inbox.wake()

    def close(self) -> None:
        """Stop reading. Calling it again does nothing."""
        self._closed = True
        self._feed = self._decoder = None


class _Decoder:
    """Decodes the frames of one feed."""

    def __init__(self, feed: BrowserFeed) -> None:
        self._feed = feed
        self._context = _h264_decoder() if feed.form == "h264" else None
        self._broken = 0

    def newest(self, timeout: float, given_up: Callable[[], bool]) -> tuple[Image, float] | None:
        """Return the newest image and its time by the page; None if there is none in time."""
        newest = None
        damaged = False
        for sent in self._feed.take(timeout, given_up):
            if damaged and not sent.keyframe and self._feed.form == "h264":
                continue
            damaged = False
            try:
                image = self._decode(sent.data)
            except (av.FFmpegError, cv2.error, ValueError, MemoryError):
                self._refuse()
                damaged = True
                continue
            if image is not None:
                self._broken = 0
                newest = (image, sent.time)
                self._feed.on_decoded(sent.index)
        return newest

    def _decode(self, data: bytes) -> Image | None:
        if self._context is None:
            return _decode_jpeg(data)
        frames = self._context.decode(packet_of(data))
        if not frames:
            return None
        frame = frames[-1]
        _check_pixels(frame.width, frame.height)
        return frame.to_ndarray(format="bgr24")  # type: ignore[return-value]

    def _refuse(self) -> None:
        """Go on from the next keyframe; after many broken frames, not at all."""
        self._broken += 1
        if self._broken == _MAX_BROKEN:
            error = SourceError("the frames of the page cannot be decoded", "send JPEG instead")
            self._feed.on_refused(error)
        if self._context is not None:
            self._context = _h264_decoder()
        self._feed.restart()


def _h264_decoder() -> av.VideoCodecContext:
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, av.VideoCodecContext)
    # Frame threads would add a delay of one frame each.
    context.thread_type = "SLICE"
    context.options = {"flags": "low_delay", "max_pixels": str(MAX_PIXELS)}
    return context


def _decode_jpeg(data: bytes) -> Image:
    width, height = _jpeg_size(data)
    _check_pixels(width, height)
    image = cv2.imdecode(
        np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if image is None:
        raise ValueError("no JPEG")
    return image  # type: ignore[return-value]


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of a JPEG from its header, before anything is decoded.

    Raises:
        ValueError: It is no JPEG.
    """
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            return int.from_bytes(data[position + 7 : position + 9], "big"), height
        if marker == 0xFF or 0xD0 <= marker <= 0xD9:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    raise ValueError("no start of a frame")


def _check_pixels(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS or min(width, height) < 16:
        raise ValueError(f"{width}x{height} pixels")

"""Encode each frame once, as H.264 for all who read it: streams and the viewers of a page."""

import contextlib
import threading
import time
from collections import deque
from dataclasses import replace

import av

from live_nst.errors import StreamError
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.geometry import round_up_to_even
from live_nst.sinks.h264 import (
    SOFTWARE_ENCODER,
    EncodedFrame,
    H264Codec,
    check_bitrate,
    check_encoder,
)
from live_nst.types import Closeable, Frame, Size

__all__ = ["EncodedFrame", "EncodedReader", "VideoEncoder"]

KEYFRAME_SECONDS = 2.0
"""Between keyframes; what Twitch and YouTube ask for."""
_MIN_RESTART_SECONDS = 1.0  # between keyframes for readers that were too slow
REPEAT_SECONDS = 0.5
"""Without a new frame, until the last one is encoded again: a server takes a stream without
pictures for lost, and a new viewer of a frozen picture would see nothing."""


class VideoEncoder(Closeable):
    """A sink that encodes each frame once, for any number of readers.

    While there is no reader, nothing is encoded or converted. The first frame for the first reader
    gives the size; an odd side is padded by one pixel. Later frames of another size are scaled to
    fit, with black bars, until the last reader has left.

    While no frame comes, the last one is encoded again twice a second, by a reader that waits.

    Args:
        fps_hint: Expected frames per second, for the rate control.
        bitrate: Bits per second; None to choose it by size and rate.
        encoder: One of `h264.ENCODER_OPTIONS`.
        clock: Times the repetition; None for that of the system.

    Raises:
        StreamError: This encoder cannot be used here, or a value is out of range.
    """

    def __init__(
        self,
        fps_hint: float = 30.0,
        *,
        bitrate: int | None = None,
        encoder: str = SOFTWARE_ENCODER,
        clock: Clock | None = None,
    ) -> None:
        check_bitrate(bitrate)
        check_encoder(encoder)
        self.name = f"video encoder {encoder}"
        self.rate: float | None = None
        self.encoder = encoder
        self._fps_hint = fps_hint
        self._bitrate = bitrate
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()  # for `_readers` and what readers ask for
        self._readers: tuple[EncodedReader, ...] = ()
        self._keyframe_requested = False
        self._restart_requested = False
        self._closed = False
        self._encoding = threading.Lock()  # for what follows
        self._codec: H264Codec | None = None
        self._newest: Frame | None = None
        self._written = 0.0  # when `_newest` came or was encoded again
        self._delay = 0.0  # from the capture of `_newest` until it came

    @property
    def size(self) -> Size | None:
        """(width, height) of the encoded picture; None while nothing is encoded."""
        codec = self._codec
        return None if codec is None else codec.size

    def subscribe(self, frames: int = 60) -> "EncodedReader":
        """Return a reader that starts with the next frame, which becomes a keyframe.

        Any thread may call this. The caller closes the reader.

        Args:
            frames: How many frames may wait in it.
        """
        reader = EncodedReader(self, frames)
        with self._lock:
            if self._closed:
                reader.finish()
            else:
                self._readers = (*self._readers, reader)
                self._keyframe_requested = True
        return reader

    def request_keyframe(self) -> None:
        """Make the next frame a keyframe. Any thread may call this."""
        self._keyframe_requested = True

    def write(self, frame: Frame) -> None:
        """Encode one frame: BGR uint8 of any size.

        Raises:
            StreamError: The encoder failed, or is closed.
        """
        with self._encoding:
            if self._closed:
                raise StreamError(f"the {self.name} is closed")
            self._newest, self._written = frame, self._clock.now()
            self._delay = self._written - frame.time
            self._encode(frame)

    def close(self) -> None:
        """End all readers, after the frames that they hold. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            readers, self._readers = self._readers, ()
        for reader in readers:
            reader.finish()
        with self._encoding:
            self._codec = self._newest = None

    def _encode(self, frame: Frame) -> None:
        """Encode a frame for all readers; the caller holds `_encoding`."""
        with self._lock:
            readers, requested = self._readers, self._keyframe_requested
            self._keyframe_requested = False
        if not readers:
            self._codec = None  # the next reader gets the size of its first frame
            return
        try:
            if self._codec is None:
                size = round_up_to_even(frame.size)
                self._codec = H264Codec(self.encoder, size, self._fps_hint, self._bitrate)
            since = self._codec.seconds_since_keyframe(frame.time)
            if self._restart_requested and since >= _MIN_RESTART_SECONDS:
                self._restart_requested, requested = False, True
            encoded = self._codec.encode(frame, keyframe=requested or since >= KEYFRAME_SECONDS)
        except (av.FFmpegError, OSError, ValueError) as exc:
            raise StreamError(
                f"the {self.name} failed: {getattr(exc, 'strerror', None) or exc}",
                f"use --encoder {SOFTWARE_ENCODER}",
            ) from exc
        for each in encoded:
            for reader in readers:
                if not reader.put(each):
                    self._restart_requested = True

    def repeat(self) -> None:
        """Encode the last frame again if none came for `REPEAT_SECONDS`; called by readers."""
        with self._encoding:
            now = self._clock.now()
            if self._newest is None or self._closed or now - self._written < REPEAT_SECONDS:
                return
            self._written = now
            # An error is met by the next `write`, in the thread that reports it.
            with contextlib.suppress(StreamError):
                self._encode(replace(self._newest, time=now - self._delay))

    def remove(self, reader: "EncodedReader") -> None:
        """Forget a reader that was closed."""
        with self._lock:
            self._readers = tuple(other for other in self._readers if other is not reader)


class EncodedReader(Closeable):
    """Receives the frames of a `VideoEncoder`, from a keyframe on.

    One thread calls `get`; any thread may close it. When it is full, all frames up to the next
    keyframe are dropped, those that wait in it as well.

    Args:
        encoder: Where the frames come from.
        frames: How many frames may wait.

    Attributes:
        dropped: Number of frames that were dropped.
    """

    def __init__(self, encoder: VideoEncoder, frames: int) -> None:
        self._encoder = encoder
        self._frames: deque[EncodedFrame] = deque()
        self._limit = max(1, frames)
        self._changed = threading.Condition()
        self._waits_for_keyframe = True
        self._finished = False
        self.dropped = 0

    @property
    def closed(self) -> bool:
        """Whether no further frame will come, except those that wait."""
        return self._finished

    def get(self, timeout: float) -> EncodedFrame | None:
        """Return the next frame; None if there is none within `timeout` seconds.

        After the end it returns what is left, then None at once.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._encoder.repeat()
            left = deadline - time.monotonic()
            with self._changed:
                self._changed.wait_for(
                    lambda: self._frames or self._finished, min(left, REPEAT_SECONDS / 2)
                )
                if self._frames:
                    return self._frames.popleft()
                if self._finished or left <= REPEAT_SECONDS / 2:
                    return None

    def put(self, frame: EncodedFrame) -> bool:
        """Add a frame without blocking; return False if a keyframe is needed to go on."""
        with self._changed:
            if self._finished:
                return True
            if self._waits_for_keyframe and not frame.keyframe:
                self.dropped += 1
                return True  # it was asked for already
            if len(self._frames) >= self._limit:
                self.dropped += len(self._frames)
                self._frames.clear()
                if not frame.keyframe:
                    self.dropped += 1
                    self._waits_for_keyframe = True
                    return False
            self._waits_for_keyframe = False
            self._frames.append(frame)
            self._changed.notify()
            return True

    def finish(self) -> None:
        """Let no further frame in; called by the encoder."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stop reading; `get` then returns None. Calling it again does nothing."""
        self._encoder.remove(self)
        with self._changed:
            self._frames.clear()
        self.finish()

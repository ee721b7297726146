"""Encode each frame once, as H.264 for all who read it: streams and the viewers of a page."""

import contextlib
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from live_nst.errors import StreamError
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.geometry import letterbox, pad_to_even, round_up_to_even
from live_nst.types import Closeable, Frame, Size
from live_nst.video.color import BT709, LIMITED, ColorTags, FromBgr

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

SOFTWARE_ENCODER = "libx264"
TICKS_PER_SECOND = 90_000
KEYFRAME_SECONDS = 2.0
"""Between keyframes; what Twitch and YouTube ask for."""
_MIN_RESTART_SECONDS = 1.0  # between keyframes for readers that were too slow
REPEAT_SECONDS = 0.5
"""Without a new frame, until the last one is encoded again: a server takes a stream without
pictures for lost, and a new viewer of a frozen picture would see nothing."""
COLOR = ColorTags(BT709, LIMITED, BT709, BT709)
_TEST_SIZE = (640, 360)  # every hardware encoder takes it
_MIN_SIDE = 16  # pixels
_BITRATES = (100_000, 100_000_000)  # bits per second
_PIXELS_PER_THREAD = 1280 * 720 * 30  # per second; a frame takes a third of its time then

_COMMON = {"bf": "0", "forced-idr": "1"}
ENCODER_OPTIONS = {
    SOFTWARE_ENCODER: {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "main",
        # Keyframes are set by time and not by count, as frames come at any rate.
        "g": "1000000",
        "sc_threshold": "0",
        **_COMMON,
    },
    "h264_nvenc": {"preset": "p3", "tune": "ull", "profile": "main", "delay": "0", **_COMMON},
    "h264_qsv": {
        "preset": "veryfast",
        "profile": "main",
        "async_depth": "1",
        "bf": "0",
        "forced_idr": "1",
    },
    "h264_amf": {"usage": "ultralowlatency", "profile": "main", "bf": "0", "forced_idr": "1"},
    "h264_videotoolbox": {"realtime": "1", "profile": "main", "bf": "0"},
}
"""FFmpeg's names of the encoders, and the options that make their delay short."""


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One encoded frame.

    Attributes:
        data: One access unit of H.264 in the form of Annex B. A keyframe carries SPS and PPS.
        keyframe: Whether a decoder can start here (IDR).
        time: Capture time in seconds of `time.monotonic()`; always more than for the frame before.
        index: `Frame.index`.
        size: (width, height) of the picture in pixels, both even.
    """

    data: bytes
    keyframe: bool
    time: float
    index: int
    size: Size


class VideoEncoder(Closeable):
    """A sink that encodes each frame once, for any number of readers.

    While there is no reader, nothing is encoded or converted. The first frame for the first reader
    gives the size; an odd side is padded by one pixel. Later frames of another size are scaled to
    fit, with black bars, until the last reader has left.

    While no frame comes, the last one is encoded again twice a second, by a reader that waits.

    Args:
        fps_hint: Expected frames per second, for the rate control.
        bitrate: Bits per second; None to choose it by size and rate.
        encoder: One of `ENCODER_OPTIONS`.
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
        self._codec: _Codec | None = None
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
                self._codec = _Codec(self.encoder, size, self._fps_hint, self._bitrate)
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


class _Codec:
    """An open encoder of one size. Not thread-safe."""

    def __init__(self, name: str, size: Size, fps: float, bitrate: int | None) -> None:
        # Encoders refuse pictures of a few pixels; those are enlarged.
        self.size = max(size[0], _MIN_SIDE), max(size[1], _MIN_SIDE)
        self._context = _open_codec(name, self.size, fps, bitrate or choose_bitrate(size, fps))
        self._from_bgr = FromBgr("yuv420p", COLOR)
        self._start: float | None = None
        self._last_pts = -1
        self._keyframe_pts = 0
        self._pending: dict[int, int] = {}  # pts -> Frame.index

    def seconds_since_keyframe(self, now: float) -> float:
        if self._start is None:
            return math.inf
        return now - self._start - self._keyframe_pts / TICKS_PER_SECOND

    def encode(self, frame: Frame, *, keyframe: bool) -> list[EncodedFrame]:
        """Return the frames that are complete: usually this one."""
        if self._start is None:
            self._start = frame.time
        pts = max(round((frame.time - self._start) * TICKS_PER_SECOND), self._last_pts + 1)
        self._last_pts = pts
        picture = self._from_bgr(letterbox(pad_to_even(frame.image), self.size))
        picture.time_base, picture.pts = Fraction(1, TICKS_PER_SECOND), pts
        if keyframe:
            picture.pict_type = av.video.frame.PictureType.I
            self._keyframe_pts = pts
        self._pending[pts] = frame.index
        return [self._complete(packet) for packet in self._context.encode(picture)]

    def _complete(self, packet: "av.Packet[av.VideoStream]") -> EncodedFrame:
        assert packet.pts is not None and self._start is not None
        data = bytes(packet)
        parameters = self._context.extradata or b""
        if packet.is_keyframe and parameters and 7 not in nal_types(data):
            data = bytes(parameters) + data  # some hardware encoders send them once only
        index = self._pending.pop(packet.pts)
        seconds = self._start + packet.pts / TICKS_PER_SECOND
        return EncodedFrame(data, packet.is_keyframe, seconds, index, self.size)


def nal_types(data: bytes) -> Iterator[int]:
    """Yield the types of the NAL units in H.264 of the form of Annex B: 5 IDR, 7 SPS, 8 PPS."""
    position = data.find(b"\0\0\1")
    while 0 <= position < len(data) - 3:
        yield data[position + 3] & 0x1F
        position = data.find(b"\0\0\1", position + 3)


def choose_bitrate(size: Size, fps: float) -> int:
    """Return bits per second for a size in pixels and a frame rate.

    3.5 Mbit/s for 1280x720 at 30 fps and 6.2 Mbit/s for 1920x1080 at 60: what Twitch and YouTube
    recommend. In between it grows with the root of the pixels and slowly with the rate.
    """
    pixels = size[0] * size[1]
    rate = 3.5e6 * math.sqrt(pixels / (1280 * 720)) * (fps / 30) ** 0.25
    return int(min(max(rate, 2 * _BITRATES[0]), 20e6))


def check_bitrate(bitrate: int | None) -> None:
    """Raise a `StreamError` if bits per second are out of range; None is right."""
    if bitrate is not None and not _BITRATES[0] <= bitrate <= _BITRATES[1]:
        raise StreamError(
            f"a bitrate of {bitrate / 1e6:g} Mbit/s cannot be used",
            "use 100k to 100M, such as --bitrate 4M",
        )


def check_encoder(name: str) -> None:
    """Raise unless frames can be encoded with an encoder of `ENCODER_OPTIONS`.

    Raises:
        StreamError: It is not known, or FFmpeg or the machine lack it.
    """
    hint = f"use --encoder {SOFTWARE_ENCODER}, which works everywhere"
    if name not in ENCODER_OPTIONS:
        names = ", ".join(ENCODER_OPTIONS)
        raise StreamError(f"there is no encoder '{name}'", f"use one of {names}")
    try:
        av.codec.Codec(name, "w")
    except av.codec.codec.UnknownCodecError as exc:
        raise StreamError(f"FFmpeg has no encoder {name} on this system", hint) from exc
    if name == SOFTWARE_ENCODER:
        return
    try:
        _open_codec(name, _TEST_SIZE, 30.0, 1_000_000)
    except (av.FFmpegError, OSError, ValueError) as exc:
        raise StreamError(
            f"the encoder {name} does not work on this machine: no such hardware, or its driver "
            "is missing",
            hint,
        ) from exc


def _open_codec(name: str, size: Size, fps: float, bitrate: int) -> "VideoCodecContext":
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.framerate = Fraction(fps).limit_denominator(1001)
    context.time_base = Fraction(1, TICKS_PER_SECOND)
    context.bit_rate = bitrate
    context.colorspace, context.color_range = COLOR.matrix, COLOR.range
    context.color_primaries, context.color_trc = COLOR.primaries, COLOR.transfer
    # One second of bits bounds the size of keyframes, and so the delay that they cause.
    context.options = ENCODER_OPTIONS[name] | {"maxrate": str(bitrate), "bufsize": str(bitrate)}
    if name == SOFTWARE_ENCODER:
        load = math.ceil(size[0] * size[1] * fps / _PIXELS_PER_THREAD)
        context.thread_count = max(1, min(load, os.cpu_count() or 1, 8))
    context.open(strict=False)
    return context

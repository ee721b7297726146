"""Encode pictures as H.264 with little delay."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from live_nst.errors import StreamError
from live_nst.sinks.geometry import letterbox, pad_to_even
from live_nst.types import Frame, Size
from live_nst.video.color import BT709, LIMITED, ColorTags, FromBgr

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

SOFTWARE_ENCODER = "libx264"
TICKS_PER_SECOND = 90_000
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


class H264Codec:
    """An open encoder of one size. Not thread-safe.

    Args:
        name: One of `ENCODER_OPTIONS`.
        size: (width, height) of the pictures in pixels, both even.
        fps: Expected frames per second, for the rate control.
        bitrate: Bits per second; None to choose it by size and rate.
    """

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
        """Return the seconds from the last keyframe to a frame of the time `now`."""
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

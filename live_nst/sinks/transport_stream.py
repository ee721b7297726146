"""Put encoded pictures and sound together as MPEG-TS, in memory."""

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from live_nst.runtime.pyav import open_for_writing
from live_nst.sinks.h264 import EncodedFrame
from live_nst.sinks.sound import (
    PACKET_SAMPLES,
    SAMPLE_RATE,
    EncodedSound,
    SoundReader,
    SoundTrack,
    add_sound_stream,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_TICKS = 90_000  # per second, of MPEG-TS
_OPTIONS = {
    "flush_packets": "1",
    # Each packet of sound goes at once. Otherwise it waits for others, up to 0.35 s.
    "pes_payload_size": "0",
    "max_delay": "0",
    "max_interleave_delta": "100000",  # microseconds
}


class TransportStream:
    """Turns encoded frames into the bytes of MPEG-TS. The first one is a keyframe.

    Args:
        track: The sound; None for silence.
        fps: Expected frames per second.
    """

    def __init__(self, track: SoundTrack | None, fps: float) -> None:
        self._track = track
        self._memory = _Memory()
        self._container = open_for_writing(self._memory, format="mpegts", options=_OPTIONS)
        # Names there crash an `ffmpeg` that is linked statically, as that of imageio-ffmpeg is.
        self._container.metadata.update(service_name="", service_provider="")
        self._video = self._container.add_mux_stream(
            "h264", rate=Fraction(fps).limit_denominator(1001)
        )
        self._video.time_base = Fraction(1, _TICKS)
        self._audio = add_sound_stream(self._container)
        self._sound: SoundReader | None = None
        self._start = 0.0
        self._last_dts = -1

    def add(self, frame: EncodedFrame) -> bytes:
        """Return the bytes that follow, with the sound up to a frame."""
        if self._sound is None:
            self._start = frame.time
            self._sound = SoundReader(self._track, frame.time)
        self._mux_video(frame)
        self._mux_sound(self._sound.read(frame.time))
        return self._memory.take()

    def close(self) -> bytes:
        """Return the last bytes."""
        if self._sound is not None:
            self._container.close()
        return self._memory.take()

    def _mux_video(self, frame: EncodedFrame) -> None:
        packet = av.Packet(frame.data)
        packet.stream = self._video
        packet.time_base = Fraction(1, _TICKS)
        packet.pts = packet.dts = round((frame.time - self._start) * _TICKS)
        packet.is_keyframe = frame.keyframe
        self._container.mux(packet)

    def _mux_sound(self, sound: Iterable[EncodedSound]) -> None:
        for each in sound:
            packet = av.Packet(each.data)
            packet.stream = self._audio
            packet.time_base = Fraction(1, SAMPLE_RATE)
            dts = max(round((each.time - self._start) * SAMPLE_RATE), self._last_dts + 1)
            packet.pts = packet.dts = self._last_dts = dts
            packet.duration = PACKET_SAMPLES
            self._container.mux(packet)


class _Memory:
    """A file that hands on what is written to it."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: "ReadableBuffer") -> int:
        view = memoryview(data)
        self._data += view
        return len(view)

    def take(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data

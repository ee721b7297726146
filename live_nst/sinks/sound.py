"""Sound for streams and recordings: AAC packets with the time when each was heard.

Sound and pictures carry times of the same clock, so players show them together however long the
pictures take to paint: a reader is asked for the sound up to the time of the picture that it goes
with. Where there is no sound there is silence, so that each output always has a sound track.
"""

import functools
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext

SAMPLE_RATE = 48_000
PACKET_SAMPLES = 1024
PACKET_SECONDS = PACKET_SAMPLES / SAMPLE_RATE
BITRATE = 160_000
LATE_SECONDS = 0.5
"""How long a picture's sound is waited for. Then silence takes its place."""


@dataclass(frozen=True, slots=True)
class EncodedSound:
    """One packet of AAC: 1024 samples of stereo at 48 kHz.

    Attributes:
        data: The packet, without an ADTS header.
        time: When its first sample was heard, in seconds of `time.monotonic()`.
    """

    data: bytes
    time: float


class SoundTrack(Protocol):
    """A source of sound that any number of readers share."""

    def packets(self, after: float) -> list[EncodedSound]:
        """Return the newest packets, those that begin after a time, without waiting."""
        ...


class SoundReader:
    """Gives one output its sound: each packet once and in order, and silence where none is.

    One thread uses it.

    Args:
        track: The sound; None for silence.
        start: The time of the first picture.
    """

    def __init__(self, track: SoundTrack | None, start: float) -> None:
        self._track = track
        self._end = start  # of the last packet

    def read(self, until: float) -> list[EncodedSound]:
        """Return the packets that begin before a time and were not returned yet."""
        found: list[EncodedSound] = []
        if self._track is not None:
            for packet in self._track.packets(self._end - PACKET_SECONDS / 2):
                if packet.time >= until:
                    break
                self._fill(packet.time - PACKET_SECONDS, found)
                found.append(packet)
                self._end = packet.time + PACKET_SECONDS
        self._fill(until - (0.0 if self._track is None else LATE_SECONDS), found)
        return found

    def _fill(self, until: float, found: list[EncodedSound]) -> None:
        """Add silence that begins before a time."""
        while self._end < until:
            found.append(EncodedSound(silent_packet(), self._end))
            self._end += PACKET_SECONDS


def open_encoder() -> "AudioCodecContext":
    """Return an encoder of AAC. Its `extradata` is what players need to know before the sound."""
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = SAMPLE_RATE, "stereo", "fltp"
    context.bit_rate = BITRATE
    context.time_base = Fraction(1, SAMPLE_RATE)
    context.open()
    return context


@functools.cache
def silent_packet() -> bytes:
    """Return a packet of silence. It is the same at any place."""
    encoder = open_encoder()
    frame = av.AudioFrame.from_ndarray(
        np.zeros((2, PACKET_SAMPLES), np.float32), format="fltp", layout="stereo"
    )
    frame.sample_rate = SAMPLE_RATE
    packets: list[bytes] = []
    for number in range(4):
        frame.pts = number * PACKET_SAMPLES
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets[-1]


def add_sound_stream(container: "av.container.OutputContainer") -> "av.AudioStream":
    """Add a stream for packets of sound to a file or stream that is written."""
    # Its own encoder encodes nothing: it describes the packets.
    stream = container.add_stream("aac", rate=SAMPLE_RATE)
    stream.codec_context.layout = "stereo"
    stream.codec_context.bit_rate = BITRATE
    stream.time_base = Fraction(1, SAMPLE_RATE)
    return stream

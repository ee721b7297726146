"""Sound for streams and recordings: AAC packets with the time when each was heard.

Sound and pictures carry times of the same clock, so players show them together however long the
pictures take to paint: a reader is asked for the sound up to the time of the picture that it goes
with. Where there is no sound there is silence, so that each output always has a sound track.
"""

import functools
import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
import av.error
import numpy as np

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.filter import Graph

SAMPLE_RATE = 48_000
PACKET_SAMPLES = 1024
PACKET_SECONDS = PACKET_SAMPLES / SAMPLE_RATE
BITRATE = 160_000
_KEPT_PACKETS = int(15 / PACKET_SECONDS)
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

    def read(self, until: float, *, last: bool = False) -> list[EncodedSound]:
        """Return the packets that begin before a time and were not returned yet.

        Args:
            until: The time of the newest picture.
            last: Whether no sound is waited for any longer.
        """
        found: list[EncodedSound] = []
        if self._track is not None:
            for packet in self._track.packets(self._end - PACKET_SECONDS / 2):
                if packet.time >= until:
                    break
                self._fill(packet.time - PACKET_SECONDS / 2, found)
                found.append(packet)
                self._end = packet.time + PACKET_SECONDS
        self._fill(until - (LATE_SECONDS if self._track is not None and not last else 0.0), found)
        return found

    def _fill(self, until: float, found: list[EncodedSound]) -> None:
        """Add silence that begins before a time."""
        while self._end < until:
            found.append(EncodedSound(silent_packet(), self._end))
            self._end += PACKET_SECONDS


class SoundEncoder:
    """A `SoundTrack` that encodes samples as they come. One thread writes, any thread reads.

    Samples of any format and rate are taken. Gaps become silence; a clock of the device that runs
    fast or slow is followed by stretching the sound by less than one percent.
    """

    def __init__(self) -> None:
        self._encoder = open_encoder()
        self._graph: Graph | None = None
        self._form: tuple[object, ...] = ()
        self._base: float | None = None  # the time that counts as 0
        self._lock = threading.Lock()
        self._packets: deque[EncodedSound] = deque(maxlen=_KEPT_PACKETS)

    def packets(self, after: float) -> list[EncodedSound]:
        """Return the packets of the last 15 seconds that begin after a time."""
        found: list[EncodedSound] = []
        with self._lock:
            for packet in reversed(self._packets):
                if packet.time <= after:
                    break
                found.append(packet)
        return found[::-1]

    def write(self, frame: av.AudioFrame, time: float) -> None:
        """Encode samples.

        Args:
            frame: The samples. Its `pts` is overwritten.
            time: When the first one was heard, in seconds of `time.monotonic()`.
        """
        form = frame.format.name, frame.sample_rate, frame.layout.name
        if self._graph is None or form != self._form:
            self._graph, self._form = _resampling_graph(frame), form
        if self._base is None:
            self._base = time
        frame.time_base = Fraction(1, frame.sample_rate)
        frame.pts = round((time - self._base) * frame.sample_rate)
        self._graph.push(frame)
        while True:
            try:
                resampled = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            assert isinstance(resampled, av.AudioFrame)
            self._encode(resampled)

    def _encode(self, frame: av.AudioFrame) -> None:
        assert self._base is not None
        for packet in self._encoder.encode(frame):
            if packet.pts is not None:
                seconds = self._base + packet.pts / SAMPLE_RATE
                with self._lock:
                    self._packets.append(EncodedSound(bytes(packet), seconds))


def _resampling_graph(frame: av.AudioFrame) -> "Graph":
    """Return a graph that brings samples like those of `frame` to the form of the encoder."""
    from av.filter import Graph

    graph = Graph()
    source = graph.add_abuffer(
        format=frame.format.name,
        sample_rate=frame.sample_rate,
        layout=frame.layout.name,
        time_base=Fraction(1, frame.sample_rate),
    )
    # Differences of up to 15 ms are left alone: the times of devices jitter.
    resample = graph.add("aresample", f"{SAMPLE_RATE}:async=400:min_comp=0.015:min_hard_comp=0.08")
    form = graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo")
    sink = graph.add("abuffersink")
    source.link_to(resample)
    resample.link_to(form)
    form.link_to(sink)
    graph.configure()
    return graph


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

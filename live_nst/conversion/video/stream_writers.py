"""Turn the packets of one stream of the input into those of the output: copied or converted."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.codec.context import Flags
from av.filter import Graph

from live_nst.runtime.pyav import fraction

if TYPE_CHECKING:
    from av.container import OutputContainer

_LOWEST_RATE = 8000  # samples of a sound per second
_BIT_RATES = {"aac": 96_000, "libopus": 64_000}  # bits per second and channel
_USUAL_LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "2.1",
    4: "4.0",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}  # by number of channels
# All encoders have these. Other layouts are mixed down.
_ENCODED_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 7: "5.1", 8: "7.1"}
_MORE_LAYOUTS = {"3.0": "3.0", "5.0": "5.0", "5.0(side)": "5.0"}  # by name


class StreamWriter(ABC):
    """Makes the packets of a stream of the output from those of a stream of the input."""

    @abstractmethod
    def write(self, packet: "av.Packet[Any]") -> "Iterator[av.Packet[Any]]":
        """Yield the packets that are ready once `packet` is known.

        Args:
            packet: A packet of the input, whose times are those of the output already.
        """

    def flush(self) -> "Iterator[av.Packet[Any]]":
        """Yield the packets that are left after the last packet of the input."""
        yield from ()


class PacketCopier(StreamWriter):
    """Copies packets unchanged, except that the times of sound never go back: none stores that.

    Matroska counts milliseconds, and a packet of TrueHD is shorter: some have the same time. Their
    times are counted in samples, so that one that has to be later is not a millisecond late.

    Args:
        stream: The stream of the output.
        source: The stream of the input.
    """

    def __init__(self, stream: av.stream.Stream, source: av.stream.Stream) -> None:
        self._stream = stream
        context = source.codec_context
        self._rate = 0  # samples of sound per second
        if isinstance(context, av.AudioCodecContext):
            self._rate = context.sample_rate or _LOWEST_RATE
        self._last: int | None = None  # decoding time of the last packet, in ticks

    def write(self, packet: "av.Packet[Any]") -> "Iterator[av.Packet[Any]]":
        """Yield the packet itself."""
        if self._rate and packet.dts is not None:
            sample = self._count_samples(packet)
            if self._last is not None and packet.dts <= self._last:
                packet.dts = self._last + sample
                packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
            self._last = packet.dts
        packet.stream = self._stream
        yield packet

    def _count_samples(self, packet: "av.Packet[Any]") -> int:
        """Count the times of a packet in units that are no longer than a sample.

        Returns:
            The units in a sample, rounded up: the smallest step of an MP4.
        """
        base = fraction(packet.time_base) or Fraction(1, av.time_base)
        parts = math.ceil(base * self._rate)
        if parts > 1:
            packet.time_base = base / parts
            packet.pts = None if packet.pts is None else packet.pts * parts
            packet.dts = None if packet.dts is None else packet.dts * parts
            packet.duration = (packet.duration or 0) * parts
        return math.ceil(parts / (base * self._rate))


class AudioEncoder(StreamWriter):
    """Decodes sound and encodes it anew; gaps become silence, so that it stays in step.

    Args:
        output: The output, before its header is written.
        source: The stream of the input.
        encoder: FFmpeg's name of the encoder.

    Raises:
        ValueError: The stream cannot be decoded or encoded.
    """

    def __init__(self, output: "OutputContainer", source: av.stream.Stream, encoder: str) -> None:
        decoder: Any = source.codec_context
        channels = decoder.layout.nb_channels
        if not decoder.sample_rate or not channels:
            raise ValueError("the stream does not say how its sound is stored")
        if decoder.is_open:
            decoder.flush_buffers()
        self._decoder = decoder
        self._rate = _nearest_rate(encoder, decoder.sample_rate)
        self._layout = encoded_layout(decoder.layout)
        self.stream: Any = output.add_stream(encoder, rate=self._rate, layout=self._layout)
        self.stream.time_base = Fraction(1, self._rate)
        context = self.stream.codec_context
        context.time_base = Fraction(1, self._rate)
        context.flags |= Flags.global_header
        context.bit_rate = _BIT_RATES[encoder] * av.AudioLayout(self._layout).nb_channels
        self._context: Any = context
        self._graph: Any = None
        self._shape: tuple[Any, ...] = ()  # of the frames that the graph takes
        self._end: Fraction | None = None  # when the sound that was decoded ends, in seconds

    def write(self, packet: "av.Packet[Any]") -> "Iterator[av.Packet[Any]]":
        """Yield the encoded packets that are complete; damaged packets are skipped."""
        if self._end is None and packet.pts is not None and packet.time_base is not None:
            self._end = packet.pts * (fraction(packet.time_base) or Fraction(1))
        yield from self._encode(self._decode(packet))

    def flush(self) -> "Iterator[av.Packet[Any]]":
        """Yield the last packets."""
        yield from self._encode(self._decode(None))
        yield from self._encode_filtered(end=True)
        yield from self._packets(None)

    def _decode(self, packet: "av.Packet[Any] | None") -> "list[av.AudioFrame]":
        try:
            return list(self._decoder.decode(packet))
        except av.error.FFmpegError:
            return []

    def _encode(self, frames: "list[av.AudioFrame]") -> "Iterator[av.Packet[Any]]":
        for frame in frames:
            base = fraction(frame.time_base)
            shape = (frame.format.name, frame.layout.name, frame.sample_rate, base)
            if shape != self._shape:
                yield from self._encode_filtered(end=True)
                self._graph, self._shape = self._open_graph(frame), shape
            self._complete_time(frame)
            self._graph.push(frame)
            yield from self._encode_filtered(end=False)

    def _complete_time(self, frame: av.AudioFrame) -> None:
        """Give a frame without a time that of the end of the frame before."""
        base = fraction(frame.time_base) or Fraction(1, frame.sample_rate)
        if frame.pts is None:
            frame.pts = round((self._end or 0) / base)
        self._end = frame.pts * base + Fraction(frame.samples, frame.sample_rate)

    def _open_graph(self, frame: av.AudioFrame) -> Graph:
        graph = Graph()
        names = [("aresample", f"{self._rate}:async=1"), ("aformat", self._format())]
        last = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=layout_name(frame.layout),
            time_base=fraction(frame.time_base) or Fraction(1, frame.sample_rate),
        )
        if self._context.frame_size:
            names.append(("asetnsamples", f"n={self._context.frame_size}:p=0"))
        for name, options in [*names, ("abuffersink", None)]:
            following = graph.add(name, options)
            last.link_to(following)
            last = following
        graph.configure()
        return graph

    def _format(self) -> str:
        return (
            f"sample_fmts={self._context.format.name}:sample_rates={self._rate}:"
            f"channel_layouts={self._layout}"
        )

    def _encode_filtered(self, *, end: bool) -> "Iterator[av.Packet[Any]]":
        """Encode what the filters return; `end` makes them return all that they hold."""
        if self._graph is None:
            return
        if end:
            self._graph.push(None)
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            yield from self._packets(frame)
        if end:
            self._graph = None
            self._shape = ()

    def _packets(self, frame: "av.AudioFrame | None") -> "Iterator[av.Packet[Any]]":
        for packet in self._context.encode(frame):
            packet.stream = self.stream
            yield packet


class SubtitleConverter(StreamWriter):
    """Converts text subtitles to another form, with their styles as far as that form has them.

    Args:
        output: The output, before its header is written.
        source: The stream of the input.
        encoder: FFmpeg's name of the encoder.
    """

    def __init__(self, output: "OutputContainer", source: av.stream.Stream, encoder: str) -> None:
        decoder: Any = source.codec_context
        decoder.open(strict=False)
        self._decoder = decoder
        self.stream: Any = output.add_stream(encoder)
        context: Any = self.stream.codec_context
        context.subtitle_header = decoder.subtitle_header
        self._context = context
        base = fraction(source.time_base) or Fraction(1, 1000)
        self.stream.time_base = context.time_base = base

    def write(self, packet: "av.Packet[Any]") -> "Iterator[av.Packet[Any]]":
        """Yield the converted packet; nothing if it shows no text."""
        try:
            subtitles = self._decoder.decode2(packet)
            if subtitles is None or not len(subtitles):
                return
            converted: av.Packet[Any] = self._context.encode_subtitle(subtitles)
        except av.error.FFmpegError:
            return
        converted.pts = packet.pts if packet.pts is not None else packet.dts
        converted.dts = converted.pts
        converted.duration = packet.duration
        converted.time_base = packet.time_base
        converted.is_keyframe = True
        converted.stream = self.stream
        yield converted


def _nearest_rate(encoder: str, rate: int) -> int:
    """Return the lowest sample rate of an encoder that keeps all of `rate`, or its highest."""
    rates = sorted(av.Codec(encoder, "w").audio_rates or [rate])
    return next((each for each in rates if each >= rate), rates[-1])


def layout_name(layout: av.AudioLayout) -> str:
    """Return the name of a layout; the usual one for its number of channels if it has none."""
    unnamed = "channels" in layout.name
    return _USUAL_LAYOUTS.get(layout.nb_channels, layout.name) if unnamed else layout.name


def encoded_layout(layout: av.AudioLayout) -> str:
    """Return the name of the layout in which sound of a layout is encoded."""
    known = _MORE_LAYOUTS.get(layout_name(layout))
    return known or _ENCODED_LAYOUTS.get(layout.nb_channels, "stereo")

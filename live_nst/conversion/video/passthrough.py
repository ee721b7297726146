"""Give the packets of the streams that accompany the video their times in the output.

Their times are shifted, and they are cut where the output is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error

from live_nst.conversion.video.stream_writers import StreamWriter
from live_nst.conversion.video.timestamps import CopiedTimes, OutputSpan
from live_nst.runtime.pyav import Ratio, fraction

if TYPE_CHECKING:
    from av.container import InputContainer

# PGS: each picture has several packets, which the muxer of Matroska joins.
_JOINED_CODECS = ("pgssub",)


@dataclass(frozen=True, slots=True)
class TimedPacket:
    """A packet that is ready to be written.

    Attributes:
        time: Seconds by which packets of all streams are interleaved.
        packet: The packet.
        source: The number of its stream in the input.
        joined: Whether the muxer may join it with others.
    """

    time: float
    packet: "av.Packet[Any]"
    source: int
    joined: bool = False


class PassthroughStreams:
    """The streams of an input that accompany the video in an output.

    Args:
        source: The input, open for reading.
        span: The part of the input that the output shows.
    """

    def __init__(self, source: "InputContainer", span: OutputSpan) -> None:
        self._source = source
        self._span = span
        self._times = CopiedTimes(span.clock)
        self._last: dict[int, tuple[int, int]] = {}  # time and duration of each one's last packet

    def packets(self, writers: Mapping[int, StreamWriter]) -> Iterator[TimedPacket]:
        """Yield the packets of these streams, with their times in the output.

        Args:
            writers: What makes the packets of the output, by the stream's number in the input.
        """
        timed = [
            self._source.streams[index]
            for index in writers
            if self._source.streams[index].type != "attachment"
        ]
        if not timed:
            return
        latest = float("-inf")
        for packet in self._read(timed):
            index = packet.stream_index
            ticks = packet.dts if packet.dts is not None else packet.pts or 0
            latest = max(latest, float(ticks * _time_base(packet.time_base)))
            joined = packet.stream.codec_context.name in _JOINED_CODECS
            for written in writers[index].write(packet):
                yield TimedPacket(latest, written, index, joined)
        for stream in timed:
            for written in writers[stream.index].flush():
                yield TimedPacket(latest, written, stream.index)

    def chapters(self) -> list[Any]:
        """Return the chapters that lie in the output, with their times there."""
        span, kept = self._span, []
        for chapter in self._source.chapters():
            base = _time_base(chapter["time_base"])
            start, end = chapter["start"] * base, chapter["end"] * base
            if span.first is not None:
                start = max(start, span.first)
            if span.end is not None:
                end = min(end, span.end)
            if start < end:
                ticks = {
                    "start": max(0, round((start - span.shift) / base)),
                    "end": round((end - span.shift) / base),
                }
                kept.append({**chapter, **ticks, "time_base": base})
        return kept

    def _read(self, streams: list[av.stream.Stream]) -> "Iterator[av.Packet[Any]]":
        """Yield the packets that lie in the output, with their times there."""
        try:
            for packet in self._source.demux(streams):
                if packet.size:
                    self._complete_times(packet)
                    if self._shift(packet):
                        yield packet
        except av.error.FFmpegError:
            return  # the input ends too early here, which the reader of its frames has found

    def _complete_times(self, packet: "av.Packet[Any]") -> None:
        """Give a packet the time and duration that a file omits, by the packets before it.

        MP4 ends where its last packet ends, and players leave out one without a duration.
        """
        if packet.stream.type != "audio":
            return
        index = packet.stream_index
        last, step = self._last.get(index, (None, 0))
        begin = packet.dts if packet.dts is not None else packet.pts
        if begin is None:
            begin = packet.pts = packet.dts = 0 if last is None else last + step
        step = packet.duration or (begin - last if last is not None and begin > last else step)
        packet.duration = step
        self._last[index] = (begin, step)

    def _shift(self, packet: "av.Packet[Any]") -> bool:
        """Give a packet its time in the output; return False if it lies outside of it."""
        span, base = self._span, _time_base(packet.time_base)
        if not self._times.correct(packet):
            return False
        if packet.stream.type == "video":
            return True  # cover art has no time
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is not None:
            if span.end is not None and ticks * base >= span.end:
                return False
            if span.first is not None and ticks * base < span.first:
                end = ticks + (packet.duration or 0)
                if packet.stream.type != "subtitle" or end * base <= span.first:
                    return False
                # A subtitle that is already visible where the output begins.
                begin = round(span.first / base)
                packet.duration = end - begin
                packet.pts = packet.dts = begin
        shift = round(span.shift / base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        return True


def _time_base(value: Ratio | None) -> Fraction:
    """Return seconds per tick; FFmpeg's own unit, microseconds, where a file does not say."""
    return fraction(value) or Fraction(1, av.time_base)

"""Copy what accompanies the video: sound, subtitles, attachments, cover art and chapters.

Packets are copied unchanged; only their times are shifted, and cut where the output is.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error

from live_nst.conversion.video.codecs import Container
from live_nst.conversion.video.input_file import is_cover_art, open_video
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.timestamps import OutputSpan
from live_nst.runtime.pyav import Ratio, fraction
from live_nst.types import Notify

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

_MP4 = ("mp4", "mov")
# Metadata that muxers write by themselves.
_MUXER_METADATA = {
    "encoder", "major_brand", "minor_version", "compatible_brands", "duration", "rotate",
    "number_of_frames", "number_of_bytes", "bps", "vendor_id", "handler_name",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimedPacket:
    """A packet that is ready to be written.

    Attributes:
        time: Seconds by which packets of all streams are interleaved.
        packet: The packet.
    """

    time: float
    packet: "av.Packet[Any]"


class PassthroughStreams:
    """The streams of an input that are copied to an output.

    Args:
        info: The input's video, which is not copied.
        source: The input, open for reading.
        container: The output's container.
        span: The part of the input that the output shows.
    """

    def __init__(
        self, info: VideoInfo, source: "InputContainer", container: Container, span: OutputSpan
    ) -> None:
        self._info = info
        self._source = source
        self._container = container
        self._span = span
        self._copies: dict[int, av.stream.Stream] = {}  # output streams by index in the input

    def add_to(self, output: "OutputContainer", notify: Notify) -> None:
        """Add a stream to the output for each stream of the input that its container can store.

        Args:
            output: The output, before its header is written.
            notify: Called with a sentence about the streams that are left out.
        """
        left_out: Counter[str] = Counter()
        for stream in self._source.streams:
            if stream.index == self._info.index or _is_chapter_text(stream, self._source):
                continue
            copy = self._add_copy(output, stream)
            if copy is None:
                left_out[_stream_name(stream)] += 1
            else:
                copy.metadata.update(copied_metadata(stream.metadata))
                copy.disposition = stream.disposition
                self._copies[stream.index] = copy
        _notify_left_out(left_out, self._container, notify)

    def packets(self) -> Iterator[TimedPacket]:
        """Yield the packets of these streams, with their times in the output."""
        wanted = [self._source.streams[index] for index in self._copies]
        timed = [stream for stream in wanted if stream.type != "attachment"]
        if not timed:
            return
        latest = float("-inf")
        try:
            for packet in self._source.demux(timed):
                if packet.size and self._shift(packet):
                    ticks = packet.dts if packet.dts is not None else packet.pts or 0
                    latest = max(latest, float(ticks * _time_base(packet.time_base)))
                    packet.stream = self._copies[packet.stream_index]
                    yield TimedPacket(latest, packet)
        except av.error.FFmpegError:
            return  # the input ends too early here, which the reader of its frames has found

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

    def _add_copy(
        self, output: "OutputContainer", stream: av.stream.Stream
    ) -> av.stream.Stream | None:
        """Add a stream for the packets of `stream`; None if the container cannot store them."""
        muxer = self._container.muxer
        supported = {
            "audio": True,
            "subtitle": True,
            "attachment": muxer == "matroska",
            "video": muxer in _MP4 and is_cover_art(stream),
        }
        if not supported.get(stream.type, False):
            return None
        if stream.type != "attachment" and stream.codec_context is None:
            return None
        try:
            copy: av.stream.Stream = output.add_stream_from_template(stream, opaque=True)
        except (ValueError, av.FFmpegError):
            return None
        return copy

    def _shift(self, packet: "av.Packet[Any]") -> bool:
        """Give a packet its time in the output; return False if it lies outside of it."""
        span, base = self._span, _time_base(packet.time_base)
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


def notify_all_left_out(info: VideoInfo, container: Container, notify: Notify) -> None:
    """Report that nothing but the video is written.

    Args:
        info: The input.
        container: The output's container.
        notify: Called with a sentence, if there is anything else in the input.
    """
    with open_video(info.path) as source:
        others = [stream for stream in source.streams if stream.index != info.index]
        _notify_left_out(Counter(map(_stream_name, others)), container, notify)


def copied_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Return the metadata of a file or stream without what muxers write by themselves."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _MUXER_METADATA and not key.lower().startswith(("_statistics", "bps"))
    }


def _notify_left_out(names: Counter[str], container: Container, notify: Notify) -> None:
    if names:
        what = ", ".join(
            f"1 {name}" if number == 1 else f"{number} {name}s" for name, number in names.items()
        )
        notify(f"Left out, because {container.muxer} cannot store it: {what}")


def _is_chapter_text(stream: av.stream.Stream, source: "InputContainer") -> bool:
    """Return whether a stream of an MP4 contains the titles of chapters, which are copied."""
    is_mp4 = source.format.name.startswith("mov")
    return stream.type == "data" and is_mp4 and bool(source.chapters())


def _stream_name(stream: av.stream.Stream) -> str:
    """Return the name of a stream for people: "srt subtitle stream"."""
    codec = stream.codec_context.name if stream.codec_context is not None else ""
    known = stream.type in ("audio", "subtitle", "attachment", "video")
    kind = stream.type if known else "data"
    return f"{codec} {kind} stream" if codec and kind != "attachment" else f"{kind} stream"


def _time_base(value: Ratio | None) -> Fraction:
    """Return seconds per tick; FFmpeg's own unit, microseconds, where a file does not say."""
    return fraction(value) or Fraction(1, av.time_base)

"""From segments to the finished file: encoded frames from here, everything else from the input."""

import contextlib
import heapq
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from live_nst.conversion.video.codecs import Container, EncoderSettings
from live_nst.conversion.video.probe import VideoInfo, is_cover_art, open_video
from live_nst.conversion.video.reader import no_frames_error
from live_nst.conversion.video.segments import Segment, SegmentStore
from live_nst.errors import ConversionError
from live_nst.files.output import write_errors
from live_nst.runtime.pyav import Ratio, fraction, open_for_reading, open_for_writing

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

PASSTHROUGH_TYPES = {"audio", "subtitle", "attachment", "data", "video"}
_OUR_OWN = {
    "encoder", "major_brand", "minor_version", "compatible_brands", "duration", "rotate",
    "number_of_frames", "number_of_bytes", "bps", "vendor_id", "handler_name",
}  # fmt: skip
_SAMPLE_ENTRY = {"libx265": "hvc1", "hevc_nvenc": "hvc1"}  # what Apple's players ask for


@dataclass(frozen=True, slots=True)
class OutputSpan:
    """The part of the input that the output shows.

    Attributes:
        shift: Seconds of the input's clock at which the output begins.
        first: Seconds, by the same clock, before which nothing is copied; None to copy all.
        end: Seconds from which on nothing is copied; None to copy all.
    """

    shift: Fraction
    first: Fraction | None = None
    end: Fraction | None = None


@dataclass(frozen=True, slots=True)
class TimedPacket:
    """A packet that is ready to be written, with the time by which packets are interleaved."""

    time: float
    packet: "av.Packet[Any]"


class OutputMuxer:
    """Writes an output from segments and from what accompanies the video in the input.

    Args:
        info: The input.
        store: The segments, complete.
        encoding: How they were encoded.
        container: What is written.
        span: Which part of the input is shown.
        notify: Told what is left out.
    """

    def __init__(
        self,
        info: VideoInfo,
        store: SegmentStore,
        encoding: EncoderSettings,
        container: Container,
        span: OutputSpan,
        notify: Callable[[str], None],
    ) -> None:
        self._info = info
        self._store = store
        self._encoding = encoding
        self._container = container
        self._span = span
        self._notify = notify
        self._written: Counter[int] = Counter()

    def write(self, path: Path, tick: Callable[[], None]) -> None:
        """Write the file, read it back to see that everything is there, and flush it to the disk.

        Args:
            path: A new file.
            tick: Called every so often; what it raises ends the work.

        Raises:
            SinkError: It cannot be written.
            ConversionError: Something is missing in what was written.
        """
        with open_video(self._info.path) as source:
            with write_errors(self._store.output):
                output = open_for_writing(
                    str(path), format=self._container.muxer, options=self._muxer_options()
                )
            try:
                self._fill(output, source, tick)
            except BaseException:
                _abandon(output)
                raise
            with write_errors(self._store.output):
                output.close()
        self._check(path)
        with write_errors(self._store.output), path.open("rb+") as file:
            os.fsync(file.fileno())

    def _muxer_options(self) -> dict[str, str]:
        options = dict(self._container.options)
        if self._container.muxer in ("mp4", "mov"):
            # Where a track begins is told in these units: thousandths would move it.
            options["movie_timescale"] = str(self._encoding.time_base.denominator)
        else:
            # What comes before zero, such as the first packet of AAC, would move everything.
            options["avoid_negative_ts"] = "disabled"
        return options

    def _fill(
        self, output: "OutputContainer", source: "InputContainer", tick: Callable[[], None]
    ) -> None:
        video = self._add_video(output, source.streams[self._info.index])
        copies = self._add_companions(output, source)
        with write_errors(self._store.output):
            output.metadata.update(_own_words(source.metadata))
            output.set_chapters(self._chapters(source))
            output.start_encoding()
            extradata = bytes(video.codec_context.extradata or b"").hex()
            if self._store.segments[0].extradata != extradata:
                raise ConversionError(
                    "The encoder here is not the one that the finished segments are from",
                    "start anew with --restart",
                )
            packets = heapq.merge(
                self._frames(video), self._copied(source, copies), key=lambda each: each.time
            )
            for number, each in enumerate(packets):
                self._written[each.packet.stream_index] += 1
                output.mux(each.packet)
                if number % 256 == 0:
                    tick()

    def _add_video(self, output: "OutputContainer", template: av.stream.Stream) -> av.VideoStream:
        encoding = self._encoding
        stream = output.add_stream(
            encoding.codec.encoder, rate=encoding.rate, options=encoding.options
        )
        assert isinstance(stream, av.VideoStream)
        encoding.configure(stream.codec_context)
        stream.time_base = encoding.time_base
        tag = _SAMPLE_ENTRY.get(encoding.codec.encoder)
        if tag is not None and self._container.muxer in ("mp4", "mov"):
            stream.codec_context.codec_tag = tag
        stream.metadata.update(_own_words(template.metadata))
        stream.disposition = template.disposition
        return stream

    def _add_companions(
        self, output: "OutputContainer", source: "InputContainer"
    ) -> dict[int, av.stream.Stream]:
        """Output streams for what is copied, by the input's index; the rest is told."""
        copies: dict[int, av.stream.Stream] = {}
        left_out: Counter[str] = Counter()
        for stream in source.streams:
            if stream.index == self._info.index or _is_chapter_text(stream, source):
                continue
            copy = self._copy_of(output, stream)
            if copy is None:
                left_out[_name_of(stream)] += 1
            else:
                copy.metadata.update(_own_words(stream.metadata))
                copy.disposition = stream.disposition
                copies[stream.index] = copy
        self._tell(left_out)
        return copies

    def tell_all_left_out(self) -> None:
        """Say that nothing of what accompanies the video comes along."""
        with open_video(self._info.path) as source:
            others = [each for each in source.streams if each.index != self._info.index]
            self._tell(Counter(_name_of(each) for each in others))

    def _tell(self, left_out: Counter[str]) -> None:
        if left_out:
            what = ", ".join(_count(number, name) for name, number in left_out.items())
            self._notify(f"Left out, as {self._container.muxer} does not hold it: {what}")

    def _copy_of(
        self, output: "OutputContainer", stream: av.stream.Stream
    ) -> av.stream.Stream | None:
        """An output stream for the packets of `stream`; None if the container does not hold it."""
        if stream.type == "video" and not is_cover_art(stream):
            return None
        if stream.type == "attachment" and self._container.muxer != "matroska":
            return None
        if stream.type == "data" or stream.type not in PASSTHROUGH_TYPES:
            return None
        if stream.type == "video" and self._container.muxer not in ("mp4", "mov"):
            return None
        if stream.type != "attachment" and stream.codec_context is None:
            return None
        try:
            copy: av.stream.Stream = output.add_stream_from_template(stream, opaque=True)
        except (ValueError, av.FFmpegError):
            return None
        return copy

    def _chapters(self, source: "InputContainer") -> list[Any]:
        """The chapters that lie in the span, by the output's clock."""
        kept = []
        for chapter in source.chapters():
            base = _time_base(chapter["time_base"])
            start, end = chapter["start"] * base, chapter["end"] * base
            if self._span.first is not None:
                start = max(start, self._span.first)
            if self._span.end is not None:
                end = min(end, self._span.end)
            if start < end:
                begin = round((start - self._span.shift) / base)
                finish = round((end - self._span.shift) / base)
                kept.append({**chapter, "start": max(0, begin), "end": finish, "time_base": base})
        return kept

    def _frames(self, stream: av.VideoStream) -> Iterator[TimedPacket]:
        """The painted frames, with decoding times made anew across the segments."""
        base = self._encoding.time_base
        shift = round(self._span.shift / base)
        for packet, pts, dts, duration in timed_packets(self._store.segments, self._store.payload):
            packet.pts, packet.dts, packet.duration = pts - shift, dts - shift, duration
            packet.time_base = base
            packet.stream = stream
            yield TimedPacket(float(packet.dts * base), packet)

    def _copied(
        self, source: "InputContainer", copies: dict[int, av.stream.Stream]
    ) -> Iterator[TimedPacket]:
        """What is copied from the input, packet for packet."""
        wanted = [source.streams[index] for index in copies]
        moving = [stream for stream in wanted if stream.type != "attachment"]
        if not moving:
            return
        last = float("-inf")
        try:
            for packet in source.demux(moving):
                if not packet.size:
                    continue
                if self._place(packet):
                    ticks = packet.dts if packet.dts is not None else packet.pts or 0
                    last = max(last, float(ticks * _time_base(packet.time_base)))
                    packet.stream = copies[packet.stream_index]
                    yield TimedPacket(last, packet)
        except av.error.FFmpegError:
            return  # the input is broken off here; the reader of its frames has told

    def _place(self, packet: "av.Packet[Any]") -> bool:
        """Give a packet its time in the output; False if it lies outside of the span."""
        span, base = self._span, _time_base(packet.time_base)
        ticks = packet.pts if packet.pts is not None else packet.dts
        cover = packet.stream.type == "video"
        if ticks is not None and not cover:
            if span.end is not None and ticks * base >= span.end:
                return False
            if span.first is not None and ticks * base < span.first:
                end = (ticks + (packet.duration or 0)) * base
                if packet.stream.type != "subtitle" or end <= span.first:
                    return False
                begin = round(span.first / base)  # a subtitle that is already there
                packet.duration = ticks + (packet.duration or 0) - begin
                packet.pts = packet.dts = begin
        shift = 0 if cover else round(span.shift / base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        return True

    def _check(self, path: Path) -> None:
        """Read the file back: every packet that was written must be there.

        Raises:
            ConversionError: One is missing.
        """
        found: Counter[int] = Counter()
        try:
            with open_for_reading(str(path)) as container:
                for packet in container.demux():
                    if packet.size:
                        found[packet.stream_index] += 1
        except (OSError, ValueError) as exc:
            raise ConversionError(
                f"{self._store.output} was written, but cannot be read back", "run it again"
            ) from exc
        for index, number in self._written.items():
            if found[index] < number:
                raise ConversionError(
                    f"{self._store.output} was written, but {number - found[index]} packets are "
                    "missing in it",
                    "run it again, or choose another container",
                )


def timed_packets(
    segments: Iterable[Segment], payload: Callable[[Segment], bytes]
) -> Iterator[tuple["av.Packet[Any]", int, int, int]]:
    """The packets of all segments with pts, dts and duration in ticks of the input's clock.

    Segments are closed, so every frame of one is shown before every frame of the next. A packet's
    decoding time is the presentation time of the frame that is shown `delay` places before its
    turn: it never is later than its own, whatever the rate does.
    """
    segments = list(segments)
    delay = max(segment.reorder for segment in segments)
    shown: deque[int] = deque(maxlen=delay + 1)
    for number, segment in enumerate(segments):
        order = sorted(segment.first + packet.pts for packet in segment.packets)
        following = segments[number + 1].first if number + 1 < len(segments) else segment.end
        ends = dict(zip(order, [*order[1:], following], strict=True))
        if number == 0:
            step = (order[1] if len(order) > 1 else ends[order[0]]) - order[0]
            shown.extend(order[0] - max(1, step) * (delay - place) for place in range(delay))
        data, begin = payload(segment), 0
        for place, stored in enumerate(segment.packets):
            shown.append(order[place])
            packet: av.Packet[Any] = av.Packet(data[begin : begin + stored.size])
            begin += stored.size
            packet.is_keyframe = stored.keyframe
            pts = segment.first + stored.pts
            yield packet, pts, shown[0], max(1, ends[pts] - pts)


def _abandon(output: "OutputContainer") -> None:
    """Close a file that will not be used."""
    with contextlib.suppress(OSError, ValueError):
        output.close()


def _time_base(told: Ratio | None) -> Fraction:
    """Return seconds per tick; FFmpeg's own unit where a file does not say."""
    return fraction(told) or Fraction(1, av.time_base)


def _own_words(metadata: dict[str, str]) -> dict[str, str]:
    """What the makers of a file say, without what a muxer writes by itself."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _OUR_OWN and not key.lower().startswith(("_statistics", "bps"))
    }


def _is_chapter_text(stream: av.stream.Stream, source: "InputContainer") -> bool:
    """Whether a stream of an MP4 is but the titles of its chapters, which are copied as such."""
    return (
        stream.type == "data" and bool(source.chapters()) and source.format.name.startswith("mov")
    )


def _name_of(stream: av.stream.Stream) -> str:
    """What people call a stream: "srt subtitles"."""
    codec = stream.codec_context.name if stream.codec_context is not None else ""
    kinds = {"audio": "audio", "subtitle": "subtitle", "attachment": "attachment", "video": "video"}
    kind = kinds.get(stream.type, "data")
    return f"{codec} {kind} stream" if codec and kind != "attachment" else f"{kind} stream"


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def output_span(
    info: VideoInfo, segments: list[Segment], trimmed: bool, bounded: bool
) -> OutputSpan:
    """Which part of the input an output of these segments shows.

    Args:
        info: The input.
        segments: All of them.
        trimmed: Whether its beginning is left out: then the output begins with its first frame.
        bounded: Whether its end is left out.
    """
    if not segments:
        raise no_frames_error(info)
    first = segments[0].first * info.time_base
    end = segments[-1].end * info.time_base if bounded else None
    if trimmed:
        return OutputSpan(first, first, end)
    return OutputSpan(info.origin, None, end)

"""Join the segments of a video and the streams that accompany it into the output file."""

import contextlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from live_nst.conversion.video.codecs import Container
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.passthrough import PassthroughStreams, TimedPacket, copied_metadata
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.segments import SegmentStore, output_errors
from live_nst.conversion.video.timestamps import OutputSpan, timed_packets
from live_nst.errors import ConversionError
from live_nst.files.atomic import sync_file
from live_nst.runtime.pyav import open_for_reading, open_for_writing
from live_nst.types import Notify

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

_SAMPLE_ENTRIES = {"libx265": "hvc1", "hevc_nvenc": "hvc1"}  # Apple's players need this one
_TICK_PACKETS = 256  # packets between two calls of `tick`


class OutputMuxer:
    """Writes an output file from its segments and the input's other streams.

    Args:
        info: The input.
        store: The segments, complete.
        settings: The settings of their encoder.
        container: The output's container.
        span: The part of the input that the output shows.
        notify: Called with a sentence about the streams that are left out.
    """

    def __init__(
        self,
        info: VideoInfo,
        store: SegmentStore,
        settings: EncoderSettings,
        container: Container,
        span: OutputSpan,
        notify: Notify,
    ) -> None:
        self._info = info
        self._store = store
        self._settings = settings
        self._container = container
        self._span = span
        self._notify = notify
        self._written: Counter[int] = Counter()  # packets by stream

    def write(self, path: Path, tick: Callable[[], None]) -> None:
        """Write the file, read it back to check that it is complete, and sync it to disk.

        Args:
            path: A new file.
            tick: Called every now and then; an exception from it stops the work.

        Raises:
            SinkError: The file cannot be written.
            ConversionError: The file is not complete.
        """
        with open_video(self._info.path) as source:
            with output_errors(self._store.output):
                output = open_for_writing(
                    path, format=self._container.muxer, options=self._muxer_options()
                )
            try:
                self._write_packets(output, source, tick)
            except BaseException:
                with contextlib.suppress(OSError, ValueError):
                    output.close()
                raise
            with output_errors(self._store.output):
                output.close()
        self._check_complete(path)
        with output_errors(self._store.output):
            sync_file(path)

    def _muxer_options(self) -> dict[str, str]:
        options = dict(self._container.options)
        if self._container.muxer in ("mp4", "mov"):
            # The begin of a track is stored in these units. The default is milliseconds, which
            # would move it.
            options["movie_timescale"] = str(self._settings.time_base.denominator)
        else:
            # Otherwise a negative time, such as that of AAC's first packet, moves everything.
            options["avoid_negative_ts"] = "disabled"
        return options

    def _write_packets(
        self, output: "OutputContainer", source: "InputContainer", tick: Callable[[], None]
    ) -> None:
        video = self._add_video(output, source.streams[self._info.index])
        copied = PassthroughStreams(self._info, source, self._container, self._span)
        copied.add_to(output, self._notify)
        with output_errors(self._store.output):
            output.metadata.update(copied_metadata(source.metadata))
            output.set_chapters(copied.chapters())
            output.start_encoding()
            extradata = bytes(video.codec_context.extradata or b"").hex()
            if self._store.segments[0].extradata != extradata:
                raise ConversionError(
                    "The finished segments are from another version of the encoder",
                    "start again with --restart",
                )
            packets = heapq.merge(
                self._video_packets(video), copied.packets(), key=lambda each: each.time
            )
            for number, each in enumerate(packets):
                self._written[each.packet.stream_index] += 1
                output.mux(each.packet)
                if number % _TICK_PACKETS == 0:
                    tick()

    def _add_video(self, output: "OutputContainer", original: av.stream.Stream) -> av.VideoStream:
        """Add the stream of the stylized video, with the metadata of the original."""
        settings = self._settings
        stream = output.add_stream(
            settings.codec.encoder, rate=settings.rate, options=settings.options
        )
        assert isinstance(stream, av.VideoStream)
        settings.configure(stream.codec_context)
        stream.time_base = settings.time_base
        sample_entry = _SAMPLE_ENTRIES.get(settings.codec.encoder)
        if sample_entry is not None and self._container.muxer in ("mp4", "mov"):
            stream.codec_context.codec_tag = sample_entry
        stream.metadata.update(copied_metadata(original.metadata))
        stream.disposition = original.disposition
        return stream

    def _video_packets(self, stream: av.VideoStream) -> Iterator[TimedPacket]:
        """Yield the packets of the segments, with their times in the output."""
        base = self._settings.time_base
        shift = round(self._span.shift / base)
        for packet, pts, dts, duration in timed_packets(self._store.segments, self._store.payload):
            packet.pts, packet.dts, packet.duration = pts - shift, dts - shift, duration
            packet.time_base = base
            packet.stream = stream
            yield TimedPacket(float(packet.dts * base), packet)

    def _check_complete(self, path: Path) -> None:
        """Read the file back, and raise if a packet is missing.

        Raises:
            ConversionError: A packet is missing, or the file cannot be read.
        """
        found: Counter[int] = Counter()
        try:
            with open_for_reading(path) as container:
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

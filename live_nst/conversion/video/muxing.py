"""Join the segments of a video and the streams that accompany it into the output file."""

import errno
import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error

from live_nst.conversion.video.codecs import Container
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.output_file import (
    OutputFile,
    OutputHeader,
    close_quietly,
    open_output,
)
from live_nst.conversion.video.passthrough import PassthroughStreams, TimedPacket
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.segments import SegmentStore, output_errors
from live_nst.conversion.video.stream_plan import StreamPlan
from live_nst.conversion.video.timestamps import OutputSpan, timed_packets
from live_nst.errors import ConversionError
from live_nst.files.atomic import sync_file
from live_nst.runtime.pyav import open_for_reading
from live_nst.types import Notify

_TICK_PACKETS = 256  # packets between two calls of `tick`
# What muxers say about packets that they do not store.
_REFUSALS = (errno.EINVAL, errno.ENOSYS, errno.ERANGE)
_LAST_SYSTEM_ERROR = 4095  # FFmpeg's own errors have larger numbers


class OutputMuxer:
    """Writes an output file from its segments and the input's other streams.

    Args:
        info: The input.
        store: The segments, complete.
        settings: The settings of their encoder.
        container: The output's container.
        span: The part of the input that the output shows.
        plan: What becomes of the other streams.
        notify: Called with a sentence about packets that the container does not take.
    """

    def __init__(
        self,
        info: VideoInfo,
        store: SegmentStore,
        settings: EncoderSettings,
        container: Container,
        span: OutputSpan,
        plan: StreamPlan,
        notify: Notify,
    ) -> None:
        self._info = info
        self._store = store
        self._settings = settings
        self._container = container
        self._span = span
        self._plan = plan
        self._notify = notify
        self._written: Counter[int] = Counter()  # packets by stream
        self._joined: set[int] = set()  # streams whose packets the muxer joins
        self._refused: Counter[int] = Counter()  # packets by stream of the input

    def write(self, path: Path, tick: Callable[[], None]) -> None:
        """Write the file, read it back to check that it is complete, and sync it to disk.

        Args:
            path: A new file.
            tick: Called every now and then; an exception from it stops the work.

        Raises:
            SinkError: The file cannot be written.
            ConversionError: The container refuses the video, or the file is not complete.
        """
        with open_video(self._info.path) as source, self._write_errors():
            accompanying = PassthroughStreams(source, self._span)
            header = OutputHeader(
                self._container,
                self._settings,
                self._info.index,
                self._plan.streams,
                accompanying.chapters(),
            )
            output = open_output(path, header, source)
            try:
                self._write_packets(output, accompanying, tick)
            except BaseException:
                close_quietly(output.container)
                raise
            output.container.close()
        self._notify_refused()
        self._check_complete(path)
        with output_errors(self._store.output):
            sync_file(path)

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        """Translate what the system and the muxer raise; none of it is the input's fault."""
        with output_errors(self._store.output):
            try:
                yield
            except av.FFmpegError as exc:
                if not _is_refusal(exc):
                    raise
                raise ConversionError(
                    f"{self._store.output} cannot be written: {self._container.muxer} refuses the "
                    f"video ({(exc.strerror or str(exc)).lower()})",
                    "choose another container, such as .mkv",
                ) from exc

    def _write_packets(
        self, output: OutputFile, accompanying: PassthroughStreams, tick: Callable[[], None]
    ) -> None:
        extradata = bytes(output.video.codec_context.extradata or b"").hex()
        if self._store.segments[0].extradata != extradata:
            raise ConversionError(
                "The finished segments are from another version of the encoder",
                "start again with --restart",
            )
        packets = heapq.merge(
            self._video_packets(output.video),
            accompanying.packets(output.writers),
            key=lambda each: each.time,
        )
        for number, each in enumerate(packets):
            index = each.packet.stream_index
            try:
                output.container.mux(each.packet)
            except (av.FFmpegError, ValueError) as exc:
                if each.source == self._info.index or not _is_refusal(exc):
                    raise
                self._refused[each.source] += 1
            else:
                self._written[index] += 1
                if each.joined:
                    self._joined.add(index)
            if number % _TICK_PACKETS == 0:
                tick()

    def _video_packets(self, stream: av.VideoStream) -> Iterator[TimedPacket]:
        """Yield the packets of the segments, with their times in the output."""
        base = self._settings.time_base
        shift = round(self._span.shift / base)
        for packet, pts, dts, duration in timed_packets(self._store.segments, self._store.payload):
            packet.pts, packet.dts, packet.duration = pts - shift, dts - shift, duration
            packet.time_base = base
            packet.stream = stream
            yield TimedPacket(float(packet.dts * base), packet, self._info.index)

    def _notify_refused(self) -> None:
        """Report the packets that the muxer refused, which the trial could not foresee."""
        for index, number in self._refused.items():
            self._notify(
                f"Left out, because {self._container.muxer} refuses them: {_packets(number)} of "
                f"stream {index}, damaged or without times"
            )

    def _check_complete(self, path: Path) -> None:
        """Read the file back; raise if a frame is missing, and report other missing packets.

        Raises:
            ConversionError: A frame is missing, or the file cannot be read.
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
        # MP4 and MOV have no empty streams.
        keeps_empty = self._container.muxer not in ("mp4", "mov")
        for position, (index, number) in enumerate(sorted(self._written.items())):
            read = found[index if keeps_empty else position]
            missing = number - read
            if missing <= 0 or (read and index in self._joined):
                continue
            if index == 0:
                raise ConversionError(
                    f"{self._store.output} was written, but {_packets(missing)} are missing in it",
                    "run it again, or choose another container",
                )
            self._notify(
                f"{_packets(missing)} of stream {self._plan.streams[index - 1].index} cannot be "
                f"read back from {self._container.muxer}"
            )


def _is_refusal(exc: Exception) -> bool:
    """Return whether a muxer refuses what it was given, and the system is not to blame."""
    number = getattr(exc, "errno", None)
    return number is None or number in _REFUSALS or number > _LAST_SYSTEM_ERROR


def _packets(number: int) -> str:
    return "1 packet" if number == 1 else f"{number} packets"

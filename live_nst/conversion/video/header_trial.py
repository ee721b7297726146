"""Find out what a container takes: write a file with its header and a few packets, and read it."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from live_nst.conversion.video.output_file import (
    OutputFile,
    OutputHeader,
    PlannedStream,
    Treatment,
    close_quietly,
    open_output,
)
from live_nst.errors import SinkError
from live_nst.files.output import is_disk_full, write_error
from live_nst.runtime.pyav import fraction, open_for_reading

if TYPE_CHECKING:
    from av.container import InputContainer

_SAMPLE_PACKETS = 4  # of each stream
_MPEG_AUDIO = ("mp1", "mp2", "mp3")
_SAMPLE_BYTES = 16 << 20  # of the input that are read for them


class HeaderTrial:
    """Writes outputs of a few packets to see whether the container takes their streams.

    Args:
        source: The input, open for reading; the first packets of it are consumed.
        video: The number of the video in the input.
        folder: A folder for temporary files.

    Attributes:
        keeps_chapters: Whether the output that was tried last can store chapters.
    """

    def __init__(self, source: "InputContainer", video: int, folder: Path) -> None:
        self._source = source
        self._path = folder / "trial"
        self.keeps_chapters = True
        self._samples = _first_packets(source, video)
        self._decodable = {
            index
            for index, samples in self._samples.items()
            if _decodes(source.streams[index], [_copy(packet) for _, packet in samples])
        }

    def accepts(self, header: OutputHeader) -> bool:
        """Return whether the container takes all streams of a header, and gives them back.

        Raises:
            SinkError: The temporary file cannot be written.
        """
        try:
            output = open_output(self._path, header, self._source, fast_start=False)
            try:
                written = self._write_samples(output, header.streams)
                output.container.close()
            finally:
                close_quietly(output.container)
            self.keeps_chapters = output.keeps_chapters
            return self._encodes(header.streams, written) and self._reads_back(
                header.streams, written
            )
        except (OSError, ValueError, av.FFmpegError) as exc:
            if is_disk_full(exc):
                raise write_error(self._path, exc, error=SinkError) from exc
            return False
        finally:
            self._path.unlink(missing_ok=True)

    def _write_samples(self, output: OutputFile, streams: Sequence[PlannedStream]) -> set[int]:
        """Write the first packets; return the streams of the input that had some to write."""
        timed = [
            sample
            for planned in streams
            if planned.treatment is not Treatment.ATTACH
            for sample in self._samples.get(planned.index, [])
        ]
        written = set()
        for _, sample in sorted(timed, key=lambda each: each[0]):
            for packet in output.writers[sample.stream_index].write(_copy(sample)):
                written.add(sample.stream_index)
                output.container.mux(packet)
        for index, writer in output.writers.items():
            for packet in writer.flush():
                written.add(index)
                output.container.mux(packet)
        return written

    def _encodes(self, streams: Sequence[PlannedStream], written: set[int]) -> bool:
        """Return whether all sound that is encoded anew could be decoded."""
        return all(
            each.index in written or each.index not in self._samples
            for each in streams
            if each.treatment is Treatment.ENCODE
        )

    def _reads_back(self, streams: Sequence[PlannedStream], written: set[int]) -> bool:
        """Return whether all streams with packets are found in the file, in their order."""
        if not written:
            return True  # some containers cannot be read without any packet
        with open_for_reading(self._path) as output:
            packets: dict[int, list[av.Packet[Any]]] = {}
            for packet in _readable_packets(output):
                packets.setdefault(packet.stream_index, []).append(packet)
            found = iter(output.streams)
            for planned in streams:
                if planned.treatment is not Treatment.COPY or planned.index not in written:
                    continue
                kind = _kind(self._source.streams[planned.index])
                copy = next((stream for stream in found if _kind(stream) == kind), None)
                if copy is None:
                    return False
                # Some muxers store codecs whose decoders need more than the container keeps.
                if planned.index in self._decodable and not _decodes(
                    copy, packets.get(copy.index, [])
                ):
                    return False
        return True


def _first_packets(
    source: "InputContainer", video: int
) -> "dict[int, list[tuple[Fraction, av.Packet[Any]]]]":
    """Return the first packets of every stream but the video, with their times in seconds."""
    samples: dict[int, list[tuple[Fraction, av.Packet[Any]]]] = {}
    wanted = {
        stream.index
        for stream in source.streams
        if stream.index != video and stream.type in ("audio", "subtitle", "video")
    }
    size = 0
    for packet in _readable_packets(source):
        size += packet.size
        index = packet.stream_index
        if size > _SAMPLE_BYTES or not wanted:
            break
        if packet.size and index in wanted:
            before = samples.setdefault(index, [])
            ticks = _increasing_time(packet, before[-1][1] if before else None)
            time = ticks * (fraction(packet.time_base) or Fraction(1, av.time_base))
            before.append((time, packet))
            if len(samples[index]) == _SAMPLE_PACKETS:
                wanted.discard(index)
    return samples


def _increasing_time(packet: "av.Packet[Any]", before: "av.Packet[Any] | None") -> int:
    """Give a packet a later time than the one before, where a file does not, and return it."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    last = before.dts if before is not None else None
    if ticks is None or (last is not None and ticks <= last):
        ticks = 0 if last is None else last + 1
        packet.pts = ticks if packet.pts is None else max(packet.pts, ticks)
    packet.dts = ticks
    return ticks


def _readable_packets(source: "InputContainer") -> "Iterator[av.Packet[Any]]":
    """Yield packets up to the first error."""
    try:
        yield from source.demux()
    except av.error.FFmpegError:
        return


def _decodes(stream: av.stream.Stream, packets: "Sequence[av.Packet[Any]]") -> bool:
    """Return whether a decoder makes sound of these packets; False if they are no sound."""
    if stream.type != "audio" or stream.codec_context is None:
        return False
    decoder: Any = stream.codec_context
    try:
        for packet in [*packets, None]:
            if (packet is None or packet.size) and decoder.decode(packet):
                return True
    except (av.error.FFmpegError, ValueError):
        pass
    return False


def _copy(packet: "av.Packet[Any]") -> "av.Packet[Any]":
    """Return a packet that can be written while the original stays as it is."""
    copy: av.Packet[Any] = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
    copy.time_base = packet.time_base
    copy.is_keyframe = packet.is_keyframe
    return copy


def _kind(stream: av.stream.Stream) -> tuple[str, str]:
    """Return the type and codec of a stream; MPEG audio is one codec, as MP4 does not tell."""
    context = stream.codec_context
    name = context.codec.canonical_name if context is not None else ""
    return stream.type, "mpeg" if name in _MPEG_AUDIO else name

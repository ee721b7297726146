"""Open an output file: its video, the streams that accompany it, chapters and metadata.

The same header is written twice: before a conversion to find out whether the container takes it,
and at its end.
"""

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from live_nst.conversion.video.codecs import Container
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.stream_writers import (
    AudioEncoder,
    PacketCopier,
    StreamWriter,
    SubtitleConverter,
    layout_name,
)
from live_nst.runtime.pyav import open_for_reading, open_for_writing

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

_SAMPLE_ENTRIES = {"libx265": "hvc1", "hevc_nvenc": "hvc1"}  # Apple's players need this one
# Metadata that muxers write by themselves, or that is not true of the stylized video.
_MUXER_METADATA = {
    "encoder", "major_brand", "minor_version", "compatible_brands", "duration", "rotate",
    "number_of_frames", "number_of_bytes", "bps", "vendor_id", "handler_name", "alpha_mode",
}  # fmt: skip
_COVER_SUFFIXES = {"mjpeg": "jpg", "png": "png", "gif": "gif", "bmp": "bmp"}
_COVER_TYPES = {"jpg": "image/jpeg"}


class Treatment(Enum):
    """What is done with a stream of the input."""

    COPY = "copy"
    ENCODE = "encode"  # sound
    CONVERT = "convert"  # text subtitles
    ATTACH = "attach"  # cover art, in containers that store it as an attached file


@dataclass(frozen=True, slots=True)
class PlannedStream:
    """A stream of the input that is part of the output.

    Attributes:
        index: Its number in the input.
        treatment: What is done with it.
        encoder: FFmpeg's name of the encoder; empty if there is none.
    """

    index: int
    treatment: Treatment
    encoder: str = ""


@dataclass(frozen=True)
class OutputHeader:
    """What the header of an output is made of.

    Attributes:
        container: The container.
        settings: The settings of the video's encoder.
        video: The number of the video in the input.
        streams: The other streams, in the order of the output.
        chapters: The chapters, with their times in the output.
    """

    container: Container
    settings: EncoderSettings
    video: int
    streams: Sequence[PlannedStream] = ()
    chapters: Sequence[Any] = ()


@dataclass(frozen=True)
class OutputFile:
    """An open output whose header is written.

    Attributes:
        container: The output.
        video: The stream of the stylized video.
        writers: What makes the packets of the other streams, by their number in the input.
        keeps_chapters: Whether its chapters are stored.
    """

    container: "OutputContainer"
    video: av.VideoStream
    writers: dict[int, StreamWriter]
    keeps_chapters: bool


def open_output(
    path: Path, header: OutputHeader, source: "InputContainer", *, fast_start: bool = True
) -> OutputFile:
    """Create an output and write its header.

    Args:
        path: A new file.
        header: What it is made of.
        source: The input, open for reading.
        fast_start: Whether an MP4's index is moved to its beginning when it is closed.

    Raises:
        OSError: The file cannot be written.
        ValueError: The container refuses a stream.
    """
    try:
        return _open(path, header, source, fast_start, any_codec=False)
    except _UnlistedCodecError:
        return _open(path, header, source, fast_start, any_codec=True)


class _UnlistedCodecError(Exception):
    """PyAV does not add a stream, though the muxer may take it."""


def _open(
    path: Path, header: OutputHeader, source: "InputContainer", fast_start: bool, any_codec: bool
) -> OutputFile:
    options = _muxer_options(header, fast_start)
    if any_codec:
        # PyAV adds only streams of codecs in the muxer's list, while FFmpeg's own program leaves
        # it to the muxer: Matroska and MOV take all codecs that AVI has. `tee` has no list, but
        # does not hand on chapters.
        output = open_for_writing(_tee_slave(path, header.container.muxer, options), format="tee")
    else:
        output = open_for_writing(path, format=header.container.muxer, options=options)
    try:
        original = source.streams[header.video]
        video = _add_video(output, header, original)
        writers: dict[int, StreamWriter] = {}
        for planned in header.streams:
            stream = source.streams[planned.index]
            if planned.treatment is Treatment.ATTACH:
                _attach_cover(output, source, planned.index)
            else:
                writers[planned.index] = _add_writer(output, stream, planned)
        output.metadata.update(copied_metadata(source.metadata))
        output.set_chapters(list(header.chapters))
        output.start_encoding()
    except BaseException:
        close_quietly(output)
        raise
    return OutputFile(output, video, writers, keeps_chapters=not any_codec)


def close_quietly(output: "OutputContainer") -> None:
    """Close an output that is not needed any more, whatever state it is in."""
    with contextlib.suppress(OSError, ValueError, av.FFmpegError):
        output.close()


def copied_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Return the metadata of a file or stream without what muxers write by themselves."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _MUXER_METADATA and not key.lower().startswith(("_statistics", "bps"))
    }


def _muxer_options(header: OutputHeader, fast_start: bool) -> dict[str, str]:
    options = dict(header.container.options)
    if not fast_start:
        options.pop("movflags", None)
    if header.container.muxer in ("mp4", "mov"):
        # The begin of a track is stored in these units. The default is milliseconds, which would
        # move it.
        options["movie_timescale"] = str(header.settings.time_base.denominator)
    else:
        # Otherwise a negative time, such as that of AAC's first packet, moves everything.
        options["avoid_negative_ts"] = "disabled"
    return options


def _tee_slave(path: Path, muxer: str, options: dict[str, str]) -> str:
    """Return how the muxer `tee` is told to write one file."""
    settings = ":".join(f"{name}={value}" for name, value in {"f": muxer, **options}.items())
    name = re.sub(r"([\\'|\[\] ])", r"\\\1", os.path.abspath(path))
    return f"[{settings}]file:{name}"


def _add_video(
    output: "OutputContainer", header: OutputHeader, original: av.stream.Stream
) -> av.VideoStream:
    """Add the stream of the stylized video, with the metadata of the original."""
    settings = header.settings
    stream = output.add_stream(settings.codec.encoder, rate=settings.rate, options=settings.options)
    assert isinstance(stream, av.VideoStream)
    settings.configure(stream.codec_context)
    stream.time_base = settings.time_base
    sample_entry = _SAMPLE_ENTRIES.get(settings.codec.encoder)
    if sample_entry is not None and header.container.muxer in ("mp4", "mov"):
        stream.codec_context.codec_tag = sample_entry
    stream.metadata.update(copied_metadata(original.metadata))
    stream.disposition = original.disposition
    return stream


def _add_writer(
    output: "OutputContainer", source: av.stream.Stream, planned: PlannedStream
) -> StreamWriter:
    """Add a stream for the packets of `source`, and return what makes them."""
    writer: StreamWriter
    stream: Any
    if planned.treatment is Treatment.ENCODE:
        writer = encoder = AudioEncoder(output, source, planned.encoder)
        stream = encoder.stream
    elif planned.treatment is Treatment.CONVERT:
        writer = converter = SubtitleConverter(output, source, planned.encoder)
        stream = converter.stream
    else:
        try:
            stream = output.add_stream_from_template(source, opaque=True)
        except ValueError as exc:
            if output.format.name == "tee":
                raise
            raise _UnlistedCodecError from exc
        if isinstance(stream, av.AudioStream):
            # Some muxers need a named layout, which AVI and Matroska do not store.
            stream.codec_context.layout = layout_name(stream.codec_context.layout)
        writer = PacketCopier(stream, source)
    stream.metadata.update(copied_metadata(source.metadata))
    stream.disposition = source.disposition
    return writer


def _attach_cover(output: "OutputContainer", source: "InputContainer", index: int) -> None:
    """Attach the cover art of stream `index` as a file, which Matroska's players show."""
    stream = source.streams[index]
    with open_for_reading(source.name) as reader:
        data = next((bytes(each) for each in reader.demux(reader.streams[index]) if each.size), b"")
    suffix = _COVER_SUFFIXES.get(stream.codec_context.name, "img")
    mime_type = stream.metadata.get("mimetype") or _COVER_TYPES.get(suffix, f"image/{suffix}")
    name = stream.metadata.get("filename") or f"cover.{suffix}"
    output.add_attachment(name, mime_type, data)

"""Decide what becomes of the streams that accompany a video, before its first frame is stylized.

Only FFmpeg's muxer knows what its container takes: that depends on the codec, its parameters and
the other streams. So the output's header is written to a temporary file with the real streams.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import av

from live_nst.conversion.video.codecs import PICTURE_MUXERS, Container
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.header_trial import HeaderTrial
from live_nst.conversion.video.input_file import is_cover_art, open_video
from live_nst.conversion.video.output_file import OutputHeader, PlannedStream, Treatment
from live_nst.conversion.video.stream_writers import encoded_layout
from live_nst.errors import ConversionError
from live_nst.files.output import write_errors

if TYPE_CHECKING:
    from av.container import InputContainer

_AUDIO_ENCODERS = {"webm": "libopus"}
_SUBTITLE_ENCODERS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}
_NEW_PCM = (
    "PCM sound is copied, but players from before 2024 do not play it in .mp4, or play noise: "
    "--audio encode avoids that, and so do .mov and .mkv"
)
_CHAPTERS = (
    "Left out: the chapters, which cannot be stored together with sound of this codec: "
    "--audio encode keeps them"
)


@dataclass(frozen=True)
class StreamPlan:
    """What becomes of the streams that accompany a video.

    Attributes:
        streams: Those that are part of the output, in its order.
        notes: Sentences about all that changes or is left out.
    """

    streams: tuple[PlannedStream, ...] = ()
    notes: tuple[str, ...] = ()


def plan_streams(
    path: Path, video: int, settings: EncoderSettings, container: Container, audio: str
) -> StreamPlan:
    """Decide what becomes of every stream but the video.

    Args:
        path: The input.
        video: The number of the video in it.
        settings: The settings of the video's encoder.
        container: The output's container.
        audio: "copy" to copy sound, but encode what the container does not take; "encode" to
            encode all sound; "none" to leave it out.

    Raises:
        SourceError: The input cannot be read.
        ConversionError: The container does not take the video.
        SinkError: Temporary files cannot be written.
    """
    with (
        open_video(path) as source,
        write_errors(Path("a temporary file")),
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        header = OutputHeader(container, settings, video)
        return _Planner(source, header, audio, Path(folder)).plan()


class _Planner:
    """One call of `plan_streams`."""

    def __init__(
        self, source: "InputContainer", header: OutputHeader, audio: str, folder: Path
    ) -> None:
        self._header = header
        self._muxer = header.container.muxer
        self._audio = audio
        is_mp4 = source.format.name.startswith("mov")
        self._streams = [
            stream
            for stream in source.streams
            if stream.index != header.video
            and not (audio == "none" and stream.type == "audio")
            # The titles of chapters, which are copied.
            and not (stream.type == "data" and is_mp4 and source.chapters())
        ]
        # Matroska stores attached files behind all streams.
        self._streams.sort(key=self._is_attached)
        self._has_chapters = bool(source.chapters())
        self._trial = HeaderTrial(source, header.video, folder)

    def plan(self) -> StreamPlan:
        if self._muxer in PICTURE_MUXERS:
            notes = list(self._notes([]))
            if self._has_chapters:
                notes.append(f"Left out, because {self._muxer} cannot store them: the chapters")
            return StreamPlan(notes=tuple(notes))
        choices = [(stream, self._choices(stream)) for stream in self._streams]
        # Usually the container takes all streams as they are.
        streams = [wanted[0] for _, wanted in choices if wanted]
        if not self._trial.accepts(replace(self._header, streams=streams)):
            if not self._trial.accepts(self._header):
                encoder = self._header.settings.codec.encoder
                raise ConversionError(
                    f"{self._muxer} cannot store this video in {encoder}",
                    "choose another --codec, or another container",
                )
            streams = []
            for _, wanted in choices:
                for choice in wanted:
                    if self._trial.accepts(replace(self._header, streams=[*streams, choice])):
                        streams.append(choice)
                        break
        notes = list(self._notes(streams))
        if self._has_chapters and not self._keeps_chapters(streams):
            notes.append(_CHAPTERS)
        return StreamPlan(tuple(streams), tuple(notes))

    def _keeps_chapters(self, streams: Sequence[PlannedStream]) -> bool:
        self._trial.accepts(replace(self._header, streams=streams))
        return self._trial.keeps_chapters

    def _choices(self, stream: av.stream.Stream) -> list[PlannedStream]:
        """Return what can be done with a stream, in the order of preference."""
        copy = PlannedStream(stream.index, Treatment.COPY)
        if stream.type == "attachment":
            return [copy] if self._muxer == "matroska" else []
        if stream.codec_context is None:
            return []
        if stream.type == "audio":
            if not getattr(stream.codec_context, "sample_rate", 0):
                return []  # announced, but empty or damaged
            encoder = _AUDIO_ENCODERS.get(self._muxer, "aac")
            encode = PlannedStream(stream.index, Treatment.ENCODE, encoder)
            return [encode] if self._audio == "encode" else [copy, encode]
        if stream.type == "subtitle":
            encoder = _SUBTITLE_ENCODERS[self._muxer]
            convert = PlannedStream(stream.index, Treatment.CONVERT, encoder)
            return [copy, convert] if stream.codec_context.codec.text_sub else [copy]
        if self._is_attached(stream):
            return [PlannedStream(stream.index, Treatment.ATTACH)]
        return [copy] if is_cover_art(stream) and self._muxer in ("mp4", "mov") else []

    def _is_attached(self, stream: av.stream.Stream) -> bool:
        cover = self._muxer == "matroska" and is_cover_art(stream)
        return cover or stream.type == "attachment"

    def _notes(self, planned: Sequence[PlannedStream]) -> Iterator[str]:
        """Yield a sentence for each kind of change."""
        treatments = {each.index: each for each in planned}
        refused = f"because {self._muxer} cannot store it"
        kinds: dict[str, Counter[str]] = {}
        for stream in self._streams:
            each = treatments.get(stream.index)
            if each is None:
                silent = stream.type == "audio" and not getattr(
                    stream.codec_context, "sample_rate", 0
                )
                what = f"Left out, {'because it is empty or damaged' if silent else refused}"
            elif each.treatment is Treatment.ENCODE:
                what = self._what_is_encoded(stream, each.encoder, refused)
                if not what:
                    continue
            elif each.treatment is Treatment.CONVERT:
                what = f"Converted to {each.encoder}, {refused}"
            elif self._is_new_pcm(stream, each):
                yield _NEW_PCM
                continue
            else:
                continue
            kinds.setdefault(what, Counter())[_stream_name(stream)] += 1
        for what, names in kinds.items():
            yield f"{what}: " + ", ".join(
                f"1 {name}" if number == 1 else f"{number} {name}s"
                for name, number in names.items()
            )

    def _what_is_encoded(self, stream: av.stream.Stream, encoder: str, refused: str) -> str:
        """Return the begin of a sentence about sound that is encoded; empty if none is needed."""
        assert isinstance(stream, av.AudioStream)
        layout = stream.codec_context.layout
        target = encoded_layout(layout)
        mixed = (
            f"mixed down from {layout.nb_channels} channels to {target}"
            if av.AudioLayout(target).nb_channels < layout.nb_channels
            else ""
        )
        if self._audio != "copy":
            return mixed.capitalize()
        what = f"Encoded as {encoder.removeprefix('lib')}, {refused}"
        return f"{what}, and {mixed}" if mixed else what

    def _is_new_pcm(self, stream: av.stream.Stream, planned: PlannedStream) -> bool:
        copied = planned.treatment is Treatment.COPY and stream.type == "audio"
        return copied and self._muxer == "mp4" and stream.codec_context.name.startswith("pcm_")


def _stream_name(stream: av.stream.Stream) -> str:
    """Return the name of a stream for people: "subrip subtitle stream"."""
    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else ""
    known = stream.type in ("audio", "subtitle", "attachment", "video")
    kind = stream.type if known else "data"
    return f"{codec} {kind} stream" if codec and kind != "attachment" else f"{kind} stream"

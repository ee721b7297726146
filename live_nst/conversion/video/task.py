"""A video to convert: everything that is checked before a model is loaded."""

from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av

from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ConversionPlan
from live_nst.conversion.video.animation import DecodedAnimation, decode_animation
from live_nst.conversion.video.codecs import PICTURE_MUXERS, Codec, choose_codec, container_for
from live_nst.conversion.video.encoding import EncoderSettings, segment_frames
from live_nst.conversion.video.input_file import FileIdentity, identify_file
from live_nst.conversion.video.pauses import longest_pause, pause_note
from live_nst.conversion.video.probe import VideoInfo, probe
from live_nst.conversion.video.stream_plan import StreamPlan, plan_streams
from live_nst.conversion.video.webp import check_webp_size
from live_nst.errors import SourceError
from live_nst.runtime.machine import available_cores
from live_nst.stylizer.core import StylizerCore
from live_nst.video.color import output_color_tags

# Chunks are encoded alike on every machine. So many threads keep up with the network on 16 cores.
_CHUNK_THREADS = 4


@dataclass(frozen=True)
class VideoTask:
    """A video to convert, checked as far as that is possible without a model.

    Attributes:
        input: The input file.
        output: The output file.
        options: How it is converted.
        identity: The identity of the input file.
        info: The properties of its video.
        streams: What becomes of the input's other streams.
        animation: The input's frames, if it is a picture that FFmpeg does not read.
    """

    input: Path
    output: Path
    options: ConvertOptions
    identity: FileIdentity
    info: VideoInfo
    streams: StreamPlan
    animation: DecodedAnimation | None = None

    @classmethod
    def open(cls, input: Path, output: Path, options: ConvertOptions) -> "VideoTask":
        """Check everything that can be checked before a model is loaded.

        Raises:
            LiveNstError: The conversion is not possible.
        """
        options.check()
        options.check_output(output, input)
        choose_codec(output, options.codec, options.crf, options.preset)
        animation = decode_animation(input)
        info = probe(input if animation is None else animation.path)
        if animation is not None:
            info = replace(info, notes=(*info.notes, *animation.notes))
        container = container_for(output)
        if container.muxer == "webp":
            check_webp_size(output, info.size)
        if container.muxer in PICTURE_MUXERS:
            note = pause_note(container.muxer, longest_pause(info, options))
            info = info if note is None else replace(info, notes=(*info.notes, note))
        identity = identify_file(input)
        task = cls(input, output, options, identity, info, StreamPlan(), animation)
        settings = task.encoder_settings(1)
        settings.open()
        streams = plan_streams(info.path, info.index, settings, container, options.audio)
        return replace(task, streams=streams)

    def encoder_settings(self, threads: int) -> EncoderSettings:
        """Return the settings of an encoder with that number of threads; chunks have their own."""
        options, info, codec = self.options, self.info, self._codec()
        threads = threads if options.chunk is None else _CHUNK_THREADS
        return EncoderSettings(
            codec=codec,
            size=info.size,
            time_base=info.time_base,
            rate=max(Fraction(1), info.rate / options.every),
            aspect=info.aspect,
            color=output_color_tags(info.color, rgb=codec.pixels.startswith("bgr")),
            crf=codec.crf if options.crf is None else options.crf,
            preset=options.preset or codec.preset,
            threads=threads,
            segment_frames=options.chunk or segment_frames(codec, threads),
        )

    def frames(self) -> int:
        """Return the number of frames of the output: an estimate, or 0 if there is none."""
        info, options = self.info, self.options
        if not options.trimmed:
            return -(-info.frames // options.every)
        if info.duration is None:
            return 0
        length = float(info.duration)
        seconds = min(length, options.end or length) - options.start
        return max(0, round(seconds * float(info.rate) / options.every))

    def notes(self, settings: EncoderSettings) -> list[str]:
        """Return a sentence for everything that is not the same in the output."""
        notes = [*self.info.notes, *self.streams.notes]
        width, height = self.info.size
        if settings.pixels == "yuv444p":
            notes.append(
                f"{width}x{height} has an odd side: the video is written in 4:4:4, which keeps the "
                "exact size but which some players in hardware do not show"
            )
        muxer = container_for(self.output).muxer
        loses_aspect = muxer in PICTURE_MUXERS or (
            muxer in ("webm", "matroska") and not settings.codec.keeps_aspect
        )
        if self.info.aspect != 1 and loses_aspect:
            notes.append(f"The pixels are not square, which {self.output.suffix} cannot store here")
        return notes

    def settings(self, stylizer: StylizerCore, encoder: EncoderSettings) -> dict[str, Any]:
        """Return everything that determines the output, in plain values that survive JSON."""
        identity = self.identity
        return {
            "program": version("live-nst"),
            "input": [identity.size, identity.modified, identity.digest],
            "libraries": [list(av.library_versions[name]) for name in ("libavcodec", "libswscale")],
            **self.options.as_dict(),
            **encoder.as_dict(),
            **stylizer.settings([change.style for change in self.options.changes]),
        }

    def plan(
        self, stylizer: StylizerCore, settings: EncoderSettings, resumed: int
    ) -> ConversionPlan:
        """Return what the conversion will do.

        Args:
            stylizer: The stylizer.
            settings: The settings of the encoder.
            resumed: Number of frames that earlier runs finished.
        """
        width, height = self.info.size
        muxer = container_for(self.output).muxer
        return ConversionPlan(
            input=self.input,
            output=self.output,
            width=width,
            height=height,
            rate=float(settings.rate),
            frames=self.frames(),
            resumed=resumed,
            codec=muxer if muxer in PICTURE_MUXERS else settings.codec.encoder,
            model=stylizer.model_name,
            engine=stylizer.engine,
            device=stylizer.device,
            size=stylizer.size,
            styles=stylizer.styles,
            fade=self.options.fade,
            timetable=self.options.timetable(),
        )

    def check_unchanged(self) -> None:
        """Raise if the input was changed since the task was opened.

        Raises:
            SourceError: It was changed, or is missing.
        """
        if identify_file(self.input) != self.identity:
            raise SourceError(
                f"{self.input.name} was changed while it was read",
                "run the command again when it is complete",
            )

    def _codec(self) -> Codec:
        options = self.options
        return choose_codec(self.output, options.codec, options.crf, options.preset)


def worker_count(stylizer: StylizerCore) -> int:
    """Return how many frames the network runs on at once: one per core, or enough for a GPU."""
    return max(2, available_cores()) if stylizer.device == "cpu" else 4

"""A video from end to end: look, plan, paint what is missing, join, put in place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from live_nst import __version__
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import (
    ConversionPlan,
    ConversionReport,
    ProgressMeter,
    ProgressReporter,
)
from live_nst.conversion.video.codecs import (
    EncoderSettings,
    choose_codec,
    container_for,
    segment_frames,
)
from live_nst.conversion.video.color import FromBgr, output_color_tags
from live_nst.conversion.video.gif import write_gif
from live_nst.conversion.video.muxing import OutputMuxer, output_span
from live_nst.conversion.video.pipeline import Pipeline, PipelineStages
from live_nst.conversion.video.probe import FileIdentity, VideoInfo, identify_file, probe
from live_nst.conversion.video.reader import FrameReader, ResumePoint
from live_nst.conversion.video.segment_writer import SegmentWriter
from live_nst.conversion.video.segments import (
    SegmentSettings,
    SegmentStore,
    StylizerState,
    segment_store,
    sync_folder,
)
from live_nst.errors import ConversionError, SourceError
from live_nst.files.output import write_errors
from live_nst.stylizer.core import StylizerCore

_ENCODER_THREADS = 16  # more bring x264 nothing at usual sizes


@dataclass(frozen=True)
class VideoTask:
    """A video to be converted, looked at and found possible.

    Attributes:
        input: What is read.
        output: What is written.
        options: How.
        identity: Who the input is.
        info: What it holds.
    """

    input: Path
    output: Path
    options: ConvertOptions
    identity: FileIdentity
    info: VideoInfo

    @classmethod
    def open(cls, input: Path, output: Path, options: ConvertOptions) -> "VideoTask":
        """Look at everything that can be known before a model is loaded.

        Raises:
            LiveNstError: It cannot be done.
        """
        options.check()
        options.check_output(output, input)
        choose_codec(output, options.codec, options.crf, options.preset)
        info = probe(input)
        task = cls(input, output, options, identify_file(input), info)
        task.encoding(1).open()
        return task

    def encoding(self, threads: int) -> EncoderSettings:
        """How its frames are encoded."""
        options, info = self.options, self.info
        codec = choose_codec(self.output, options.codec, options.crf, options.preset)
        rgb = codec.pixels.startswith("bgr")
        return EncoderSettings(
            codec=codec,
            size=info.size,
            time_base=info.time_base,
            rate=max(Fraction(1), info.rate / options.every),
            aspect=info.aspect,
            color=output_color_tags(info.color, rgb),
            crf=codec.crf if options.crf is None else options.crf,
            preset=options.preset or codec.preset,
            threads=threads,
            segment_frames=segment_frames(codec, threads),
        )

    def frames(self) -> int:
        """How many frames the output will have; an estimate, 0 if there is none."""
        info, options = self.info, self.options
        if not options.trimmed:
            return -(-info.frames // options.every)
        if info.duration is None:
            return 0
        begin = float(info.begin - info.origin)
        end = begin + float(info.duration)
        shown = min(end, options.end or end) - max(begin, options.start)
        return max(0, round(shown * float(info.rate) / options.every))

    def notes(self, encoding: EncoderSettings) -> list[str]:
        """What is not as it was, in sentences."""
        notes = list(self.info.notes)
        width, height = self.info.size
        if encoding.pixels == "yuv444p":
            notes.append(
                f"{width}x{height} has an odd side: the video is written in 4:4:4, which keeps the "
                "exact size but which some players in hardware do not show"
            )
        container = container_for(self.output).muxer
        if self.info.aspect != 1 and (
            container == "gif"
            or (container in ("webm", "matroska") and not encoding.codec.keeps_aspect)
        ):
            notes.append(f"The pixels are not square, which {self.output.suffix} cannot say here")
        return notes

    def settings(self, stylizer: StylizerCore, encoding: EncoderSettings) -> dict[str, Any]:
        """All that shapes the output, in plain values that survive JSON."""
        identity = self.identity
        return {
            "program": __version__,
            "input": [identity.size, identity.modified, identity.digest],
            "libraries": [list(av.library_versions[name]) for name in ("libavcodec", "libswscale")],
            **self.options.as_dict(),
            **encoding.as_dict(),
            **stylizer.settings([change.style for change in self.options.changes]),
        }

    def check_unchanged(self) -> None:
        """Make sure that the input still is what it was.

        Raises:
            SourceError: It was changed, or is gone.
        """
        if identify_file(self.input) != self.identity:
            raise SourceError(
                f"{self.input.name} was changed while it was read",
                "run the command again when it is complete",
            )


def convert_video(
    task: VideoTask, stylizer: StylizerCore, listener: ProgressReporter
) -> ConversionReport:
    """Convert a video, going on where an earlier run stopped.

    Args:
        task: What is to be done.
        stylizer: Paints; its styles are set to the task's.
        listener: Is told what goes on.

    Raises:
        ConversionCancelled: It was told to stop.
        LiveNstError: Something failed; what is finished is kept for the next run.
    """
    task.options.apply(stylizer)
    with segment_store(task.output) as store:
        encoding, state = _go_on(task, stylizer, store, listener)
        resumed = store.segments[-1].frames if store.segments else 0
        plan = make_plan(task, stylizer, encoding, resumed)
        listener.plan(plan)
        for note in task.notes(encoding):
            listener.notify(note)
        meter = ProgressMeter(listener.clock, plan.frames, resumed)
        ending = _paint(task, stylizer, store, encoding, state, listener, meter)
        task.check_unchanged()
        output = _join(task, store, encoding, listener, meter, complete=not ending)
        frames = store.segments[-1].frames
        store.close(remove=True)
    if ending:
        raise ConversionError(
            f"{task.input.name} {ending}; what could be read is in {output}",
            "get a whole copy of the input, or keep that file",
        )
    seconds = meter.elapsed()
    painted = (frames - resumed) / seconds if seconds > 0 else 0.0
    return ConversionReport(output, frames, resumed, seconds, painted, output.stat().st_size, plan)


def _go_on(
    task: VideoTask, stylizer: StylizerCore, store: SegmentStore, listener: ProgressReporter
) -> tuple[EncoderSettings, StylizerState]:
    """What an earlier run left is used if it was made in the same way, else thrown away.

    Returns:
        How frames are encoded, and the stylizer's state where this run begins.
    """
    kept = store.kept()
    if kept is not None and not task.options.restart:
        encoding = task.encoding(kept.threads)
        settings = task.settings(stylizer, encoding)
        if kept.settings == settings:
            _, state = store.load()
            if store.segments:
                listener.notify(f"Going on after {store.segments[-1].frames} frames")
                return encoding, state
        else:
            listener.notify(f"Starting anew: {_differences(kept.settings, settings)} changed")
    elif kept is not None:
        listener.notify("Starting anew, as asked for")
    encoding = task.encoding(min(_ENCODER_THREADS, available_cores()))
    store.begin(SegmentSettings(task.settings(stylizer, encoding), encoding.threads))
    return encoding, {}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which settings are not the same: "size and styles"."""
    names = [name for name in new if old.get(name) != new[name]] or ["its settings"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def make_plan(
    task: VideoTask, stylizer: StylizerCore, encoding: EncoderSettings, resumed: int
) -> ConversionPlan:
    """What is about to be done with a task."""
    width, height = task.info.size
    return ConversionPlan(
        input=task.input,
        output=task.output,
        width=width,
        height=height,
        rate=float(encoding.rate),
        frames=task.frames(),
        resumed=resumed,
        codec="gif" if task.output.suffix.lower() == ".gif" else encoding.codec.encoder,
        model=stylizer.model_name,
        engine=stylizer.engine,
        device=stylizer.device,
        size=stylizer.size,
        styles=stylizer.styles,
        fade=task.options.fade,
        timetable=task.options.timetable(),
    )


def _paint(
    task: VideoTask,
    stylizer: StylizerCore,
    store: SegmentStore,
    encoding: EncoderSettings,
    state: StylizerState,
    listener: ProgressReporter,
    meter: ProgressMeter,
) -> str:
    """Paint the frames that are missing.

    Returns:
        What is wrong with the input; empty if nothing is.
    """
    last = store.segments[-1] if store.segments else None
    if last is not None and last.ending is not None:
        return last.ending
    options = task.options
    reader = FrameReader(task.info, options.start, options.end, options.every)
    position = None if last is None else ResumePoint(last.frames, last.last, last.checksum)
    writer = SegmentWriter(store, encoding)
    stylizer.prepare(task.info.size, stylizer.size)
    stylizer.restore_state(state)
    stages = PipelineStages(
        painter=stylizer,
        size=task.info.size,
        rotation=task.info.rotation,
        from_bgr=FromBgr(encoding.pixels, encoding.color),
        state=stylizer.state_arrays,
        is_last=lambda index: (index + 1) % encoding.segment_frames == 0,
        write=writer.write,
        workers=worker_count(stylizer),
    )

    def tick() -> None:
        listener.check()
        listener.progress(meter.read("painting", writer.frames, writer.bytes))

    tick()
    Pipeline(reader.frames(position), stages).run(tick)
    writer.finish(reader.findings.sentence)
    listener.progress(meter.read("painting", writer.frames, writer.bytes))
    return reader.findings.sentence


def worker_count(stylizer: StylizerCore) -> int:
    """How many frames are in the network's hands at once: every core, or a GPU kept busy."""
    return max(2, available_cores()) if stylizer.device == "cpu" else 4


def available_cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _join(
    task: VideoTask,
    store: SegmentStore,
    encoding: EncoderSettings,
    listener: ProgressReporter,
    meter: ProgressMeter,
    *,
    complete: bool,
) -> Path:
    """Make the output of the segments, and put it in place as a whole.

    Returns:
        The output; what is not complete gets a name that says so.
    """
    options, output = task.options, task.output
    span = output_span(task.info, store.segments, options.start > 0, options.end is not None)
    container = container_for(output)
    frames, size = store.segments[-1].frames, sum(segment.size for segment in store.segments)

    def tick() -> None:
        listener.check()
        listener.progress(meter.read("joining", frames, size))

    part = store.folder / f"joined{output.suffix}"
    with write_errors(output):
        part.unlink(missing_ok=True)
    joiner = OutputMuxer(task.info, store, encoding, container, span, listener.notify)
    if container.muxer == "gif":
        joiner.tell_all_left_out()
        write_gif(part, store, encoding, span, tick)
    else:
        joiner.write(part, tick)
    name = output if complete else output.with_name(f"{output.stem}.incomplete{output.suffix}")
    with write_errors(output):
        if name.exists() and complete and not options.restart:
            raise ConversionError(f"{name} has appeared meanwhile", "move it and run it again")
        os.replace(part, name)
        sync_folder(name.parent)
    return name

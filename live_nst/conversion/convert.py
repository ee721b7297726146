"""A video from end to end: look, plan, paint what is missing, join, put in place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from live_nst import __version__
from live_nst.conversion.codecs import Encoding, choose_codec, container_of, segment_frames
from live_nst.conversion.colour import FromBgr, output_colour
from live_nst.conversion.disk import check_place, writing
from live_nst.conversion.encoding import SegmentWriter
from live_nst.conversion.gif import write_gif
from live_nst.conversion.join import Joiner, span_of
from live_nst.conversion.listener import Listener
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.pipeline import Pipeline, Stages
from live_nst.conversion.probe import Identity, VideoInfo, identify, probe
from live_nst.conversion.progress import ConvertReport, Meter, Plan
from live_nst.conversion.reader import Position, Reader
from live_nst.conversion.segments import Kept, SegmentStore, State, flush_folder, segment_store
from live_nst.errors import ConversionError, SourceError
from live_nst.stylizer import Stylizer

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
    identity: Identity
    info: VideoInfo

    @classmethod
    def open(cls, input: Path, output: Path, options: ConvertOptions) -> "VideoTask":
        """Look at everything that can be known before a model is loaded.

        Raises:
            LiveNstError: It cannot be done.
        """
        options.check()
        check_place(output, input, options.restart)
        choose_codec(output, options.codec, options.crf, options.preset)
        info = probe(input)
        task = cls(input, output, options, identify(input), info)
        task.encoding(1).open()
        return task

    def encoding(self, threads: int) -> Encoding:
        """How its frames are encoded."""
        options, info = self.options, self.info
        codec = choose_codec(self.output, options.codec, options.crf, options.preset)
        rgb = codec.pixels.startswith("bgr")
        return Encoding(
            codec=codec,
            size=info.size,
            time_base=info.time_base,
            rate=max(Fraction(1), info.rate / options.every),
            aspect=info.aspect,
            colour=output_colour(info.colour, rgb),
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

    def notes(self, encoding: Encoding) -> list[str]:
        """What is not as it was, in sentences."""
        notes = list(self.info.notes)
        width, height = self.info.size
        if encoding.pixels == "yuv444p":
            notes.append(
                f"{width}x{height} has an odd side: the video is written in 4:4:4, which keeps the "
                "exact size but which some players in hardware do not show"
            )
        container = container_of(self.output).muxer
        if self.info.aspect != 1 and (
            container == "gif"
            or (container in ("webm", "matroska") and not encoding.codec.keeps_aspect)
        ):
            notes.append(f"The pixels are not square, which {self.output.suffix} cannot say here")
        return notes

    def settings(self, stylizer: Stylizer, encoding: Encoding) -> dict[str, Any]:
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
        if identify(self.input) != self.identity:
            raise SourceError(
                f"{self.input.name} was changed while it was read",
                "run the command again when it is complete",
            )


def convert_video(task: VideoTask, stylizer: Stylizer, listener: Listener) -> ConvertReport:
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
        plan = plan_of(task, stylizer, encoding, resumed)
        listener.plan(plan)
        for note in task.notes(encoding):
            listener.say(note)
        meter = Meter(listener.clock, plan.frames, resumed)
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
    return ConvertReport(output, frames, resumed, seconds, painted, output.stat().st_size, plan)


def _go_on(
    task: VideoTask, stylizer: Stylizer, store: SegmentStore, listener: Listener
) -> tuple[Encoding, State]:
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
                listener.say(f"Going on after {store.segments[-1].frames} frames")
                return encoding, state
        else:
            listener.say(f"Starting anew: {_differences(kept.settings, settings)} changed")
    elif kept is not None:
        listener.say("Starting anew, as asked for")
    encoding = task.encoding(min(_ENCODER_THREADS, cores()))
    store.begin(Kept(task.settings(stylizer, encoding), encoding.threads))
    return encoding, {}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which settings are not the same: "size and styles"."""
    names = [name for name in new if old.get(name) != new[name]] or ["its settings"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def plan_of(task: VideoTask, stylizer: Stylizer, encoding: Encoding, resumed: int) -> Plan:
    """What is about to be done with a task."""
    width, height = task.info.size
    return Plan(
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
    stylizer: Stylizer,
    store: SegmentStore,
    encoding: Encoding,
    state: State,
    listener: Listener,
    meter: Meter,
) -> str:
    """Paint the frames that are missing.

    Returns:
        What is wrong with the input; empty if nothing is.
    """
    last = store.segments[-1] if store.segments else None
    if last is not None and last.ending is not None:
        return last.ending
    options = task.options
    reader = Reader(task.info, options.start, options.end, options.every)
    position = None if last is None else Position(last.frames, last.last, last.checksum)
    writer = SegmentWriter(store, encoding)
    stylizer.prepare(task.info.size, stylizer.size)
    stylizer.recall(state)
    stages = Stages(
        painter=stylizer,
        size=task.info.size,
        turn=task.info.turn,
        from_bgr=FromBgr(encoding.pixels, encoding.colour),
        state=stylizer.memory,
        is_last=lambda index: (index + 1) % encoding.segment_frames == 0,
        write=writer.write,
        workers=workers_for(stylizer),
    )

    def look_on() -> None:
        listener.check()
        listener.progress(meter.read("painting", writer.frames, writer.bytes))

    look_on()
    Pipeline(reader.frames(position), stages).run(look_on)
    writer.finish(reader.findings.sentence)
    listener.progress(meter.read("painting", writer.frames, writer.bytes))
    return reader.findings.sentence


def workers_for(stylizer: Stylizer) -> int:
    """How many frames are in the network's hands at once: every core, or a GPU kept busy."""
    return max(2, cores()) if stylizer.device == "cpu" else 4


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _join(
    task: VideoTask,
    store: SegmentStore,
    encoding: Encoding,
    listener: Listener,
    meter: Meter,
    *,
    complete: bool,
) -> Path:
    """Make the output of the segments, and put it in place as a whole.

    Returns:
        The output; what is not complete gets a name that says so.
    """
    options, output = task.options, task.output
    span = span_of(task.info, store.segments, options.start > 0, options.end is not None)
    container = container_of(output)
    frames, size = store.segments[-1].frames, sum(segment.size for segment in store.segments)

    def look_on() -> None:
        listener.check()
        listener.progress(meter.read("joining", frames, size))

    part = store.folder / f"joined{output.suffix}"
    with writing(output):
        part.unlink(missing_ok=True)
    joiner = Joiner(task.info, store, encoding, container, span, listener.say)
    if container.muxer == "gif":
        joiner.tell_all_left_out()
        write_gif(part, store, encoding, span, look_on)
    else:
        joiner.write(part, look_on)
    name = output if complete else output.with_name(f"{output.stem}.incomplete{output.suffix}")
    with writing(output):
        if name.exists() and complete and not options.restart:
            raise ConversionError(f"{name} has appeared meanwhile", "move it and run it again")
        os.replace(part, name)
        flush_folder(name.parent)
    return name

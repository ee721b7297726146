"""Convert a video: resume or start, stylize the missing frames, join the segments."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from live_nst.conversion.options import WARM_UP_FRAMES
from live_nst.conversion.progress import ConversionReport, ProgressMeter, ProgressReporter
from live_nst.conversion.video.codecs import PICTURE_MUXERS, container_for
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.gif import write_gif
from live_nst.conversion.video.muxing import OutputMuxer
from live_nst.conversion.video.painter import CannotSpread, ChunkPainter, PaintingJob
from live_nst.conversion.video.pauses import pause_note
from live_nst.conversion.video.pipeline import Pipeline, PipelineStages
from live_nst.conversion.video.reader import FrameReader, ResumePoint
from live_nst.conversion.video.segment_writer import SegmentWriter
from live_nst.conversion.video.segments import (
    SegmentSettings,
    SegmentStore,
    StylizerState,
    output_errors,
    segment_store,
)
from live_nst.conversion.video.task import VideoTask, worker_count
from live_nst.conversion.video.timestamps import output_span
from live_nst.conversion.video.webp import write_webp
from live_nst.errors import ConversionError
from live_nst.files.atomic import sync_folder
from live_nst.files.names import sibling
from live_nst.files.output import join_words
from live_nst.runtime.machine import available_cores
from live_nst.stylizer.core import StylizerCore
from live_nst.video.color import FromBgr

_MAX_ENCODER_THREADS = 16  # x264 does not get faster with more, at usual sizes


def convert_video(
    task: VideoTask,
    stylizer: StylizerCore,
    reporter: ProgressReporter,
    painter: ChunkPainter | None = None,
) -> ConversionReport:
    """Convert a video; continue where an earlier run stopped.

    Args:
        task: The video.
        stylizer: The stylizer. Its styles and look are set to those of the task.
        reporter: Receives the plan and the progress.
        painter: Paints the chunks elsewhere; None to paint here. The task's options set `chunk`.

    Raises:
        ConversionCancelled: The reporter's `cancel` was set.
        LiveNstError: The conversion failed; what is finished is kept for the next run.
    """
    return _VideoConversion(task, stylizer, reporter, painter).run()


class _VideoConversion:
    """One run of `convert_video`."""

    def __init__(
        self,
        task: VideoTask,
        stylizer: StylizerCore,
        reporter: ProgressReporter,
        painter: ChunkPainter | None,
    ) -> None:
        self._task = task
        self._stylizer = stylizer
        self._reporter = reporter
        self._painter = painter
        self._elsewhere: Mapping[str, Any] = {}

    def run(self) -> ConversionReport:
        task, reporter = self._task, self._reporter
        task.options.apply(self._stylizer)
        with segment_store(task.output) as store:
            settings, state = self._resume(store)
            resumed = store.frames
            plan = task.plan(self._stylizer, settings, resumed)
            reporter.plan(plan)
            for note in task.notes(settings):
                reporter.notify(note)
            meter = ProgressMeter(reporter.clock, plan.frames, resumed)
            defect = self._paint(store, settings, state, meter)
            task.check_unchanged()
            output = self._join(store, settings, meter, complete=not defect)
            frames = store.segments[-1].frames
            store.close(remove=True)
        if defect:
            raise ConversionError(
                f"{task.input.name} {defect}; what could be read is in {output}",
                "get a complete copy of the input, or keep that file",
            )
        seconds = meter.elapsed()
        fps = (frames - resumed) / seconds if seconds > 0 else 0.0
        size = output.stat().st_size
        return ConversionReport(output, frames, resumed, seconds, fps, size, plan)

    def _resume(self, store: SegmentStore) -> tuple[EncoderSettings, StylizerState]:
        """Load the segments of an earlier run if they were made with the same settings.

        Returns:
            The settings of the encoder, and the stylizer's state at the first missing frame.
        """
        task, notify = self._task, self._reporter.notify
        stored = store.read_settings()
        if self._painter is not None:
            before = stored.settings if stored is not None else {}
            self._elsewhere = self._painter.settings(task, self._stylizer, before)
        if stored is not None and not task.options.restart:
            encoder = task.encoder_settings(stored.threads)
            settings = self._settings(encoder)
            if stored.settings == settings:
                state = store.load(ahead=self._painter is not None)
                if store.frames:
                    notify(f"Continuing after {store.frames} frames")
                    return encoder, state
            else:
                notify(f"Starting again: {_describe_changes(stored.settings, settings)} changed")
        elif stored is not None:
            notify("Starting again, because of --restart")
        elif store.is_outdated():
            notify("Starting again: what is finished was made by another version of live-nst")
        encoder = task.encoder_settings(min(_MAX_ENCODER_THREADS, available_cores()))
        store.reset(SegmentSettings(self._settings(encoder), encoder.threads))
        return encoder, {}

    def _settings(self, encoder: EncoderSettings) -> dict[str, Any]:
        return {**self._task.settings(self._stylizer, encoder), **self._elsewhere}

    def _paint(
        self,
        store: SegmentStore,
        settings: EncoderSettings,
        state: StylizerState,
        meter: ProgressMeter,
    ) -> str:
        """Store the missing segments; return what is wrong with the input, or ""."""
        last = store.segments[-1] if store.segments else None
        if last is not None and last.ending is not None:
            return last.ending
        if self._painter is None:
            return self._stylize(store, settings, state, meter)
        job = PaintingJob(self._task, self._stylizer, settings, store, self._reporter, meter)
        try:
            return self._painter.paint(job)
        except CannotSpread as exc:
            if any(self._elsewhere[name] != value for name, value in self._own_settings().items()):
                raise ConversionError(
                    f"{exc}, and this machine paints otherwise than the workers",
                    "convert it on one of the workers' machines, without --cluster",
                ) from exc
            self._reporter.notify(f"{exc}: what is left is painted on this machine")
            store.load()
            return self._stylize(store, settings, state, meter)

    def _own_settings(self) -> dict[str, str]:
        own = self._stylizer.settings([])
        return {name: own[name] for name in self._elsewhere if name in own}

    def _stylize(
        self,
        store: SegmentStore,
        settings: EncoderSettings,
        state: StylizerState,
        meter: ProgressMeter,
    ) -> str:
        """Stylize the missing frames and store them in segments.

        Returns:
            What is wrong with the input; empty if nothing is.
        """
        options, info = self._task.options, self._task.info
        reader = FrameReader(info, options.start, options.end, options.every)
        resumed = store.segments[-1].frames if store.segments else 0
        warm_up = None if options.chunk is None else WARM_UP_FRAMES
        resume_point = None
        for segment in store.segments:
            if segment.frames <= resumed - (warm_up or 0):
                resume_point = ResumePoint(segment.frames, segment.last, segment.checksum)
        writer = SegmentWriter(store, settings)
        self._stylizer.prepare(info.size, self._stylizer.size)
        self._stylizer.restore_state(state)
        stages = PipelineStages(
            stylizer=self._stylizer,
            size=info.size,
            orientation=info.orientation,
            from_bgr=FromBgr(settings.pixels, settings.color),
            is_last=lambda index: (index + 1) % settings.segment_frames == 0,
            write=writer.write,
            workers=worker_count(self._stylizer),
            first=resumed,
            warm_up=warm_up,
        )

        def report() -> None:
            self._reporter.progress(meter.read("painting", writer.frames, writer.bytes))

        def tick() -> None:
            self._reporter.check()
            report()

        tick()
        Pipeline(reader.frames(resume_point), stages).run(tick)
        writer.finish(reader.defects.sentence)
        if reader.defects.resized:
            self._reporter.notify(
                "The size of the video's frames changes: all are scaled to the first one's size"
            )
        report()
        return reader.defects.sentence

    def _join(
        self,
        store: SegmentStore,
        settings: EncoderSettings,
        meter: ProgressMeter,
        *,
        complete: bool,
    ) -> Path:
        """Join the segments into the output file.

        Returns:
            The output; with "incomplete" in its name if the input was not complete.
        """
        task, options, output = self._task, self._task.options, self._task.output
        span = output_span(
            task.info,
            store.segments,
            cut_start=options.start > 0,
            cut_end=options.end is not None,
        )
        container = container_for(output)
        frames, size = store.segments[-1].frames, sum(segment.size for segment in store.segments)

        def tick() -> None:
            self._reporter.check()
            self._reporter.progress(meter.read("joining", frames, size))

        joined = store.folder / f"joined{output.suffix}"
        with output_errors(output):
            joined.unlink(missing_ok=True)
        if container.muxer in PICTURE_MUXERS:
            write = write_gif if container.muxer == "gif" else write_webp
            note = pause_note(container.muxer, write(joined, store, settings, span, tick))
            if note is not None and note not in task.info.notes:  # damage makes pauses longer
                self._reporter.notify(note)
        else:
            notify, streams = self._reporter.notify, task.streams
            muxer = OutputMuxer(task.info, store, settings, container, span, streams, notify)
            muxer.write(joined, tick)
        target = (
            output if complete else sibling(output, suffix=f".incomplete{output.suffix}", stem=True)
        )
        with output_errors(output):
            if target.exists() and complete and not options.restart:
                raise ConversionError(
                    f"{target} has appeared in the meantime", "move it and run it again"
                )
            os.replace(joined, target)
            sync_folder(target.parent)
        return target


def _describe_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the names of the settings that differ: "size and styles"."""
    return join_words([name for name in new if old.get(name) != new[name]] or ["settings"], "and")

"""Estimate how long a conversion takes, and show what it will look like."""

import itertools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_nst.conversion.progress import ConversionPlan, ProgressReporter
from live_nst.conversion.video.pipeline import Pipeline, PipelineStages
from live_nst.conversion.video.probe import no_frames_error
from live_nst.conversion.video.reader import FrameReader
from live_nst.conversion.video.segment_writer import SegmentEncoder
from live_nst.conversion.video.task import VideoTask, worker_count
from live_nst.files.images import write_image
from live_nst.styles.contact_sheet import scale_to_fit
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image
from live_nst.video.color import FromBgr, ToBgr

_ESTIMATE_FRAMES = 48
_PREVIEW_FRAMES = 4
_CELL = (640, 480)  # pixels
_GAP = 8  # pixels


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a conversion would take.

    Attributes:
        plan: What would be done.
        measured: Number of frames that were stylized for the estimate.
        fps: Frames per second.
        seconds: Seconds for the whole conversion; None if the number of frames is unknown.
        bytes: Size of the video, without sound; None if the number of frames is unknown.
    """

    plan: ConversionPlan
    measured: int
    fps: float
    seconds: float | None
    bytes: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"plan": self.plan.as_dict()}


def estimate(task: VideoTask, stylizer: StylizerCore, reporter: ProgressReporter) -> Estimate:
    """Stylize and encode the first frames, keep nothing, and estimate the whole conversion.

    Args:
        task: The video.
        stylizer: The stylizer. Its styles and look are set to those of the task.
        reporter: Receives sentences about what would be lost; may cancel the work.

    Raises:
        LiveNstError: The conversion is not possible.
    """
    task.options.apply(stylizer)
    info, workers = task.info, worker_count(stylizer)
    settings = task.encoder_settings(workers)
    stylizer.prepare(info.size, stylizer.size)
    first = next(_first_frames(task), None)  # the encoder needs its time
    if first is None:
        raise no_frames_error(info)
    encoder = SegmentEncoder(settings, 0, first.pts)
    stages = PipelineStages(
        stylizer=stylizer,
        size=info.size,
        orientation=info.orientation,
        from_bgr=FromBgr(settings.pixels, settings.color),
        is_last=lambda index: False,
        write=lambda frame: encoder.write(frame.av_frame, frame.pts),
        workers=workers,
    )
    begin = reporter.clock.now()
    Pipeline(_first_frames(task), stages).run(reporter.check, 0.01)
    seconds = max(1e-6, reporter.clock.now() - begin)
    stylizer.restore_state({})
    encoder.flush()
    plan = task.plan(stylizer, settings, resumed=0)
    for note in task.notes(settings):
        reporter.notify(note)
    fps = encoder.frames / seconds
    return Estimate(
        plan=plan,
        measured=encoder.frames,
        fps=fps,
        seconds=plan.frames / fps if plan.frames else None,
        bytes=round(encoder.size * plan.frames / encoder.frames) if plan.frames else None,
    )


def preview(task: VideoTask, stylizer: StylizerCore, path: Path) -> Path:
    """Stylize some frames from the whole length of the video, and write them with the originals.

    Args:
        task: The video.
        stylizer: The stylizer. Its styles and look are set to those of the task.
        path: A PNG file, which is replaced if it exists.

    Returns:
        The same path.

    Raises:
        LiveNstError: The conversion is not possible.
    """
    task.options.apply(stylizer)
    info, options = task.info, task.options
    duration = float(info.duration or 0)
    end = min(options.end or duration, duration) or duration
    to_bgr = ToBgr(info.size, info.orientation)
    rows: list[Image] = []
    for number in range(_PREVIEW_FRAMES):
        time = options.start + (end - options.start) * (number + 0.5) / _PREVIEW_FRAMES
        frame = next(FrameReader(info, start=max(0.0, time)).frames(), None)
        if frame is None:
            continue
        image = to_bgr(frame.av_frame)
        stylizer.restore_state({})
        stylized = stylizer(image, frame.time)
        rows.append(np.hstack([scale_to_fit(image, _CELL), scale_to_fit(stylized, _CELL)]))
    stylizer.restore_state({})
    if not rows:
        raise no_frames_error(info)
    gaps = [np.pad(row, ((0, _GAP), (0, 0), (0, 0))) for row in rows]
    write_image(path, np.vstack(gaps)[:-_GAP])
    return path


def _first_frames(task: VideoTask) -> "itertools.islice[Any]":
    options = task.options
    reader = FrameReader(task.info, options.start, options.end, options.every)
    return itertools.islice(reader.frames(), _ESTIMATE_FRAMES)

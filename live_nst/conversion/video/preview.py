"""Before the long run: how long it would take, and what it would look like."""

import itertools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from live_nst.conversion.progress import ConversionPlan, ProgressReporter
from live_nst.conversion.video.color import FromBgr, ToBgr
from live_nst.conversion.video.convert import VideoTask, make_plan, worker_count
from live_nst.conversion.video.pipeline import Pipeline, PipelineStages
from live_nst.conversion.video.reader import FrameReader, no_frames_error
from live_nst.conversion.video.segment_writer import OutputFrame, SegmentEncoder
from live_nst.files.output import write_errors
from live_nst.styles.contact_sheet import scale_to_fit
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image

_MEASURED = 48  # frames
_SHOWN = 4
_CELL = (640, 480)
_GAP = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a conversion would take.

    Attributes:
        plan: What would be done.
        measured: How many frames were painted to find out.
        fps: Frames per second.
        seconds: How long it would take; None if the number of frames is not known.
        bytes: How large the video would be, without sound; None if that is not known.
    """

    plan: ConversionPlan
    measured: int
    fps: float
    seconds: float | None
    bytes: int | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"plan": self.plan.as_dict()}


def estimate(task: VideoTask, stylizer: StylizerCore, listener: ProgressReporter) -> Estimate:
    """Paint and encode the first frames, keep nothing, and tell how long all would take.

    Raises:
        LiveNstError: It cannot be done.
    """
    task.options.apply(stylizer)
    options, info = task.options, task.info
    encoding = task.encoding(worker_count(stylizer))
    stylizer.prepare(info.size, stylizer.size)
    reader = FrameReader(info, options.start, options.end, options.every)
    frames = list(itertools.islice(reader.frames(), _MEASURED))
    if not frames:
        raise no_frames_error(info)
    encoder = SegmentEncoder(encoding, 0, frames[0].pts)

    def write(finished: OutputFrame) -> None:
        encoder.write(finished.picture, finished.pts)

    stages = PipelineStages(
        painter=stylizer,
        size=info.size,
        rotation=info.rotation,
        from_bgr=FromBgr(encoding.pixels, encoding.color),
        state=dict,
        is_last=lambda index: False,
        write=write,
        workers=worker_count(stylizer),
    )
    begin = listener.clock.now()
    again = FrameReader(info, options.start, options.end, options.every).frames()
    Pipeline(itertools.islice(again, _MEASURED), stages).run(listener.check, 0.01)
    seconds = max(1e-6, listener.clock.now() - begin)
    stylizer.restore_state({})
    count = encoder.frames
    encoder.finish(count, frames[-1].pts, frames[-1].end, 0, "", False)
    plan = make_plan(task, stylizer, encoding, 0)
    fps = count / seconds
    return Estimate(
        plan=plan,
        measured=count,
        fps=fps,
        seconds=plan.frames / fps if plan.frames else None,
        bytes=round(encoder.size * plan.frames / count) if plan.frames else None,
    )


def preview(task: VideoTask, stylizer: StylizerCore, path: Path) -> Path:
    """Paint a few frames from all over the video, and write them beside their originals.

    Args:
        task: What would be converted.
        stylizer: Paints.
        path: A PNG that is written or replaced.

    Raises:
        LiveNstError: It cannot be done.
    """
    task.options.apply(stylizer)
    info, options = task.info, task.options
    length = float(info.duration or 0)
    end = min(options.end or length, length) or length
    to_bgr = ToBgr(info.size, info.rotation)
    rows: list[Image] = []
    for number in range(_SHOWN):
        moment = options.start + (end - options.start) * (number + 0.5) / _SHOWN
        frame = next(FrameReader(info, start=max(0.0, moment)).frames(), None)
        if frame is None:
            continue
        image = to_bgr(frame.picture)
        stylizer.restore_state({})
        painted = stylizer(image, frame.time)
        rows.append(np.hstack([scale_to_fit(image, _CELL), scale_to_fit(painted, _CELL)]))
    stylizer.restore_state({})
    if not rows:
        raise no_frames_error(info)
    strip = np.vstack([np.pad(row, ((0, _GAP), (0, 0), (0, 0))) for row in rows])[:-_GAP]
    with write_errors(path):
        Pillow.fromarray(np.ascontiguousarray(strip[..., ::-1])).save(path)
    return path

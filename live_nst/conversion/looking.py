"""Before the long run: how long it would take, and what it would look like."""

import itertools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from live_nst.conversion.colour import FromBgr, ToBgr
from live_nst.conversion.convert import VideoTask, plan_of, workers_for
from live_nst.conversion.disk import writing
from live_nst.conversion.encoding import Finished, SegmentEncoder
from live_nst.conversion.listener import Listener
from live_nst.conversion.pipeline import Pipeline, Stages
from live_nst.conversion.progress import Plan
from live_nst.conversion.reader import Reader, no_frames
from live_nst.frames import Image
from live_nst.styles.sheet import fit
from live_nst.stylizer import Stylizer

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

    plan: Plan
    measured: int
    fps: float
    seconds: float | None
    bytes: int | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"plan": self.plan.as_dict()}


def estimate(task: VideoTask, stylizer: Stylizer, listener: Listener) -> Estimate:
    """Paint and encode the first frames, keep nothing, and tell how long all would take.

    Raises:
        LiveNstError: It cannot be done.
    """
    task.options.apply(stylizer)
    options, info = task.options, task.info
    encoding = task.encoding(workers_for(stylizer))
    stylizer.prepare(info.size, stylizer.size)
    reader = Reader(info, options.start, options.end, options.every)
    frames = list(itertools.islice(reader.frames(), _MEASURED))
    if not frames:
        raise no_frames(info)
    encoder = SegmentEncoder(encoding, 0, frames[0].pts)

    def write(finished: Finished) -> None:
        encoder.write(finished.picture, finished.pts)

    stages = Stages(
        painter=stylizer,
        size=info.size,
        turn=info.turn,
        from_bgr=FromBgr(encoding.pixels, encoding.colour),
        state=dict,
        is_last=lambda index: False,
        write=write,
        workers=workers_for(stylizer),
    )
    begin = listener.clock.now()
    again = Reader(info, options.start, options.end, options.every).frames()
    Pipeline(itertools.islice(again, _MEASURED), stages).run(listener.check, 0.01)
    seconds = max(1e-6, listener.clock.now() - begin)
    stylizer.recall({})
    count = encoder.frames
    encoder.finish(count, frames[-1].pts, frames[-1].end, 0, "", False)
    plan = plan_of(task, stylizer, encoding, 0)
    fps = count / seconds
    return Estimate(
        plan=plan,
        measured=count,
        fps=fps,
        seconds=plan.frames / fps if plan.frames else None,
        bytes=round(encoder.size * plan.frames / count) if plan.frames else None,
    )


def preview(task: VideoTask, stylizer: Stylizer, path: Path) -> Path:
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
    to_bgr = ToBgr(info.size, info.turn)
    rows: list[Image] = []
    for number in range(_SHOWN):
        moment = options.start + (end - options.start) * (number + 0.5) / _SHOWN
        frame = next(Reader(info, start=max(0.0, moment)).frames(), None)
        if frame is None:
            continue
        image = to_bgr(frame.picture)
        stylizer.recall({})
        painted = stylizer(image, frame.time)
        rows.append(np.hstack([fit(image, _CELL), fit(painted, _CELL)]))
    stylizer.recall({})
    if not rows:
        raise no_frames(info)
    strip = np.vstack([np.pad(row, ((0, _GAP), (0, 0), (0, 0))) for row in rows])[:-_GAP]
    with writing(path):
        Pillow.fromarray(np.ascontiguousarray(strip[..., ::-1])).save(path)
    return path

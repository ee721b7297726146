"""Paint a film's chunks as a worker does, in one process without Dask: what painting alone takes.

`python -m benchmarks.cluster.painting FILM OUTPUT SIZE CHUNK` prints it as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from benchmarks.cluster.machines import Work
from live_nst.conversion.cluster.painting import paint_chunk
from live_nst.conversion.cluster.spread import SpreadPainter
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.timetable import StyleChange
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.task import VideoTask
from live_nst.runtime.machine import limit_cores
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions


class OwnWorker:
    """Stands for `Workers`: runs each function at once, and notes what painting takes."""

    where, dashboard = "this process", ""

    def __init__(self) -> None:
        self.painting = 0.0  # seconds of processor time

    def names(self) -> Mapping[str, str]:
        return {"own": "own"}

    def submit(
        self,
        worker: str,
        function: Callable[..., Any],
        *arguments: Any,
        progress: Callable[[int], None] = lambda done: None,
    ) -> "Future[Any]":
        begin = time.process_time()
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, progress))
        except Exception as exc:
            future.set_exception(exc)
        if function is paint_chunk:
            self.painting += time.process_time() - begin
        return future

    def close(self) -> None:
        pass


def paint(work: Work, output: Path) -> dict[str, float]:
    """Convert a film; return seconds of processor time: "painting", and "other" for all else."""
    limit_cores(1)  # as each worker
    made = StylizerOptions(
        model="mobile",
        styles=("ink",),
        size=work.size,
        device="cpu",
        concurrency=1,
        stabilize="fast",
    )
    options = ConvertOptions(changes=(StyleChange("ink", 0.0, 1.0),), chunk=work.chunk)
    worker, begin = OwnWorker(), 0.0

    def note_begin(plan: Any) -> None:
        nonlocal begin
        begin = time.process_time()

    reporter = ProgressReporter(plan=note_begin)
    with StylizerCore(made) as stylizer:
        task = VideoTask.open(work.film, output, options)
        convert_video(task, stylizer, reporter, SpreadPainter(worker, made, reporter))
        total = time.process_time() - begin
    return {"painting": worker.painting, "other": total - worker.painting}


if __name__ == "__main__":
    film, target, *numbers = sys.argv[1:]
    print(json.dumps(paint(Work(Path(film), *map(int, numbers)), Path(target))))

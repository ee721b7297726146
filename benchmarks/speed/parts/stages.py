"""Measure each stage of a live frame, from a 1280x720 camera to a 1280x720 result."""

import itertools
import time
from collections.abc import Callable
from functools import partial
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import CAMERA, LARGE, SMALL, PreparedSource, camera_frame
from benchmarks.speed.part import Part, Settings, Values, run_rounds
from live_nst.bench.measurement import time_calls
from live_nst.engines.base import DeviceImage, StylizedFrame
from live_nst.engines.host_images import downscale
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.demo_video import FPS, DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Image

ROUNDS, BLOCK = 7, 0.25
PIPELINE_FPS, PIPELINE_SECONDS = 200.0, 1.0


class IdleStylizer(StylizerCore):
    """Return prepared images, so that only the pipeline itself uses processor time."""

    size = SMALL[0]
    look = Look()

    def __init__(self) -> None:
        small: Image = np.zeros((SMALL[1], SMALL[0], 3), np.uint8)
        self._frame = StylizedFrame(small, small)
        self._image: Image = np.zeros((CAMERA[1], CAMERA[0], 3), np.uint8)

    def infer(
        self, image: Image, time: float = 0.0, prefetched: DeviceImage | None = None
    ) -> StylizedFrame:
        return self._frame

    def postprocess(self, image: Image, stylized: StylizedFrame, time: float = 0.0) -> Image:
        return self._image

    def is_compiled(self, frame_size: tuple[int, int], size: int) -> bool:
        return True

    def prepare(self, frame_size: tuple[int, int], size: int) -> None: ...

    def resize(self, size: int) -> None: ...


def measure(settings: Settings) -> dict[str, Any]:
    """Measure all stages in turn."""
    calls, engine = _calls()

    def one_round() -> Values:
        values: Values = {}
        for name, call in calls.items():
            before = time.process_time()
            (taken,) = time_calls({name: call}, seconds=BLOCK).values()
            used = time.process_time() - before
            values[f"{name} ms"] = 1000 * median(taken)
            # The first call, which is not in `taken`, is assumed to take as long as the others.
            values[f"{name} cpu ms"] = 1000 * used / (len(taken) + taken[0] / mean(taken))
        return values | {"pipeline cpu ms": _pipeline()}

    return {"engine": engine} | run_rounds(one_round, ROUNDS, settings, f"{SMALL[0]} network ms")


def _calls() -> tuple[dict[str, Callable[[], object]], str]:
    frame, video, number = camera_frame(), DemoVideo(*CAMERA), itertools.count()
    calls: dict[str, Callable[[], object]] = {
        "copy": frame.copy,
        "decode": lambda: video.image_at(next(number) / FPS),
    }
    for size in (SMALL, LARGE):
        plain, stabilizing = (
            StylizerCore(
                StylizerOptions(
                    model="mobile", styles=("starry",), size=size[0], device="cpu", stabilize=mode
                )
            )
            for mode in ("off", "fast")
        )
        small = downscale(frame, size)
        stylized = plain.infer(frame)
        calls |= {
            f"{size[0]} downscale": partial(downscale, frame, size),
            f"{size[0]} network": partial(plain.infer, small),
            f"{size[0]} compose": partial(plain.postprocess, frame, stylized),
            f"{size[0]} stabilize": partial(stabilizing.postprocess, frame, stylized),
        }
    return calls, f"{plain.engine} in {plain.precision}"


def _pipeline() -> float:
    """Return the processor time of the pipeline itself, in ms per frame."""
    capture = CaptureWorker(partial(PreparedSource, [camera_frame()], PIPELINE_FPS))
    capture.start()
    capture.wait_opened()
    options = PipelineOptions(max_seconds=PIPELINE_SECONDS, fps=PIPELINE_FPS, automatic_size=True)
    pipeline = LivePipeline(capture, IdleStylizer(), options)
    before = time.process_time()
    pipeline.run()
    return 1000 * (time.process_time() - before) / pipeline.stats.frames


ROWS = {
    "downscale": "downscale the frame to the network's size",
    "network": "the network, with color conversion and rounding",
    "compose": "compose the result at 1280x720",
    "stabilize": "the same with `--stabilize fast`",
}
COMPARISONS = {
    "copy": "copy a 1280x720 frame",
    "decode": "decode a frame of the demo",
}


def tables(result: dict[str, Any]) -> str:
    """Return the table of the stages."""
    summary = result["summary"]

    def cells(name: str) -> list[str]:
        return [format_stats(summary.get(f"{name} {unit}"), "{:.2f}") for unit in ("ms", "cpu ms")]

    heads = [f"{w}x{h}{what}" for w, h in (SMALL, LARGE) for what in ("", ", CPU time")]
    rows = [
        [label, *cells(f"{SMALL[0]} {name}"), *cells(f"{LARGE[0]} {name}")]
        for name, label in ROWS.items()
    ]
    pipeline = format_stats(summary["pipeline cpu ms"], "{:.2f}")
    rows += [["threads, queues, clocks, statistics, adaptive size", "", pipeline, "", pipeline]]
    rows += [
        [f"for comparison: {label}", *cells(name), "", ""]
        for name, label in COMPARISONS.items()
        if f"{name} ms" in summary
    ]
    return markdown_table([f"{result['engine']}, ms per frame", *heads], rows)


PART = Part("stages", "Cost of the stages", measure, tables=tables)

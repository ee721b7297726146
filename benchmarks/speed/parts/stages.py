"""What each stage of a live frame costs, from a 1280x720 camera to a 1280x720 picture."""

import time
from collections.abc import Callable
from functools import partial
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.speed.camera import PreparedSource
from benchmarks.speed.part import Part, Settings, Values, play, table, written
from benchmarks.speed.stage import CAMERA, LARGE, SMALL, camera_frame
from live_nst.bench.measurement import time_calls
from live_nst.engines.base import StylizedFrame
from live_nst.engines.downscale import downscale
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image

ROUNDS, BLOCK = 7, 0.25
PIPELINE_FPS, PIPELINE_SECONDS = 200.0, 1.0


class IdleStylizer:
    """Gives prepared pictures: what is left is the pipeline itself."""

    size = SMALL[0]

    def __init__(self) -> None:
        small: Image = np.zeros((SMALL[1], SMALL[0], 3), np.uint8)
        self._painted = StylizedFrame(small, small)
        self._picture: Image = np.zeros((CAMERA[1], CAMERA[0], 3), np.uint8)

    def prefetch(self, image: Image) -> None: ...

    def network(self, image: Image, time: float = 0.0, prefetched: None = None) -> StylizedFrame:
        return self._painted

    def finish(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image:
        return self._picture

    def is_compiled(self, camera: tuple[int, int], size: int) -> bool:
        return True

    def prepare(self, camera: tuple[int, int], size: int) -> None: ...

    def resize(self, size: int) -> None: ...

    def load(self, style: Any, **options: Any) -> None: ...

    def select(self, style: Any, **options: Any) -> None: ...


def measure(settings: Settings) -> dict[str, Any]:
    """Every stage, in turn."""
    calls, engine = _calls()

    def one_round() -> Values:
        values: Values = {}
        for name, call in calls.items():
            before = time.process_time()
            (taken,) = time_calls({name: call}, seconds=BLOCK).values()
            used = time.process_time() - before
            values[f"{name} ms"] = 1000 * median(taken)
            # The call that is not counted takes as long as the others.
            values[f"{name} cpu ms"] = 1000 * used / (len(taken) + taken[0] / mean(taken))
        return values | {"pipeline cpu ms": _pipeline()}

    return {"engine": engine} | play(one_round, ROUNDS, settings, f"{SMALL[0]} network ms")


def _calls() -> tuple[dict[str, Callable[[], object]], str]:
    frame, scene = camera_frame(), DemoVideo(*CAMERA)
    calls: dict[str, Callable[[], object]] = {
        "copy": frame.copy,
        "demo": partial(scene.image_at, 12.1),
    }
    for size in (SMALL, LARGE):
        plain, steady = (
            StylizerCore("mobile", ["starry"], size=size[0], device="cpu", stabilize=mode)
            for mode in ("off", "fast")
        )
        small = downscale(frame, size)
        painted = plain.network(frame)
        calls |= {
            f"{size[0]} shrink": partial(downscale, frame, size),
            f"{size[0]} network": partial(plain.network, small),
            f"{size[0]} compose": partial(plain.finish, frame, painted),
            f"{size[0]} steady": partial(steady.finish, frame, painted),
        }
    return calls, f"{plain.engine} in {plain.precision}"


def _pipeline() -> float:
    """Milliseconds of processor time that threads, slots, clocks and figures take per frame."""
    capture = CaptureWorker(partial(PreparedSource, [camera_frame()], PIPELINE_FPS))
    capture.start()
    capture.wait_opened()
    pipeline = LivePipeline(
        capture, IdleStylizer(), max_seconds=PIPELINE_SECONDS, fps=PIPELINE_FPS, automatic_size=True
    )
    before = time.process_time()
    pipeline.run()
    return 1000 * (time.process_time() - before) / pipeline.stats.frames


ROWS = {
    "shrink": "bring the frame to the network's size",
    "network": "the network, colors and rounding in it",
    "compose": "bring the painted picture to 1280x720",
    "steady": "the same, steadied first (`--stabilize fast`)",
}


def tables(result: dict[str, Any]) -> str:
    """Stage by stage."""
    summary = result["summary"]

    def cells(name: str) -> list[str]:
        return [written(summary.get(f"{name} {unit}"), "{:.2f}") for unit in ("ms", "cpu ms")]

    heads = [f"{w}x{h}{what}" for w, h in (SMALL, LARGE) for what in ("", ", processor")]
    rows = [
        [words, *cells(f"{SMALL[0]} {name}"), *cells(f"{LARGE[0]} {name}")]
        for name, words in ROWS.items()
    ]
    pipeline = written(summary["pipeline cpu ms"], "{:.2f}")
    rows += [["threads, slots, clocks, figures, the adaptive size", "", pipeline, "", pipeline]]
    rows += [["for comparison: copy a 1280x720 frame", *cells("copy"), "", ""]]
    rows += [["for comparison: draw a frame of the demo", *cells("demo"), "", ""]]
    return table([f"{result['engine']}, ms per frame", *heads], rows)


PART = Part("stages", "What each stage costs", measure, tables=tables)

"""The live pipeline: from a 1280x720 source to a 1280x720 composed frame, without a window."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from benchmarks.speed.camera import PreparedSource
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    middle,
    play,
    table,
    written,
)
from benchmarks.speed.share import NetworkTime, watch_openvino
from benchmarks.speed.stage import CAMERA, LARGE, SMALL, bare_program, camera_frame, open_engine
from live_nst.bench.measurement import time_calls
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image

ROUNDS, BLOCK, SECONDS, CAMERA_SECONDS = 7, 0.25, 2.0, 6.0
PICTURES = 12
FASTER = 1.3
"""How many times the program's own rate a source gives that is never waited for."""
CAMERA_FPS = 30.0
WANTED_FPS = {SMALL: 60.0, LARGE: 30.0}
SHARE, OUTSIDE = 0.88, 0.15
ADDED = (
    ("p50", 0.5, False, "at most half an interval, 17 ms, more than the painting in p50"),
    ("p99", 1.0, False, "at most an interval, 33 ms, more than the painting in p99"),
    ("p99", 0.5, True, "... and, hoped for, half of one"),
)
"""What the pipeline may add to the painting: percentile, intervals, whether only hoped for, words.

From a camera that is faster than the painter a frame is taken at any moment of its interval: half
of one in the median, and no more than one at most, is what the best of pipelines adds. A painter
that is faster waits for its frames, and adds nothing, but for what slow frames leave behind.
"""


def measure(settings: Settings) -> dict[str, Any]:
    """The program, the whole call and the pipeline, in turn, at both sizes."""
    scene = DemoVideo(*CAMERA)
    images = [scene.image_at(10 + index / 6) for index in range(PICTURES)]
    engine = open_engine("auto", "auto")
    networks = {size: bare_program(engine, size) for size in WANTED_FPS}
    counted = None
    if engine.name.startswith("openvino"):
        counted = watch_openvino(networks[LARGE])
    stages = [_Stage(size, network, images, counted) for size, network in networks.items()]

    def one_round() -> Values:
        return {name: value for stage in stages for name, value in stage.one_round().items()}

    facts = {"engine": f"{engine.name} in {engine.precision}"}
    return facts | play(one_round, ROUNDS, settings, "640x360 fps")


class _Stage:
    """Everything at one processing size."""

    def __init__(
        self,
        size: tuple[int, int],
        network: Callable[[], object],
        images: list[Image],
        counted: NetworkTime | None,
    ) -> None:
        self._name = f"{size[0]}x{size[1]}"
        self._counted = counted
        self._images = images
        self._stylizer, self._steadying = (
            StylizerCore("mobile", ["starry"], size=size[0], device="cpu", stabilize=mode)
            for mode in ("off", "fast")
        )
        for stylizer in (self._stylizer, self._steadying):
            stylizer.prepare(CAMERA, size[0])
        frame = camera_frame()
        self._calls: dict[str, Callable[[], object]] = {
            "network": network,
            "program": lambda: self._stylizer.network(frame),
            "call": lambda: self._stylizer(frame),
        }

    def one_round(self) -> Values:
        values: Values = {}
        for name, taken in time_calls(self._calls, seconds=BLOCK).items():
            values[f"{name} ms"] = 1000 * median(taken)
        faster = FASTER * 1000 / values["program ms"]
        values |= self._live(self._stylizer, faster, SECONDS)
        values["steadied fps"] = self._live(self._steadying, faster, SECONDS)["fps"]
        values["share of program"] = values["fps"] * values["program ms"] / 1000
        values["share of network"] = values["fps"] * values["network ms"] / 1000
        at_rate = self._live(self._stylizer, CAMERA_FPS, CAMERA_SECONDS)
        values |= {
            f"camera {name}": at_rate[name]
            for name in ("fps", "p50", "p99", "painting p50", "painting p99")
        }
        for name in ("p50", "p99"):
            values[f"added {name}"] = at_rate[name] - at_rate[f"painting {name}"]
        return {f"{self._name} {name}": value for name, value in values.items()}

    def _live(self, stylizer: StylizerCore, fps: float, seconds: float) -> Values:
        """Run the pipeline for a while; its rate, latency, stages and processor time per frame."""
        capture = CaptureWorker(partial(PreparedSource, self._images, fps))
        capture.start()
        capture.wait_opened()
        pipeline = LivePipeline(capture, stylizer, max_seconds=seconds)
        network = self._counted.seconds if self._counted else 0.0
        before = time.process_time()
        pipeline.run()
        used = time.process_time() - before
        stats = pipeline.stats
        latency = stats.latency_ms()
        values = {"fps": stats.fps(), "cpu ms": 1000 * used / stats.frames}
        if self._counted:
            values["cpu outside"] = 1 - (self._counted.seconds - network) / used
        for percent in (50, 99):
            stages = stats.stage_ms(percent)
            values[f"p{percent}"] = latency[f"p{percent}"]
            values[f"painting p{percent}"] = stages["stylize"] + stages["compose"]
        return values


def promises(result: dict[str, Any]) -> list[Promise]:
    """Rate, share of the program's rate, processor time and latency."""
    promised = []
    for size, fps in WANTED_FPS.items():
        name = f"{size[0]}x{size[1]}"
        value = partial(middle, result)
        promised += [
            Promise(f"live at {name}: {fps:g} fps", value(f"{name} fps"), fps, form="{:.1f}"),
            Promise(
                f"live at {name}: {SHARE:.0%} of the frame program's rate",
                value(f"{name} share of program"),
                SHARE,
                form="{:.0%}",
            ),
            Promise(
                f"live at {name}: under {OUTSIDE:.0%} of the processor time is not the network's",
                value(f"{name} cpu outside"),
                OUTSIDE,
                at_least=False,
                form="{:.1%}",
            ),
            *(
                Promise(
                    f"live at {name}, {CAMERA_FPS:g} fps camera: {words}",
                    value(f"{name} added {percentile}"),
                    share * 1000 / CAMERA_FPS,
                    at_least=False,
                    form="{:.1f} ms",
                    stretch=stretch,
                )
                for percentile, share, stretch, words in ADDED
            ),
        ]
    return promised


ROWS = {
    "network ms": "the network alone: a frame of its size in and out, ms",
    "program ms": "the frame program: 1280x720 in, the network's size out, ms",
    "call ms": "a whole `Stylizer` call: 1280x720 in and out, ms",
    "fps": "**live**, source never waited for: frames per second",
    "share of program": "of the frame program's rate",
    "share of network": "of the network's rate",
    "cpu ms": "processor time per frame, all threads, ms",
    "cpu outside": "of which outside the network",
    "steadied fps": "**live**, with the stabilizer, as live-nst does by itself: frames per second",
    "camera fps": "**live**, 30 fps camera: frames per second",
    "camera p50": "capture to composed frame, p50, ms",
    "camera painting p50": "of which the painting",
    "camera p99": "capture to composed frame, p99, ms",
    "camera painting p99": "p99 of the painting alone",
}


def tables(result: dict[str, Any]) -> str:
    """From the network to the pipeline."""
    names = [f"{width}x{height}" for width, height in WANTED_FPS]
    rows = [
        [words, *(written(result["summary"].get(f"{name} {key}"), _form(key)) for name in names)]
        for key, words in ROWS.items()
    ]
    return table([result["engine"], *names], rows)


def _form(key: str) -> str:
    return "{:.0%}" if key.startswith("share") else "{:.1%}" if "outside" in key else "{:.1f}"


PART = Part("live", "The live pipeline", measure, promises, tables)

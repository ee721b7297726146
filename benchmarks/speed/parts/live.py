"""Measure the live pipeline from a 1280x720 source to a 1280x720 frame, without a window."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.cpu_time import NetworkCpuTime, count_openvino_time
from benchmarks.speed.fixtures import (
    CAMERA,
    LARGE,
    SMALL,
    PreparedSource,
    bind_frame_program,
    camera_frame,
    open_engine,
)
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)
from live_nst.bench.measurement import time_calls
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Image
from tools.draw_demo.scene import DemoScene

ROUNDS, BLOCK, SECONDS, CAMERA_SECONDS = 7, 0.25, 2.0, 6.0
IMAGES = 12
FAST_SOURCE = 1.3
"""Rate of a source that is always ready, relative to the frame program's."""
CAMERA_FPS = 30.0
PROMISED_FPS = {SMALL: 60.0, LARGE: 30.0}
MIN_SHARE = 0.88
MAX_CPU_OUTSIDE = {SMALL: 0.15, LARGE: 0.10}
ADDED = (
    ("p50", 0.5, False, "p50 latency at most half an interval (17 ms) above stylizing"),
    ("p99", 1.0, False, "p99 latency at most one interval (33 ms) above stylizing"),
    ("p99", 0.5, True, "stretch goal for p99: half an interval"),
)
"""Latency that the pipeline may add to stylizing: percentile, intervals, stretch goal, label.

If the camera is faster than the network, a frame waits for a part of its interval before it is
read: half an interval in the median and one at most, even in the best pipeline. If the network is
faster, it waits for frames, and only slow frames add latency.
"""


def measure(settings: Settings) -> dict[str, Any]:
    """Measure frame program, whole call and pipeline in turn at both sizes."""
    scene = DemoScene(*CAMERA)
    images = [scene.draw(10 + index / 6) for index in range(IMAGES)]
    engine = open_engine("auto", "auto")
    networks = {size: bind_frame_program(engine, size) for size in PROMISED_FPS}
    network_time = None
    if engine.name.startswith("openvino"):
        network_time = count_openvino_time(networks[LARGE])
    benchmarks = [
        _SizeBenchmark(size, network, images, network_time) for size, network in networks.items()
    ]

    def one_round() -> Values:
        return {name: value for each in benchmarks for name, value in each.one_round().items()}

    facts = {"engine": f"{engine.name} in {engine.precision}"}
    return facts | run_rounds(one_round, ROUNDS, settings, "640x360 fps")


class _SizeBenchmark:
    """Measurements at one processing size."""

    def __init__(
        self,
        size: tuple[int, int],
        network: Callable[[], object],
        images: list[Image],
        network_time: NetworkCpuTime | None,
    ) -> None:
        self._name = f"{size[0]}x{size[1]}"
        self._network_time = network_time
        self._images = images
        self._stylizer, self._stabilizing = (
            StylizerCore(
                StylizerOptions(
                    model="mobile", styles=("starry",), size=size[0], device="cpu", stabilize=mode
                )
            )
            for mode in ("off", "fast")
        )
        for stylizer in (self._stylizer, self._stabilizing):
            stylizer.prepare(CAMERA, size[0])
        frame = camera_frame()
        self._calls: dict[str, Callable[[], object]] = {
            "network": network,
            "program": lambda: self._stylizer.infer(frame),
            "call": lambda: self._stylizer(frame),
        }

    def one_round(self) -> Values:
        values: Values = {}
        for name, taken in time_calls(self._calls, seconds=BLOCK).items():
            values[f"{name} ms"] = 1000 * median(taken)
        fast_source_fps = FAST_SOURCE * 1000 / values["program ms"]
        values |= self._live(self._stylizer, fast_source_fps, SECONDS)
        values["stabilized fps"] = self._live(self._stabilizing, fast_source_fps, SECONDS)["fps"]
        values["share of program"] = values["fps"] * values["program ms"] / 1000
        values["share of network"] = values["fps"] * values["network ms"] / 1000
        at_rate = self._live(self._stylizer, CAMERA_FPS, CAMERA_SECONDS)
        values |= {
            f"camera {name}": at_rate[name]
            for name in ("fps", "p50", "p99", "stylize p50", "stylize p99")
        }
        for name in ("p50", "p99"):
            values[f"added {name}"] = at_rate[name] - at_rate[f"stylize {name}"]
        return {f"{self._name} {name}": value for name, value in values.items()}

    def _live(self, stylizer: StylizerCore, fps: float, seconds: float) -> Values:
        """Run the pipeline and return its rate, latency and processor time per frame."""
        capture = CaptureWorker(partial(PreparedSource, self._images, fps))
        capture.start()
        capture.wait_opened()
        pipeline = LivePipeline(capture, stylizer, PipelineOptions(max_seconds=seconds))
        network = self._network_time.seconds if self._network_time else 0.0
        before = time.process_time()
        pipeline.run()
        used = time.process_time() - before
        stats = pipeline.stats
        latency = stats.latency_ms()
        values = {"fps": stats.fps(), "cpu ms": 1000 * used / stats.frames}
        if self._network_time:
            values["cpu outside"] = 1 - (self._network_time.seconds - network) / used
        for percent in (50, 99):
            stages = stats.stage_ms(percent)
            values[f"p{percent}"] = latency[f"p{percent}"]
            values[f"stylize p{percent}"] = stages["stylize"] + stages["compose"]
        return values


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return promises on rate, share of the program's rate, processor time and latency."""
    promised = []
    for size, fps in PROMISED_FPS.items():
        name = f"{size[0]}x{size[1]}"
        value = partial(median_of, result)
        promised += [
            Promise(
                f"live at {name}: {fps:g} fps", value(f"{name} fps"), fps, value_format="{:.1f}"
            ),
            Promise(
                f"live at {name}: {MIN_SHARE:.0%} of the frame program's rate",
                value(f"{name} share of program"),
                MIN_SHARE,
                value_format="{:.0%}",
            ),
            Promise(
                f"live at {name}: under {MAX_CPU_OUTSIDE[size]:.0%} of the CPU time outside "
                "the network",
                value(f"{name} cpu outside"),
                MAX_CPU_OUTSIDE[size],
                at_least=False,
                value_format="{:.1%}",
            ),
            *(
                Promise(
                    f"live at {name}, {CAMERA_FPS:g} fps camera: {label}",
                    value(f"{name} added {percentile}"),
                    share * 1000 / CAMERA_FPS,
                    at_least=False,
                    value_format="{:.1f} ms",
                    stretch=stretch,
                )
                for percentile, share, stretch, label in ADDED
            ),
        ]
    return promised


ROWS = {
    "network ms": "network only, its own size in and out, ms",
    "program ms": "frame program, 1280x720 in, network size out, ms",
    "call ms": "whole `Stylizer` call, 1280x720 in and out, ms",
    "fps": "**live**, source always ready: frames per second",
    "share of program": "share of the frame program's rate",
    "share of network": "share of the network's rate",
    "cpu ms": "processor time per frame, all threads, ms",
    "cpu outside": "share outside the network",
    "stabilized fps": "**live** with the stabilizer (the default): frames per second",
    "camera fps": "**live**, 30 fps camera: frames per second",
    "camera p50": "latency from capture to composed frame, p50, ms",
    "camera stylize p50": "of which stylizing, p50, ms",
    "camera p99": "latency from capture to composed frame, p99, ms",
    "camera stylize p99": "stylizing only, p99, ms",
}


def tables(result: dict[str, Any]) -> str:
    """Return the table of both sizes."""
    names = [f"{width}x{height}" for width, height in PROMISED_FPS]
    rows = [
        [
            label,
            *(format_stats(result["summary"].get(f"{name} {key}"), _form(key)) for name in names),
        ]
        for key, label in ROWS.items()
    ]
    return markdown_table([result["engine"], *names], rows)


def _form(key: str) -> str:
    return "{:.0%}" if key.startswith("share") else "{:.1%}" if "outside" in key else "{:.1f}"


PART = Part("live", "The live pipeline", measure, promises, tables)

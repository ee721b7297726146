"""Measure the adaptive size while other processes use half the processor."""

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median, multimode
from typing import Any, NamedTuple

import psutil

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import CAMERA, PreparedSource
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)
from live_nst.errors import LiveNstError
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Frame, Image, Size
from tools.draw_demo.scene import DemoScene

ROUNDS = 3
FPS = 30.0
IMAGES = 12
IDLE_BEFORE, LOADED, IDLE_AFTER = 15.0, 15.0, 20.0  # seconds
STEP_SECONDS = 0.5  # resolution of the timeline
MIN_RATE = 0.9  # share of the requested rate
MAX_RECOVERY, MAX_RETURN = 2.0, 10.0  # seconds
CHANGE_INTERVAL, CHANGED_SIZES = 2.0, (448, 512, 320, 256, 384)  # seconds, long sides
PHASE_END = 5.0  # last seconds of a phase, from which size and rate are taken
ONE_STEP = 0.85  # consecutive sizes have a larger ratio
MAX_GAP = 4  # frame intervals without a frame during a change of size


class Shown(NamedTuple):
    """An output frame: seconds since the start, and the network's size."""

    time: float
    size: Size


class TimingSink:
    """A sink that stores the time of each frame; see `live_nst.sinks.base.Sink`."""

    name = "timing"
    rate = None

    def __init__(self) -> None:
        self._pipeline: LivePipeline | None = None
        self._start = 0.0
        self.shown: list[Shown] = []

    def begin(self, pipeline: LivePipeline) -> None:
        """Start the clock; the size is read from this pipeline."""
        self._pipeline, self._start = pipeline, time.monotonic()

    def write(self, frame: Frame) -> None:
        """Store the time of a frame."""
        assert self._pipeline is not None
        now = time.monotonic() - self._start
        self.shown.append(Shown(now, self._pipeline.worker.network_size))

    def gaps(self, since: float, until: float) -> list[float]:
        """Return the seconds between consecutive frames in a time range."""
        times = [shown.time for shown in self.shown if since <= shown.time < until]
        return [after - before for before, after in itertools.pairwise(times)]

    def close(self) -> None:
        """Do nothing."""


def measure(settings: Settings) -> dict[str, Any]:
    """Measure manual changes of size, then automatic ones under load."""
    scene = DemoScene(*CAMERA)
    images = [scene.draw(10 + index / 6) for index in range(IMAGES)]
    facts: dict[str, Any] = {"loaded": [IDLE_BEFORE, IDLE_BEFORE + LOADED]}

    def one_round() -> Values:
        values = measure_manual_changes(images)
        sink, facts["engine"] = run_session(images, IDLE_BEFORE + LOADED + IDLE_AFTER, loaded=True)
        facts["course"] = timeline(sink.shown)
        return {**values, **phase_values(sink.shown)}

    return run_rounds(one_round, ROUNDS, settings, "absorbed after") | facts


def measure_manual_changes(images: Sequence[Image]) -> Values:
    """Return the longest gaps between frames around manual changes, with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="live-nst-benchmark-") as cache:
        before, os.environ["LIVE_NST_CACHE"] = os.environ.get("LIVE_NST_CACHE"), cache
        try:
            sink, _ = run_session(
                images, CHANGE_INTERVAL * (1 + len(CHANGED_SIZES)), changed_sizes=CHANGED_SIZES
            )
        finally:
            if before is None:
                del os.environ["LIVE_NST_CACHE"]
            else:
                os.environ["LIVE_NST_CACHE"] = before
    quiet, *changes = (
        sink.gaps(CHANGE_INTERVAL * number + (0 if number else 0.5), CHANGE_INTERVAL * (number + 1))
        for number in range(1 + len(CHANGED_SIZES))
    )
    return {"usual gap ms": 1000 * max(quiet), "switch gap ms": 1000 * max(map(max, changes))}


def run_session(
    images: Sequence[Image],
    seconds: float,
    *,
    changed_sizes: Sequence[int] = (),
    loaded: bool = False,
) -> tuple[TimingSink, str]:
    """Run a session as `live-nst` does by default.

    Args:
        images: Images of the camera.
        seconds: Duration.
        changed_sizes: Sizes to set every `CHANGE_INTERVAL` seconds; empty for the adaptive size.
        loaded: Run other processes in the middle of the session.

    Returns:
        The sink, and the engine with its precision.
    """
    sink = TimingSink()
    with ExitStack() as stack:
        stylizer = stack.enter_context(
            StylizerCore(
                StylizerOptions(model="mobile", styles=("starry",), device="cpu", stabilize="fast")
            )
        )
        stylizer.prepare(CAMERA, stylizer.size)
        capture = CaptureWorker(partial(PreparedSource, images, FPS))
        capture.start()
        capture.wait_opened()
        pipeline = LivePipeline(
            capture,
            stylizer,
            PipelineOptions(fps=FPS, automatic_size=not changed_sizes, max_seconds=seconds),
            sinks=[sink],
        )
        if loaded:
            stack.enter_context(background_load(IDLE_BEFORE, LOADED))
        sink.begin(pipeline)
        for number, size in enumerate(changed_sizes, 1):
            use = partial(pipeline.worker.size_controller.use, size, _refused)
            timer = threading.Timer(number * CHANGE_INTERVAL, use)
            timer.start()
            stack.callback(timer.cancel)
        pipeline.run()
        return sink, f"{stylizer.engine} in {stylizer.precision}"


def _refused(error: LiveNstError) -> None:
    raise error


@contextmanager
def background_load(begin: float, seconds: float) -> Iterator[None]:
    """Run one busy process per core from `begin` on for some seconds."""
    program = (
        "import sys, time; print(flush=True); sys.stdin.readline()\n"
        f"until = time.monotonic() + {seconds}\n"
        "while time.monotonic() < until: pass"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(psutil.cpu_count() or 1)
    ]
    for worker in workers:  # starting needs processor time, too
        assert worker.stdout is not None
        worker.stdout.readline()

    def start_load() -> None:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()

    timer = threading.Timer(begin, start_load)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for worker in workers:
            with worker:  # close the pipes and wait
                worker.kill()


def timeline(shown: Sequence[Shown]) -> dict[str, Any]:
    """Return rate and most frequent long side (0 without frames) per time step."""
    sides_by_step = [
        [max(s.size) for s in shown if number <= s.time / STEP_SECONDS < number + 1]
        for number in range(round((IDLE_BEFORE + LOADED + IDLE_AFTER) / STEP_SECONDS))
    ]
    return {
        "step": STEP_SECONDS,
        "fps": [len(sides) / STEP_SECONDS for sides in sides_by_step],
        "side": [multimode(sides)[0] if sides else 0 for sides in sides_by_step],
    }


def phase_values(shown: Sequence[Shown]) -> Values:
    """Return long side and rate of the three phases, and the duration of the changes."""
    times = [s.time for s in shown]
    busy, idle, end = IDLE_BEFORE, IDLE_BEFORE + LOADED, IDLE_BEFORE + LOADED + IDLE_AFTER

    def rate(since: float, until: float) -> float:
        return sum(since <= t < until for t in times) / (until - since)

    def size(since: float, until: float) -> float:
        return float(median(max(s.size) for s in shown if since <= s.time < until))

    before = size(busy - PHASE_END, busy)
    moments = (busy + 0.1 * n for n in range(round(10 * LOADED)))
    held = (t for t in moments if t + 2 <= idle and rate(t, t + 2) >= MIN_RATE * FPS)
    back = (s.time for s in shown if s.time >= idle and max(s.size) >= ONE_STEP * before)
    return {
        "calm size": before,
        "calm fps": rate(busy - PHASE_END, busy),
        "busy size": size(idle - PHASE_END, idle),
        "busy fps": rate(busy + MAX_RECOVERY, idle),
        "idle size": size(end - PHASE_END, end),
        "idle fps": rate(end - PHASE_END, end),
        "absorbed after": next(held, idle) - busy,
        "undone after": next(back, end) - idle,
    }


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return promises on recovery and on changes of size."""
    value = partial(median_of, result)
    return [
        Promise(
            f"under sudden load, {MIN_RATE:.0%} of {FPS:g} fps again within {MAX_RECOVERY:g} s",
            value("absorbed after"),
            MAX_RECOVERY,
            at_least=False,
            value_format="{:.1f} s",
        ),
        Promise(
            f"{MIN_RATE * FPS:g} fps while other processes use half the processor",
            value("busy fps"),
            MIN_RATE * FPS,
            value_format="{:.1f}",
        ),
        Promise(
            f"after the load, at most one step below the former size within {MAX_RETURN:g} s",
            value("undone after"),
            MAX_RETURN,
            at_least=False,
            value_format="{:.1f} s",
        ),
        Promise(
            f"a change of size delays frames by at most {1000 * MAX_GAP / FPS:.0f} ms "
            f"({MAX_GAP} intervals)",
            value("switch gap ms"),
            1000 * MAX_GAP / FPS,
            at_least=False,
            value_format="{:.0f} ms",
        ),
    ]


def tables(result: dict[str, Any]) -> str:
    """Return tables of the phases and of the changes between them."""
    summary = result["summary"]
    phases = [
        [
            label,
            format_stats(summary[f"{phase} size"], "{:.0f}"),
            format_stats(summary[f"{phase} fps"]),
        ]
        for phase, label in (
            ("calm", "no load"),
            ("busy", "other processes use half the processor"),
            ("idle", "no load again"),
        )
    ]
    moments = [
        [label, format_stats(summary[key], form)]
        for key, form, label in (
            ("absorbed after", "{:.1f} s", "load starts: 90% of the rate again after"),
            ("undone after", "{:.1f} s", "load ends: former size, or one step below, after"),
            ("usual gap ms", "{:.0f} ms", "longest gap between frames at one size"),
            (
                "switch gap ms",
                "{:.0f} ms",
                "longest gap around changes of size, each compiled first",
            ),
        )
    ]
    headings = [
        f"`--size auto --fps {FPS:g}`, {result['engine']}",
        "long side",
        "frames per second",
    ]
    return f"{markdown_table(headings, phases)}\n\n{markdown_table(['', 'measured'], moments)}"


PART = Part("adaptive", "The adaptive size", measure, promises, tables)

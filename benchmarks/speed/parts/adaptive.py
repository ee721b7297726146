"""The adaptive size while another program takes half the machine for a while."""

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
from benchmarks.speed.stage import CAMERA
from live_nst.errors import LiveNstError
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Frame, Image, Size

ROUNDS = 3
FPS = 30.0
PICTURES = 12
CALM, LOADED, AFTER = 15.0, 15.0, 20.0  # seconds
SLOT = 0.5  # seconds, in which frames are counted
HELD = 0.9  # of the wanted rate
ABSORBED, UNDONE = 2.0, 10.0  # seconds
EVERY, BY_HAND = 2.0, (448, 512, 320, 256, 384)  # seconds, and sizes that are changed to
LAST = 5.0  # seconds of a phase, of which its size and rate are told
STEP = 0.85  # of a size: two sizes that follow on each other are nearer
GAP = 4  # intervals that a change of size may leave without a picture


class Shown(NamedTuple):
    """A frame that came out: when, in seconds from the start, and the network's size then."""

    time: float
    size: Size


class Watch:
    """A sink that writes down when frames come; see `live_nst.sinks.base.Sink`."""

    name = "watch"
    rate = None

    def __init__(self) -> None:
        self._pipeline: LivePipeline | None = None
        self._start = 0.0
        self.shown: list[Shown] = []

    def begin(self, pipeline: LivePipeline) -> None:
        """Count time from now on, and ask this pipeline for its size."""
        self._pipeline, self._start = pipeline, time.monotonic()

    def write(self, frame: Frame) -> None:
        """Write down that a frame came."""
        assert self._pipeline is not None
        now = time.monotonic() - self._start
        self.shown.append(Shown(now, self._pipeline.painter.small_size))

    def gaps(self, since: float, until: float) -> list[float]:
        """Seconds between frames, of those that came between two moments."""
        times = [shown.time for shown in self.shown if since <= shown.time < until]
        return [after - before for before, after in itertools.pairwise(times)]

    def close(self) -> None:
        """Nothing is open."""


def measure(settings: Settings) -> dict[str, Any]:
    """Changes of size by hand, then by speed while another program comes and goes."""
    scene = DemoVideo(*CAMERA)
    images = [scene.image_at(10 + index / 6) for index in range(PICTURES)]
    facts: dict[str, Any] = {"loaded": [CALM, CALM + LOADED]}

    def one_round() -> Values:
        values = by_hand(images)
        watch, facts["engine"] = session(images, CALM + LOADED + AFTER, disturbed=True)
        facts["course"] = course(watch.shown)
        return {**values, **figures(watch.shown)}

    return play(one_round, ROUNDS, settings, "absorbed after") | facts


def by_hand(images: Sequence[Image]) -> Values:
    """The longest gaps between frames around changes of size, nothing being compiled before."""
    with tempfile.TemporaryDirectory(prefix="live-nst-benchmark-") as cache:
        before, os.environ["LIVE_NST_CACHE"] = os.environ.get("LIVE_NST_CACHE"), cache
        try:
            watch, _ = session(images, EVERY * (1 + len(BY_HAND)), by_hand=BY_HAND)
        finally:
            if before is None:
                del os.environ["LIVE_NST_CACHE"]
            else:
                os.environ["LIVE_NST_CACHE"] = before
    quiet, *changes = (
        watch.gaps(EVERY * number + (0 if number else 0.5), EVERY * (number + 1))
        for number in range(1 + len(BY_HAND))
    )
    return {"usual gap ms": 1000 * max(quiet), "switch gap ms": 1000 * max(map(max, changes))}


def session(
    images: Sequence[Image], seconds: float, *, by_hand: Sequence[int] = (), disturbed: bool = False
) -> tuple[Watch, str]:
    """Run a session as `live-nst` does by default.

    Args:
        images: What the camera sees.
        seconds: How long.
        by_hand: Sizes to change to every `EVERY` seconds; else the size is chosen by speed.
        disturbed: Let other processes take half the machine for a while.

    Returns:
        When frames came out, and what painted them.
    """
    watch = Watch()
    with ExitStack() as stack:
        stylizer = stack.enter_context(
            StylizerCore("mobile", ["starry"], device="cpu", stabilize="fast")
        )
        stylizer.prepare(CAMERA, stylizer.size)
        capture = CaptureWorker(partial(PreparedSource, images, FPS))
        capture.start()
        capture.wait_opened()
        pipeline = LivePipeline(
            capture, stylizer, sinks=[watch], fps=FPS, automatic_size=not by_hand,
            max_seconds=seconds,
        )  # fmt: skip
        if disturbed:
            stack.enter_context(half_the_machine(CALM, LOADED))
        watch.begin(pipeline)
        for number, size in enumerate(by_hand, 1):
            use = partial(pipeline.painter.sizing.use, size, _refused)
            timer = threading.Timer(number * EVERY, use)
            timer.start()
            stack.callback(timer.cancel)
        pipeline.run()
        return watch, f"{stylizer.engine} in {stylizer.precision}"


def _refused(error: LiveNstError) -> None:
    raise error


@contextmanager
def half_the_machine(begin: float, seconds: float) -> Iterator[None]:
    """Have as many busy processes as there are cores, from `begin` on and for so long."""
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
    for worker in workers:  # to start takes a moment of the machine
        assert worker.stdout is not None
        worker.stdout.readline()

    def go() -> None:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()

    timer = threading.Timer(begin, go)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for worker in workers:
            with worker:  # closes the pipes, and waits
                worker.kill()


def course(shown: Sequence[Shown]) -> dict[str, Any]:
    """The rate, and the long side that most frames had (0 without frames), slot by slot."""
    slots = [
        [max(s.size) for s in shown if number <= s.time / SLOT < number + 1]
        for number in range(round((CALM + LOADED + AFTER) / SLOT))
    ]
    return {
        "slot": SLOT,
        "fps": [len(sides) / SLOT for sides in slots],
        "side": [multimode(sides)[0] if sides else 0 for sides in slots],
    }


def figures(shown: Sequence[Shown]) -> Values:
    """Sizes (long sides) and rates of the three phases, and how long the changes took."""
    times = [s.time for s in shown]
    busy, idle, end = CALM, CALM + LOADED, CALM + LOADED + AFTER

    def rate(since: float, until: float) -> float:
        return sum(since <= t < until for t in times) / (until - since)

    def size(since: float, until: float) -> float:
        return float(median(max(s.size) for s in shown if since <= s.time < until))

    before = size(busy - LAST, busy)
    moments = (busy + 0.1 * n for n in range(round(10 * LOADED)))
    held = (t for t in moments if t + 2 <= idle and rate(t, t + 2) >= HELD * FPS)
    back = (s.time for s in shown if s.time >= idle and max(s.size) >= STEP * before)
    return {
        "calm size": before,
        "calm fps": rate(busy - LAST, busy),
        "busy size": size(idle - LAST, idle),
        "busy fps": rate(busy + ABSORBED, idle),
        "idle size": size(end - LAST, end),
        "idle fps": rate(end - LAST, end),
        "absorbed after": next(held, idle) - busy,
        "undone after": next(back, end) - idle,
    }


def promises(result: dict[str, Any]) -> list[Promise]:
    """How long a load is felt, and what a change of size costs."""
    value = partial(middle, result)
    return [
        Promise(
            f"sudden load is absorbed within {ABSORBED:g} s: {HELD:.0%} of {FPS:g} fps again",
            value("absorbed after"),
            ABSORBED,
            at_least=False,
            form="{:.1f} s",
        ),
        Promise(
            f"... and held while half the machine is taken, {HELD * FPS:g} fps",
            value("busy fps"),
            HELD * FPS,
            form="{:.1f}",
        ),
        Promise(
            f"... and undone, but for one step of size, within {UNDONE:g} s after it",
            value("undone after"),
            UNDONE,
            at_least=False,
            form="{:.1f} s",
        ),
        Promise(
            f"a change of size leaves {1000 * GAP / FPS:.0f} ms without a picture at most, "
            f"{GAP} intervals",
            value("switch gap ms"),
            1000 * GAP / FPS,
            at_least=False,
            form="{:.0f} ms",
        ),
    ]


def tables(result: dict[str, Any]) -> str:
    """The three phases, then the moments between them."""
    summary = result["summary"]
    phases = [
        [words, written(summary[f"{phase} size"], "{:.0f}"), written(summary[f"{phase} fps"])]
        for phase, words in (
            ("calm", "alone"),
            ("busy", "while other processes take half the machine"),
            ("idle", "alone again"),
        )
    ]
    moments = [
        [words, written(summary[key], form)]
        for key, form, words in (
            ("absorbed after", "{:.1f} s", "load comes: 90% of the rate again after"),
            ("undone after", "{:.1f} s", "load goes: the former size, or one step below, after"),
            ("usual gap ms", "{:.0f} ms", "longest gap between pictures at one size"),
            ("switch gap ms", "{:.0f} ms", "the same around changes of size, each compiled anew"),
        )
    ]
    headings = [
        f"`--size auto --fps {FPS:g}`, {result['engine']}",
        "long side",
        "frames per second",
    ]
    return f"{table(headings, phases)}\n\n{table(['', 'measured'], moments)}"


PART = Part("adaptive", "The adaptive size", measure, promises, tables)

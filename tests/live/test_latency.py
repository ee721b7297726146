"""What the pipeline adds to the time that the model takes, in a simulation without chance.

Source and model take simulated time. It passes only when neither can go on without it, so that
the speed of this machine plays no part.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.types import Frame, Image
from tests.live.fakes import FakeClock, FakeDisplay, FakeSource, FakeStylizer, Running, picture

FRAMES = 300


class World:
    """A simulated source and a simulated model on one simulated clock.

    Args:
        interval: Seconds between the source's frames.
        model: Seconds that the model takes for its calls, in turn.
    """

    def __init__(self, interval: float, model: Iterator[float], display: bool) -> None:
        self.clock = FakeClock()
        self._interval, self._model = interval, model
        self._wakes: dict[str, float] = {}
        self._changed = threading.Condition()
        self._sent = 0
        self.source = FakeSource(iter(self._next, StopIteration))
        self.capture = CaptureWorker(lambda: self.source, self.clock)
        self._skipped: Frame | None = None
        self._take = self.capture.slot.take
        self.capture.slot.take = self._take_in_time  # type: ignore[method-assign]
        self.stylizer = FakeStylizer()
        self._infer = self.stylizer.infer
        self.stylizer.infer = self._infer_in_time  # type: ignore[method-assign]
        self.display = FakeDisplay(self.clock) if display else None
        self.pipeline = LivePipeline(
            self.capture, self.stylizer, PipelineOptions(max_frames=FRAMES), clock=self.clock
        )

    def run(self) -> dict[str, float]:
        """Simulate; the latencies in milliseconds."""
        self.capture.start()
        with Running(self.pipeline, self.display) as running:
            while running.alive:
                self._let_time_pass()
        assert running.error is None
        assert self.pipeline.stats.frames == FRAMES
        return self.pipeline.stats.latency_ms()

    def _sleep(self, who: str, until: float) -> None:
        with self._changed:
            self._wakes[who] = until
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: who not in self._wakes, 30)

    def _next(self) -> Frame | None:
        if self._over:
            return None
        self._sleep("source", 1000.0 + self._sent * self._interval)
        self._sent += 1
        return Frame(picture(self._sent), self._sent, self.clock.now())

    def _take_in_time(
        self, timeout: float, wait_for_newer: Callable[[Frame], float] | None = None
    ) -> Frame | None:
        """As `LatestSlot.take`; the next frame comes in simulated time, before the wait ends."""

        def simulated(frame: Frame) -> float:
            assert wait_for_newer is not None
            seconds = wait_for_newer(frame)
            if seconds <= 0:
                return 0.0
            assert seconds <= 1.25 * self._interval
            self._skipped = frame
            return 30.0

        return self._take(timeout, simulated)

    @property
    def _over(self) -> bool:
        return self.pipeline.stats.frames >= FRAMES

    def _infer_in_time(self, image: Image, time: float, prefetched: None) -> StylizedFrame:
        self._sleep("model", self.clock.now() + next(self._model))
        return self._infer(image, time, prefetched)

    def _quiet(self) -> bool:
        """Whether nothing can happen before time passes."""
        if "source" not in self._wakes:
            return False
        slot = self.capture.slot
        taken = self._sent - slot.replaced - (not slot.empty)
        if "model" in self._wakes:
            return self.pipeline.stats.frames == taken - 1
        skipped = self._skipped is not None and self._skipped.index == self.capture.next_index - 1
        return (slot.empty or skipped) and self.pipeline.stats.frames == taken

    def _let_time_pass(self) -> None:
        with self._changed:
            if not self._wakes or not (self._over or self._quiet()):
                self._changed.wait(0.0003)
                return
            soonest = min(self._wakes.values())
            self.clock.advance(max(0.0, soonest - self.clock.now()))
            for who in [who for who, wake in self._wakes.items() if wake <= self.clock.now()]:
                del self._wakes[who]
            self._changed.notify_all()


def model_times(mean: float) -> Iterator[float]:
    """Calls of a model: a tenth up or down, and one in fifty half as long again."""
    rng = np.random.default_rng(3)
    for number in itertools.count():
        yield mean * (1.5 if number % 50 == 49 else float(rng.uniform(0.9, 1.1)))


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize(
    ("interval", "model"),
    [(1 / 30, 0.100), (1 / 60, 0.045), (1 / 30, 0.012), (1 / 10, 0.030), (1 / 30, 1 / 30)],
    ids=["much slower model", "slower model", "faster model", "slow camera", "equal"],
)
def test_added_latency(interval: float, model: float, display: bool) -> None:
    latency = World(interval, model_times(model), display).run()
    assert latency["p50"] <= 1000 * (model + interval)
    assert latency["p99"] <= 2 * latency["p50"]


def test_fast_model_waits_for_the_source_only() -> None:
    latency = World(1 / 30, itertools.repeat(0.010), False).run()
    assert latency == {"p50": 10.0, "p95": 10.0, "p99": 10.0}


def test_one_slow_frame_delays_no_other() -> None:
    # Without skipping frames, each of these makes the ten after it late.
    costs = itertools.cycle([0.030] * 30 + [0.060])
    world = World(1 / 30, costs, False)
    latency = world.run()
    assert latency["p50"] == latency["p95"] == pytest.approx(30.0, abs=0.02)
    assert latency["p99"] <= 60.1
    # At the price of one frame more than the slow one covers.
    assert world.pipeline.dropped <= 2 * FRAMES // 30
    assert world.pipeline.stats.fps() >= 28.0


def test_slow_worker_skips_nothing() -> None:
    world = World(1 / 30, itertools.repeat(0.050), False)
    latency = world.run()
    assert world.pipeline.stats.fps() == pytest.approx(20.0, rel=0.01)
    assert latency["p99"] <= 50.0 + 1000 / 30


def test_worker_is_never_idle_with_a_fast_source() -> None:
    world = World(1 / 60, itertools.repeat(0.050), False)
    latency: dict[str, Any] = world.run()
    assert world.pipeline.stats.fps() == pytest.approx(20.0, rel=0.01)
    # A frame is at most one interval old when the network begins with it.
    assert 50.0 <= latency["p50"] <= latency["p99"] <= 50.0 + 1000 / 60 + 0.01

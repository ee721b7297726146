"""A pipeline with a source, a stylizer, sinks and a display that the test holds in its hand."""

from collections.abc import Callable
from typing import Any

from live_nst.live.pipeline import LivePipeline
from live_nst.sinks.base import Sink
from tests.live.fakes import FakeClock, FakeDisplay, FakeStylizer, Hand, Running, wait_until


class PipelineHarness:
    """A pipeline with fakes around it; `with stage.running:` runs it."""

    def __init__(self, clock: FakeClock, *sinks: Sink, display: bool = False, **limits: Any):
        self.clock = clock
        self.hand = Hand(clock)
        self.stylizer = FakeStylizer()
        self.display = FakeDisplay(clock) if display else None
        self.warnings: list[str] = []
        self.pipeline = LivePipeline(
            self.hand.capture,
            self.stylizer,
            sinks=sinks,
            display=self.display,
            clock=clock,
            warn=self.warnings.append,
            **limits,
        )
        self.running = Running(self.pipeline)
        self.hand.capture.start()
        self.hand.capture.wait_opened()

    @property
    def frames(self) -> int:
        return self.pipeline.stats.frames

    def show(self, count: int = 1) -> None:
        """Have frames shown, one after the other."""
        for _ in range(count):
            shown = self.frames
            self.hand.give()
            wait_until(lambda shown=shown: self.frames > shown, "the frame was not shown")

    def give_until_it_ends(self) -> None:
        """Give frames faster than they can be painted, so that some wait when the end comes."""
        slot = self.hand.capture.slot
        while self.running.alive:
            self.hand.give(3)
            wait_until(lambda: slot.empty or not self.running.alive)


MakeHarness = Callable[..., PipelineHarness]

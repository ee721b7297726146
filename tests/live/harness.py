"""A pipeline whose source, stylizer, sinks and display the test controls."""

from collections.abc import Callable
from typing import Any

from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.sinks.base import Sink
from tests.live.fakes import FakeClock, FakeDisplay, FakeStylizer, FrameFeeder, Running, wait_until


class PipelineHarness:
    """A pipeline with fakes around it; `with harness.running:` runs it.

    Args:
        clock: The time of the pipeline.
        sinks: Its sinks.
        display: Whether there is a display.
        options: Fields of `PipelineOptions`.
    """

    def __init__(self, clock: FakeClock, *sinks: Sink, display: bool = False, **options: Any):
        self.clock = clock
        self.feeder = FrameFeeder(clock)
        self.stylizer = FakeStylizer()
        self.display = FakeDisplay(clock) if display else None
        self.warnings: list[str] = []
        self.pipeline = LivePipeline(
            self.feeder.capture,
            self.stylizer,
            PipelineOptions(**options),
            sinks=sinks,
            clock=clock,
            notify=self.warnings.append,
        )
        self.running = Running(self.pipeline, self.display)
        self.feeder.capture.start()
        self.feeder.capture.wait_opened()

    @property
    def frames(self) -> int:
        return self.pipeline.stats.frames

    def show(self, count: int = 1) -> None:
        """Have frames shown, one after the other."""
        for _ in range(count):
            shown = self.frames
            self.feeder.give()
            wait_until(lambda shown=shown: self.frames > shown, "the frame was not shown")

    def give_until_it_ends(self) -> None:
        """Give frames faster than they can be stylized, so that some wait when the end comes."""
        slot = self.feeder.capture.slot
        while self.running.alive:
            self.feeder.give(3)
            wait_until(lambda: slot.empty or not self.running.alive)


MakeHarness = Callable[..., PipelineHarness]

"""What the tests of the live pipeline share, and what they must leave behind: nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from live_nst.sinks.base import Sink
from tests.live.fakes import FakeClock, disregard_threads, own_threads, wait_until
from tests.live.harness import MakeHarness, PipelineHarness


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    disregard_threads()
    yield
    wait_until(lambda: not own_threads(), f"threads are left: {own_threads()}")


@pytest.fixture
def make_harness(clock: FakeClock) -> Iterator[MakeHarness]:
    made: list[PipelineHarness] = []

    def make(*sinks: Sink, **options: Any) -> PipelineHarness:
        made.append(PipelineHarness(clock, *sinks, **options))
        return made[-1]

    yield make
    for one in made:
        one.stylizer.gate.set()
        one.stylizer.loading.set()
        one.feeder.capture.close()

from typing import Any

import pytest

from live_nst.engines.runner_cache import RunnerCache
from live_nst.errors import ModelError


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class SlowEngine:
    """Takes as many seconds to compile as the width of the network has hundreds of pixels."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def compile(self, camera: Any, size: tuple[int, int]) -> Any:
        self._clock.sleep(size[0] / 100)
        if size[0] > 1000:
            raise ModelError("too large", "choose another --size")
        return lambda image, style: size


def test_longest_compilation() -> None:
    clock = Clock()
    runners = RunnerCache(SlowEngine(clock), clock)  # type: ignore[arg-type]
    assert runners.longest_compilation == 0
    runners((640, 360), (500, 280))
    runners((640, 360), (300, 168))
    assert runners.longest_compilation == pytest.approx(5.0)
    clock.sleep(50)
    runners((640, 360), (500, 280))  # is there already
    assert runners.longest_compilation == pytest.approx(5.0)


def test_a_failed_compilation_says_nothing_about_the_time() -> None:
    clock = Clock()
    runners = RunnerCache(SlowEngine(clock), clock)  # type: ignore[arg-type]
    with pytest.raises(ModelError):
        runners((640, 360), (1280, 720))
    assert runners.longest_compilation == 0

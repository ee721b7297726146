import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.runtime.timing import RateMeter, RollingPercentiles, SystemClock


def test_system_clock_now() -> None:
    clock = SystemClock()
    before = time.monotonic()
    now = clock.now()
    assert before <= now <= time.monotonic()


def test_system_clock_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    for seconds in (0.5, 0.0, -3.0):
        SystemClock().sleep(seconds)
    assert slept == [0.5]


def test_rate_needs_two_events() -> None:
    meter = RateMeter()
    assert meter.rate() == 0
    meter.tick(5.0)
    assert meter.rate() == 0
    meter.tick(5.0)
    assert meter.rate() == 0
    meter.tick(5.5)
    assert meter.rate() == pytest.approx(4)


@given(st.floats(1, 240), st.floats(0, 1e6))
def test_rate(rate: float, start: float) -> None:
    meter = RateMeter(window=2.0)
    for index in range(200):
        meter.tick(start + index / rate)
    assert meter.rate() == pytest.approx(rate, rel=1e-3)


def test_rate_within_window() -> None:
    meter = RateMeter(window=2.0)
    for index in range(300):
        meter.tick(index / 100)  # three seconds at 100
    for index in range(21):
        meter.tick(3 + index / 10)  # two seconds at 10
    assert meter.rate() == pytest.approx(10, rel=0.1)


def test_rate_with_pause() -> None:
    meter = RateMeter(window=2.0)
    meter.tick(0.0)
    meter.tick(1.0)
    meter.tick(60.0)
    assert meter.rate() == 0
    meter.tick(61.0)
    assert meter.rate() == pytest.approx(1)


def test_percentile_without_values() -> None:
    samples = RollingPercentiles()
    assert len(samples) == 0
    assert samples.percentile(50) == 0.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 100))
def test_percentile(values: list[float], percent: float) -> None:
    samples = RollingPercentiles()
    for value in values:
        samples.add(value)
    assert len(samples) == len(values)
    assert samples.percentile(percent) == pytest.approx(np.percentile(values, percent))


def test_percentile_keeps_the_newest() -> None:
    samples = RollingPercentiles(capacity=10)
    for value in range(100):
        samples.add(value)
    assert len(samples) == 10
    assert samples.percentile(0) == 90
    assert samples.percentile(100) == 99

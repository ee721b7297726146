from functools import partial

import psutil
import pytest

from live_nst.bench.measurement import (
    BackgroundLoadMeter,
    CpuUsage,
    MeasurementRounds,
    block_seconds,
    read_cpu_usage,
    time_calls,
)
from tests.bench.fakes import Clock, Meter


def meter(clock: Clock, *usages: tuple[float, float], cores: int = 2) -> BackgroundLoadMeter:
    left = [CpuUsage(*usage) for usage in usages]
    return BackgroundLoadMeter(lambda: left.pop(0), clock, cores)


@pytest.mark.parametrize(
    ("busy", "own", "share"),
    [
        (20.0, 20.0, 0.0),  # all of it was ours
        (20.0, 10.0, 0.5),  # one core of two
        (4.0, 1.0, 0.15),
        (1.0, 1.5, 0.0),  # counters tick at different moments
        (90.0, 0.0, 1.0),
    ],
)
def test_background_load(busy: float, own: float, share: float) -> None:
    clock = Clock()
    load = meter(clock, (1000, 50), (1000 + busy, 50 + own))
    clock.sleep(10)
    assert load.share() == pytest.approx(share)


def test_background_load_without_time() -> None:
    assert meter(Clock(), (0, 0)).share() == 0.0


def test_read_cpu_usage() -> None:
    before = read_cpu_usage()
    process = psutil.Process()
    start = sum(process.cpu_times()[:2])
    while sum(process.cpu_times()[:2]) - start < 0.1:
        sum(range(10_000))
    after = read_cpu_usage()
    assert after.own - before.own >= 0.09
    assert after.busy - before.busy >= 0.05


def test_time_calls_skips_the_first_call_of_a_block() -> None:
    clock, order = Clock(), []

    def slow_at_first(name: str, seconds: float) -> None:
        order.append(name)
        clock.sleep(10.0 if order.count(name) == 1 else seconds)

    times = time_calls(
        {"a": lambda: slow_at_first("a", 0.125), "b": lambda: slow_at_first("b", 0.5)},
        seconds=0.625,
        least=2,
        clock=clock,
    )
    assert times["a"] == pytest.approx([0.125] * 5)
    assert times["b"] == pytest.approx([0.5] * 2)
    assert "".join(order) == "a" * 6 + "b" * 3


def test_time_calls_with_turns() -> None:
    clock, order = Clock(), []
    calls = {name: lambda name=name: (order.append(name), clock.sleep(0.25)) for name in "ab"}
    times = time_calls(calls, seconds=0.25, turns=3, least=1, clock=clock)
    assert times["a"] == pytest.approx([0.25] * 3)
    assert "".join(order) == "aabb" * 3


def test_time_calls_with_least() -> None:
    clock = Clock()
    times = time_calls({"slow": lambda: clock.sleep(7)}, seconds=0.1, least=3, clock=clock)
    assert times["slow"] == pytest.approx([7.0] * 3)


def test_rounds_repeat_busy_rounds() -> None:
    rounds: MeasurementRounds[int] = MeasurementRounds(3)
    numbers, told = iter(range(100)), []
    rounds.run(lambda: next(numbers), on_load=told.append, meter=Meter(0.0, 0.4, 0.15, 0.2, 0.1))
    assert told == [0.0, 0.4, 0.15, 0.2, 0.1]
    assert rounds.quiet == [0, 2, 4]
    assert rounds.discarded == 2
    assert rounds.complete


def test_rounds_end_on_a_busy_machine() -> None:
    rounds: MeasurementRounds[int] = MeasurementRounds(2)
    rounds.run(lambda: 1, meter=Meter(0.9))
    assert len(rounds.results) == 6
    assert rounds.quiet == []
    assert not rounds.complete


def test_rounds_with_deadline() -> None:
    clock = Clock()
    rounds: MeasurementRounds[None] = MeasurementRounds(9)
    rounds.run(lambda: clock.sleep(4), meter=Meter(0.0), clock=clock, deadline=clock.now() + 10)
    assert len(rounds.results) == 3
    late: MeasurementRounds[None] = MeasurementRounds(9)
    late.run(lambda: clock.sleep(4), meter=Meter(0.0), clock=clock, deadline=clock.now() - 1)
    assert len(late.results) == 1


def test_rounds_keep_results_when_interrupted() -> None:
    rounds: MeasurementRounds[int] = MeasurementRounds(5)

    def play() -> int:
        if len(rounds.results) == 2:
            raise KeyboardInterrupt
        return 7

    with pytest.raises(KeyboardInterrupt):
        rounds.run(play, meter=Meter(0.0))
    assert rounds.results == [7, 7]
    assert rounds.quiet == [7, 7]


@pytest.mark.parametrize(
    "calls", [[0.01], [0.01, 0.02, 0.03], [0.005, 0.3, 0.02, 0.6], [0.1] * 5, [0.9, 0.9]]
)
def test_block_seconds(calls: list[float]) -> None:
    clock = Clock()
    named = {str(n): partial(clock.sleep, call) for n, call in enumerate(calls)}
    for seconds in (8.0, 12.0):
        before = clock.now()
        time_calls(named, seconds=block_seconds(calls, seconds), clock=clock)
        assert clock.now() - before == pytest.approx(seconds, abs=0.5 * sum(calls) + 1e-6)


def test_block_seconds_with_too_little_time() -> None:
    assert block_seconds([0.5, 0.5], 3.0) <= 0.5
    assert block_seconds([1.0], 1.0) < 0

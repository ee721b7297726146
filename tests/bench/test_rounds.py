from functools import partial

import pytest

from live_nst.bench.measurement import MeasurementRounds, block_seconds, time_calls
from tests.bench.fakes import Clock, Meter


def test_calls_run_in_turn_and_the_first_of_a_block_is_not_counted() -> None:
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


def test_short_blocks_take_turns() -> None:
    clock, order = Clock(), []
    calls = {name: lambda name=name: (order.append(name), clock.sleep(0.25)) for name in "ab"}
    times = time_calls(calls, seconds=0.25, turns=3, least=1, clock=clock)
    assert times["a"] == pytest.approx([0.25] * 3)
    assert "".join(order) == "aabb" * 3


def test_slow_calls_are_counted_often_enough() -> None:
    clock = Clock()
    times = time_calls({"slow": lambda: clock.sleep(7)}, seconds=0.1, least=3, clock=clock)
    assert times["slow"] == pytest.approx([7.0] * 3)


def test_busy_rounds_are_discarded_and_played_again() -> None:
    rounds: MeasurementRounds[int] = MeasurementRounds(3)
    numbers, told = iter(range(100)), []
    rounds.play(lambda: next(numbers), tell=told.append, meter=Meter(0.0, 0.4, 0.15, 0.2, 0.1))
    assert told == [0.0, 0.4, 0.15, 0.2, 0.1]
    assert rounds.quiet == [0, 2, 4]
    assert rounds.discarded == 2
    assert rounds.complete


def test_a_busy_machine_is_given_up() -> None:
    rounds: MeasurementRounds[int] = MeasurementRounds(2)
    rounds.play(lambda: 1, meter=Meter(0.9))
    assert len(rounds.results) == 6
    assert rounds.quiet == []
    assert not rounds.complete


def test_no_round_begins_after_the_deadline_but_one_is_played() -> None:
    clock = Clock()
    rounds: MeasurementRounds[None] = MeasurementRounds(9)
    rounds.play(lambda: clock.sleep(4), meter=Meter(0.0), clock=clock, deadline=clock.now() + 10)
    assert len(rounds.results) == 3
    late: MeasurementRounds[None] = MeasurementRounds(9)
    late.play(lambda: clock.sleep(4), meter=Meter(0.0), clock=clock, deadline=clock.now() - 1)
    assert len(late.results) == 1


def test_what_was_played_stays_when_a_round_is_interrupted() -> None:
    rounds: MeasurementRounds[int] = MeasurementRounds(5)

    def play() -> int:
        if len(rounds.results) == 2:
            raise KeyboardInterrupt
        return 7

    with pytest.raises(KeyboardInterrupt):
        rounds.play(play, meter=Meter(0.0))
    assert rounds.results == [7, 7]
    assert rounds.quiet == [7, 7]


@pytest.mark.parametrize(
    "calls", [[0.01], [0.01, 0.02, 0.03], [0.005, 0.3, 0.02, 0.6], [0.1] * 5, [0.9, 0.9]]
)
def test_blocks_last_as_long_as_there_is_time(calls: list[float]) -> None:
    clock = Clock()
    named = {str(n): partial(clock.sleep, call) for n, call in enumerate(calls)}
    for seconds in (8.0, 12.0):
        before = clock.now()
        time_calls(named, seconds=block_seconds(calls, seconds), clock=clock)
        assert clock.now() - before == pytest.approx(seconds, abs=0.5 * sum(calls) + 1e-6)


def test_too_little_time_for_the_least_number_of_calls() -> None:
    assert block_seconds([0.5, 0.5], 3.0) <= 0.5
    assert block_seconds([1.0], 1.0) < 0

"""Which worker paints what, whatever happens to the workers."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from live_nst.conversion.cluster.attempts import Attempt, WorkerState
from live_nst.conversion.cluster.dispatch import Dispatch
from live_nst.conversion.cluster.packets import Chunk, ChunkMismatch, SentPacket
from live_nst.conversion.cluster.painting import PaintedChunk
from live_nst.conversion.video.painter import CannotSpread
from live_nst.errors import ConversionError, SinkError
from tests.conversion.cluster.farm import Clock, Everyone, Farm, Machine, chunk, chunks

STEP = 0.1


class Run:
    """One film at a farm."""

    def __init__(
        self,
        farm: Farm,
        source: Iterator[Chunk],
        *,
        max_bytes: int = 1 << 30,
        events: dict[float, Callable[[], None]] | None = None,
        store: Callable[[Chunk, PaintedChunk], None] = lambda chunk, painted: None,
    ) -> None:
        self.farm, self.stored, self.roster = farm, [], Everyone(farm)
        self._events = dict(events or {})
        self.states: Counter[str] = Counter()
        self.most_frames = 0

        def take(chunk: Chunk, painted: PaintedChunk) -> None:
            store(chunk, painted)
            self.stored.append(painted.segment.number)

        roster: Any = self.roster
        self.dispatch = Dispatch(farm, roster, None, source, take, farm.clock, max_bytes)

    stored: list[int]

    def __call__(self) -> "Run":
        self.dispatch.run(self._tick, 0)
        return self

    def _tick(self) -> None:
        self.farm.advance(STEP)
        assert self.farm.clock.time < 1000, "it never ends"
        for time in [each for each in self._events if each <= self.farm.clock.time]:
            self._events.pop(time)()
        self.states.update(worker.state for worker in self.dispatch.progress())
        self.most_frames = max(self.most_frames, self.dispatch.frames)


def test_every_chunk_once() -> None:
    farm = Farm(Clock(), a=Machine(), b=Machine(2.0), c=Machine(3.0))
    run = Run(farm, chunks(40))()
    assert sorted(run.stored) == list(range(40))
    assert len(farm.painted) == 40 or farm.clock.time < 25
    assert farm.clock.time == pytest.approx(40 / (1 + 1 / 2 + 1 / 3), rel=0.15)
    assert run.most_frames > 5


def test_worker_that_dies() -> None:
    farm = Farm(Clock(), a=Machine(), b=Machine(), c=Machine())
    run = Run(farm, chunks(30), events={3.5: lambda: farm.kill("b")})()
    assert sorted(run.stored) == list(range(30))
    assert sum(Counter(farm.begun).values()) <= 31  # only what it was painting


def test_all_die_and_others_join() -> None:
    farm = Farm(Clock(), a=Machine())

    def replace() -> None:
        farm.machines["z"] = Machine()

    events: dict[float, Callable[[], None]] = {2.5: lambda: farm.kill("a"), 30.0: replace}
    run = Run(farm, chunks(6), events=events)()
    assert sorted(run.stored) == list(range(6))


def test_worker_that_joins_gets_work() -> None:
    farm = Farm(Clock(), a=Machine())
    Run(farm, chunks(20), events={5.0: lambda: farm.machines.update(b=Machine())})()
    assert farm.clock.time < 14


def test_worker_that_hangs_and_wakes_up() -> None:
    farm = Farm(Clock(), a=Machine(), b=Machine(), c=Machine())
    stopped = farm.machines["b"]
    events = {
        3.5: lambda: setattr(stopped, "stopped", True),
        30.0: lambda: setattr(stopped, "stopped", False),
    }
    run = Run(farm, chunks(100), events=events)()
    assert sorted(run.stored) == list(range(100))
    assert max(Counter(farm.painted).values()) <= 2
    assert sum(Counter(farm.painted).values()) <= 101
    assert run.states["late"] > 0
    assert farm.clock.time < 52  # without the second half of its time it would be 50
    assert not run.roster.left_out


def test_worker_that_hangs_at_once() -> None:
    farm = Farm(Clock(), a=Machine(), b=Machine(stopped=True))
    run = Run(farm, chunks(8))()
    assert sorted(run.stored) == list(range(8))
    assert farm.clock.time < 25


def test_slow_worker_does_not_hold_the_end_back() -> None:
    farm = Farm(Clock(), a=Machine(), b=Machine(), slow=Machine(60.0))
    run = Run(farm, chunks(40))()
    assert sorted(run.stored) == list(range(40))
    assert farm.clock.time < 24  # two workers alone take 20


def test_chunk_that_fails_three_times() -> None:
    def fail(chunk: Chunk) -> Exception | None:
        return SinkError("the disk is full", "free some space") if chunk.number == 5 else None

    farm = Farm(Clock(), **{name: Machine(error=fail) for name in "abcd"})
    run = Run(farm, chunks(20))
    with pytest.raises(ConversionError, match="Frames 50 to 60 cannot be painted: the disk is f"):
        run()
    assert Counter(farm.begun)[5] == 3 and 5 not in run.stored
    assert {0, 1, 2, 3, 4} <= set(run.stored)
    assert not run.roster.left_out


def test_worker_that_fails_is_left_out() -> None:
    broken = Machine(0.2, error=lambda chunk: SinkError("the disk is full"))
    farm = Farm(Clock(), a=Machine(), b=broken, c=Machine())
    run = Run(farm, chunks(20))()
    assert sorted(run.stored) == list(range(20))
    assert run.roster.reasons == ["the disk is full"]


def test_only_worker_that_fails_once_goes_on() -> None:
    failures = iter([RuntimeError("once")])
    farm = Farm(Clock(), a=Machine(error=lambda chunk: next(failures, None)))
    assert sorted(Run(farm, chunks(4))().stored) == [0, 1, 2, 3]


def test_chunk_that_kills_its_workers() -> None:
    farm = Farm(Clock(), **{name: Machine() for name in "abcdef"})

    def kill_who_paints_three() -> None:
        for name, machine in list(farm.machines.items()):
            if machine.tasks and machine.tasks[0].chunk.number == 3 and machine.tasks[0].spent:
                farm.kill(name)

    events = {0.1 * step: kill_who_paints_three for step in range(1, 200)}
    run = Run(farm, chunks(12), events=events)
    with pytest.raises(ConversionError, match="3 workers died while they painted"):
        run()
    assert len(farm.machines) == 3


def test_what_cannot_be_spread_comes_last() -> None:
    def source() -> Iterator[Chunk]:
        yield from chunks(5)
        raise CannotSpread("the film is damaged")

    farm = Farm(Clock(), a=Machine(), b=Machine())
    run = Run(farm, source())
    with pytest.raises(CannotSpread, match="damaged"):
        run()
    assert sorted(run.stored) == [0, 1, 2, 3, 4]


def test_mismatch_ends_the_spreading() -> None:
    def mismatch(chunk: Chunk) -> Exception | None:
        return ChunkMismatch("there is no frame at 7") if chunk.number == 4 else None

    farm = Farm(Clock(), a=Machine(error=mismatch), b=Machine(error=mismatch))
    run = Run(farm, chunks(20))
    with pytest.raises(CannotSpread, match="no frame at 7"):
        run()
    assert Counter(farm.begun)[4] == 1 and {0, 1, 2, 3} <= set(run.stored)


def test_store_that_refuses_a_seam() -> None:
    def refuse(chunk: Chunk, painted: PaintedChunk) -> None:
        if chunk.number == 2:
            raise CannotSpread("frame 19 differs")

    run = Run(Farm(Clock(), a=Machine()), chunks(9), store=refuse)
    with pytest.raises(CannotSpread, match="frame 19"):
        run()
    assert 2 not in run.stored


def test_packets_in_flight_are_bounded() -> None:
    farm = Farm(Clock(), **{f"w{number}": Machine() for number in range(20)})
    Run(farm, chunks(60, size=1000), max_bytes=5000)()
    assert farm.most_in_flight <= 5000
    farm = Farm(Clock(), **{f"w{number}": Machine() for number in range(3)})
    Run(farm, chunks(60, size=1000))()
    assert farm.most_in_flight <= 6000


def test_nobody_comes_back() -> None:
    farm = Farm(Clock(), a=Machine())
    run = Run(farm, chunks(6), events={1.5: lambda: farm.kill("a")})
    with pytest.raises(ConversionError, match="no workers at the farm any more"):
        run()
    assert run.stored == [0]


def test_error_of_tick_ends_everything() -> None:
    farm = Farm(Clock(), a=Machine())

    def stop() -> None:
        raise KeyboardInterrupt

    run = Run(farm, chunks(6), events={1.5: stop})
    with pytest.raises(KeyboardInterrupt):
        run()
    assert all(task.future.cancelled() for task in farm.machines["a"].tasks)


def test_random_faults() -> None:
    """Whatever dies, hangs, wakes up and joins: every chunk is stored once."""
    for seed in range(30):
        rng = random.Random(seed)
        farm = Farm(Clock(), **{f"w{number}": Machine(rng.uniform(0.3, 3)) for number in range(4)})

        def disturb(rng: random.Random = rng, farm: Farm = farm) -> None:
            name = rng.choice(list(farm.machines))
            kind = rng.choice(["kill", "stop", "join", "join", "wake"])
            others = [farm.machines[each] for each in farm.machines if each != name]
            if kind == "join":
                farm.machines[f"n{farm.clock.time}"] = Machine(rng.uniform(0.3, 3))
            elif kind == "wake":
                farm.machines[name].stopped = False
            elif any(not each.stopped for each in others):
                if kind == "kill":
                    farm.kill(name)
                else:
                    farm.machines[name].stopped = True

        events = {rng.uniform(0, 30): disturb for _ in range(12)}
        run = Run(farm, chunks(60), events=events)
        try:
            run()
        except ConversionError as exc:  # three workers died with the same chunk
            assert "workers died" in exc.message
            continue
        assert sorted(run.stored) == list(range(60)), seed


def test_remaining_time_counts_the_warm_up() -> None:
    """A worker reports frames only when the warm-up is over; it takes as long as they do."""
    frames = tuple((number, True) for number in range(14))
    warm = Chunk(1, 10, 4, frames, (SentPacket(b"", 0, 0, 1, True),), False)
    running, waiting = (Attempt(warm, "a", Future()) for _ in range(2))
    state = WorkerState([running, waiting])
    running.begin = 100.0
    assert state.remaining(running, 103.0, 2.0) == 28.0  # as usual, as nothing is known
    running.frames = 3
    assert state.remaining(running, 107.0, 2.0) == pytest.approx(7.0)  # a second for each of 7
    assert state.remaining(waiting, 107.0, 2.0) == pytest.approx(7.0 + 28.0)
    state.pace.add(1.0)
    assert state.remaining(waiting, 107.0, 2.0) == pytest.approx(7.0 + 14.0)


def test_rate_counts_what_is_painted_lately() -> None:
    """The warm-up is no progress, and what was long ago does not count."""
    frames = tuple((number, True) for number in range(14))
    warm = Chunk(1, 10, 4, frames, (SentPacket(b"", 0, 0, 1, True),), False)
    state = WorkerState([Attempt(warm, "a", Future())])
    rates = []
    for now, painted in ((0.0, 0), (4.0, 0), (8.0, 4), (14.0, 10), (24.0, 10), (40.0, 10)):
        state.attempts[0].frames = painted
        rates.append(state.progress("A", now, late=False).fps)
    assert rates == pytest.approx([0.0, 0.0, 4 / 8, 10 / 14, 10 / 24, 0.0])


def test_rate_goes_on_from_chunk_to_chunk() -> None:
    farm = Farm(Clock(), a=Machine(2.0), b=Machine(4.0))
    seen: list[tuple[float, ...]] = []
    run = Run(farm, chunks(40))
    tick = run._tick

    def look() -> None:
        tick()
        seen.append(tuple(each.fps for each in run.dispatch.progress()))

    run.dispatch.run(look, 0)
    later = seen[len(seen) // 2 : len(seen) * 3 // 4]
    assert all(a == pytest.approx(5.0, rel=0.2) for a, _ in later)
    assert all(b == pytest.approx(2.5, rel=0.2) for _, b in later)


def test_chunk_knows_its_length() -> None:
    assert chunk(3).length == 10

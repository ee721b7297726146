"""Workers that cost nothing, on a clock that tests advance."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from live_nst.conversion.cluster.packets import Chunk, SentPacket
from live_nst.conversion.cluster.painting import PaintedChunk
from live_nst.conversion.cluster.workers import WorkerLost
from live_nst.conversion.video.segments import Segment

LENGTH = 10  # frames of a chunk


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass(eq=False)
class Task:
    chunk: Chunk
    future: "Future[Any]"
    progress: Callable[[int], None]
    spent: float = 0.0


@dataclass(eq=False)
class Machine:
    """One worker: paints a chunk in so many seconds."""

    seconds: float = 1.0
    stopped: bool = False
    error: Callable[[Chunk], Exception | None] = lambda chunk: None
    tasks: list[Task] = field(default_factory=list)


class Farm:
    """Stands for `Workers`; counts how often each chunk was begun and finished."""

    where, dashboard = "the farm", ""

    def __init__(self, clock: Clock, **machines: Machine) -> None:
        self.clock = clock
        self.machines = dict(machines)
        self.begun: list[int] = []
        self.painted: list[int] = []
        self.most_in_flight = 0

    def names(self) -> Mapping[str, str]:
        return {name: name.upper() for name in self.machines}

    def submit(
        self,
        worker: str,
        function: Callable[..., Any],
        *arguments: Any,
        progress: Callable[[int], None] = lambda done: None,
    ) -> "Future[Any]":
        future: Future[Any] = Future()
        if worker not in self.machines:
            future.set_exception(WorkerLost(worker))
        else:
            self.machines[worker].tasks.append(Task(arguments[1], future, progress))
        tasks = [task for machine in self.machines.values() for task in machine.tasks]
        self.most_in_flight = max(self.most_in_flight, sum(task.chunk.size for task in tasks))
        return future

    def close(self) -> None:
        pass

    def kill(self, name: str) -> None:
        del self.machines[name]  # its futures never end, as Dask's

    def advance(self, seconds: float) -> None:
        self.clock.time += seconds
        for machine in self.machines.values():
            machine.tasks = [
                task for task in machine.tasks if task.spent or not task.future.cancelled()
            ]
            if machine.stopped or not machine.tasks:
                continue
            task = machine.tasks[0]
            if not task.spent:
                self.begun.append(task.chunk.number)
            task.spent += seconds
            task.progress(int(LENGTH * min(1, task.spent / machine.seconds)))
            if task.spent < machine.seconds - 1e-9:
                continue
            machine.tasks.pop(0)
            if task.future.cancelled():
                continue
            error = machine.error(task.chunk)
            if error is not None:
                task.future.set_exception(error)
            else:
                self.painted.append(task.chunk.number)
                task.future.set_result(painted(task.chunk))


class Everyone:
    """Stands for `Roster`: everyone may paint until it is left out."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self.left_out: set[str] = set()
        self.reasons: list[str] = []
        self.accepted: dict[str, str] = {}

    def refresh(self) -> None:
        names = self._farm.names()
        self.accepted = {key: names[key] for key in names if key not in self.left_out}

    def leave_out(self, address: str, reason: str, hint: str = "") -> None:
        self.left_out.add(address)
        self.accepted.pop(address)
        self.reasons.append(reason)


def chunk(number: int, *, size: int = 100) -> Chunk:
    packets = (SentPacket(bytes(size), 0, 0, 1, True),)
    frames = tuple((LENGTH * number + index, True) for index in range(LENGTH))
    return Chunk(number, LENGTH * number, 0, frames, packets, False)


def chunks(count: int, *, size: int = 100) -> Iterator[Chunk]:
    return (chunk(number, size=size) for number in range(count))


def painted(chunk: Chunk) -> PaintedChunk:
    segment = Segment(
        number=chunk.number, frames=chunk.first + LENGTH, first=chunk.first,
        last=chunk.first + LENGTH - 1, end=chunk.first + LENGTH, checksum=chunk.number, reorder=0,
        extradata="", digest="", ending=None, stateful=False, packets=(),
    )  # fmt: skip
    return PaintedChunk(segment, b"", chunk.number - 1 if chunk.number else None, False)

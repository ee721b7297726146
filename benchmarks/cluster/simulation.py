"""A cluster that is simulated, with the program's own dispatch.

Time passes from event to event. The head's network is two lines of a bandwidth: packets go out one
chunk after the other, segments come back likewise. Reading and storing take the head's processor.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from live_nst.conversion.cluster.dispatch import Dispatch
from live_nst.conversion.cluster.packets import Chunk, SentPacket
from live_nst.conversion.cluster.painting import PaintedChunk
from live_nst.conversion.options import WARM_UP_FRAMES
from live_nst.conversion.video.segments import Segment


@dataclass(frozen=True)
class Film:
    """A film and what it costs.

    Attributes:
        frames: Number of frames.
        paint: Seconds that a worker takes for a frame.
        warm: The same for a frame of the warm-up: it is not encoded.
        packets: Bytes of a frame on the way to a worker.
        result: Bytes of a frame on the way back.
        head: Seconds of the head's processor for a frame: read, send, receive, store.
        join: Seconds for a frame at the end, when the segments are joined.
        start: Seconds until workers are examined.
    """

    frames: int
    paint: float
    warm: float
    packets: float
    result: float
    head: float
    join: float
    start: float = 10.0


@dataclass(eq=False)
class _Task:
    chunk: Chunk
    future: "Future[Any]"
    arrives: float
    ends: float | None = None


class SimulatedWorkers:
    """The workers, the network and the clock.

    Args:
        film: The film.
        number: How many workers.
        bandwidth: Bytes a second of the head's network, in each direction.
        spread: Standard deviation of the workers' speeds.
        slow: Share of the workers that take ten times as long.
        seed: Of the random numbers.
        step: Seconds between two looks at what happened.
    """

    where, dashboard = "simulation", ""

    def __init__(
        self,
        film: Film,
        number: int,
        bandwidth: float,
        *,
        spread: float = 0.1,
        slow: float = 0.01,
        seed: int = 1,
        step: float = 0.5,
    ) -> None:
        rng = random.Random(seed)
        self._film, self._bandwidth, self._step = film, bandwidth, step
        self._time = film.start
        self.accepted = {f"w{index:04}": f"w{index:04}" for index in range(number)}
        self.left_out: frozenset[str] = frozenset()
        self._speeds = {
            name: (0.1 if rng.random() < slow else 1.0) * max(0.5, rng.gauss(1, spread))
            for name in self.accepted
        }
        self._queues: dict[str, list[_Task]] = {name: [] for name in self.accepted}
        self._out_free = self._in_free = self._head_free = film.start
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.sent = 0
        self.tasks = 0

    def now(self) -> float:
        return self._time

    def sleep(self, seconds: float) -> None:
        self._time += seconds

    def refresh(self) -> None:
        pass

    def names(self) -> Mapping[str, str]:
        return self.accepted

    def close(self) -> None:
        pass

    def submit(
        self,
        worker: str,
        function: Callable[..., Any],
        *arguments: Any,
        progress: Callable[[int], None] = lambda done: None,
    ) -> "Future[Any]":
        chunk: Chunk = arguments[1]
        film, frames = self._film, chunk.length + chunk.warm_up
        size = frames * film.packets
        self._head_free = max(self._head_free, self._time) + chunk.length * film.head / 2
        self._out_free = max(self._out_free, self._head_free) + size / self._bandwidth
        self.sent += round(size)
        self.tasks += 1
        task = _Task(chunk, Future(), self._out_free)
        self._queues[worker].append(task)
        if len(self._queues[worker]) == 1:
            self._begin(worker)
        return task.future

    def _begin(self, worker: str) -> None:
        """Let a worker begin with the first task of its queue."""
        queue, film = self._queues[worker], self._film
        while queue and queue[0].future.cancelled():
            queue.pop(0)
        if not queue:
            return
        task = queue[0]
        seconds = task.chunk.length * film.paint + task.chunk.warm_up * film.warm
        ends = max(self._time, task.arrives) + seconds / self._speeds[worker]
        self._at(ends, lambda: self._painted(worker, task))

    def _painted(self, worker: str, task: _Task) -> None:
        self._queues[worker].remove(task)
        self._begin(worker)
        size = task.chunk.length * self._film.result
        self._in_free = max(self._in_free, self._time) + size / self._bandwidth
        self._at(self._in_free, lambda: self._stored(task))

    def _stored(self, task: _Task) -> None:
        self._head_free = max(self._head_free, self._time) + task.chunk.length * self._film.head / 2
        if not task.future.cancelled():
            task.future.set_result(_painted(task.chunk))

    def _at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), event))

    def advance(self) -> None:
        """Let time pass until something happens, at most two steps."""
        limit = self._time + 2 * self._step
        if self._events and self._events[0][0] <= limit:
            self._time, _, event = heapq.heappop(self._events)
            event()
            while self._events and self._events[0][0] <= self._time + self._step:
                heapq.heappop(self._events)[2]()
        else:
            self._time = limit


@dataclass(frozen=True)
class Outcome:
    """What a simulated run took.

    Attributes:
        seconds: From the command to the finished file.
        efficiency: Of what the workers could paint in that time without any loss.
        megabytes: Sent by the head.
        repeated: Chunks that were painted more than once.
    """

    seconds: float
    efficiency: float
    megabytes: float
    repeated: int


@dataclass
class _Counter:
    stored: set[int] = field(default_factory=set)

    def __call__(self, chunk: Chunk, painted: PaintedChunk) -> None:
        self.stored.add(chunk.number)


def simulate(film: Film, workers: int, chunk: int, bandwidth: float, **options: Any) -> Outcome:
    """Return what a film takes; see `SimulatedWorkers` for the options."""
    simulated = SimulatedWorkers(film, workers, bandwidth, **options)
    stored = _Counter()
    seam: Any = simulated
    dispatch = Dispatch(seam, seam, None, _chunks(film.frames, chunk), stored, seam, 1 << 62)
    dispatch.run(simulated.advance, 0)
    seconds = simulated.now() + film.frames * film.join
    ideal = film.frames * film.paint / workers
    repeated = simulated.tasks - len(stored.stored)
    return Outcome(seconds, ideal / seconds, simulated.sent / 1e6, repeated)


def _chunks(frames: int, length: int) -> Iterator[Chunk]:
    nothing = (SentPacket(b"", 0, 0, 1, True),)
    for number in range(-(-frames // length)):
        first = number * length
        count = min(length, frames - first)
        warm_up = min(first, WARM_UP_FRAMES)
        shown = ((0, True),) * (count + warm_up)
        yield Chunk(number, first, warm_up, shown, nothing, count < length)


def _painted(chunk: Chunk) -> PaintedChunk:
    segment = Segment(
        number=chunk.number, frames=chunk.first + chunk.length, first=0, last=0, end=0, checksum=0,
        reorder=0, extradata="", digest="", ending=None, stateful=False, packets=(),
    )  # fmt: skip
    return PaintedChunk(segment, b"", None, False)

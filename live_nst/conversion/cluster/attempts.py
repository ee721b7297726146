"""What the head knows of a worker: what it was given, how fast it is, and when it is late."""

import statistics
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from live_nst.conversion.cluster.packets import Chunk
from live_nst.conversion.cluster.painting import PaintedChunk
from live_nst.conversion.progress import RecentRate, WorkerProgress

PACES = 32  # chunks, or pictures, from which the usual time is taken
_LATE = 3.0  # so many times what something usually takes
_LATE_SECONDS = 5.0  # and so much longer, as short times vary
_REPEAT_GAIN = 1.5  # a chunk is repeated where it is done so many times sooner


def late_after(usual: float) -> float:
    """Return after how many seconds something is late that usually takes `usual` seconds."""
    return _LATE * usual + _LATE_SECONDS


@dataclass(eq=False)
class Attempt:
    """A chunk that is at a worker."""

    chunk: Chunk
    worker: str
    future: "Future[PaintedChunk]"
    frames: int = 0  # that are painted
    begin: float | None = None  # when the worker began with it

    @property
    def work(self) -> int:
        """Number of frames that the network sees: those of the warm-up, too."""
        return self.chunk.length + self.chunk.warm_up


class Pace:
    """Seconds that a frame usually takes.

    Attributes:
        usual: The median of the last chunks; None before the first one.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=PACES)
        self.usual: float | None = None

    def add(self, seconds: float) -> None:
        """Take note of what a frame of a chunk took."""
        self._seconds.append(seconds)
        self.usual = statistics.median(self._seconds)


@dataclass(eq=False)
class WorkerState:
    """What is known of a worker."""

    attempts: list[Attempt] = field(default_factory=list)
    frames: int = 0  # of the chunks that are done
    rate: RecentRate | None = None
    failures: int = 0  # since its last success
    pace: Pace = field(default_factory=Pace)

    def hangs(self, now: float, usual: float | None) -> bool:
        """Return whether its first attempt takes much longer than it should here.

        Args:
            now: The time.
            usual: Seconds that a frame takes at other workers; None if unknown.
        """
        pace = self.pace.usual or usual
        first = self.attempts[0] if self.attempts else None
        if first is None or first.begin is None or pace is None:
            return False
        return now - first.begin > late_after(pace * first.work)

    def progress(self, name: str, now: float, *, late: bool) -> WorkerProgress:
        """Return what the worker does, under a name; `late` is whether it hangs."""
        first = self.attempts[0] if self.attempts else None
        frames = self.frames + (first.frames if first is not None else 0)
        self.rate = self.rate or RecentRate(now, frames)
        state = "waiting" if first is None else "late" if late else "painting"
        return WorkerProgress(name, state, frames, self.rate.read(now, frames))

    def remaining(self, attempt: Attempt, now: float, usual: float) -> float:
        """Return an estimate of the seconds until one of its attempts is done.

        Args:
            attempt: The attempt.
            now: The time.
            usual: Seconds that a frame takes at other workers.
        """
        pace = self.pace.usual or usual
        first = self.attempts[0]
        ahead = 0.0 if first is attempt else self.remaining(first, now, usual)
        if attempt.begin is not None and attempt.frames:
            done = attempt.chunk.warm_up + attempt.frames
            return (now - attempt.begin) / done * (attempt.work - done)
        return ahead + pace * attempt.work


def repeats(
    workers: Mapping[str, WorkerState],
    free: list[str],
    done: set[int],
    now: float,
    usual: float | None,
) -> list[tuple[Chunk, str]]:
    """Return what workers with nothing to do repeat: what would otherwise be done last.

    Args:
        workers: The workers by their addresses.
        free: The addresses of those with nothing to do.
        done: The numbers of the chunks that are done.
        now: The time.
        usual: Seconds that a frame takes; None if unknown.
    """
    if usual is None:
        return []
    attempts = [each for worker in workers.values() for each in worker.attempts]
    counts = Counter(each.chunk.number for each in attempts)
    slow = [
        (workers[each.worker].remaining(each, now, usual), each)
        for each in attempts
        if counts[each.chunk.number] == 1 and each.chunk.number not in done
    ]
    slow.sort(key=lambda pair: -pair[0])
    return [
        (attempt.chunk, address)
        for address, (remaining, attempt) in zip(free, slow, strict=False)
        if remaining > _REPEAT_GAIN * (workers[address].pace.usual or usual) * attempt.work
    ]

"""Decide which worker paints which chunk, whatever happens to the workers.

Every worker has two chunks: one that it paints, and one that waits, so that it never waits for the
network. So the packets in flight are bounded by the number of workers, and by a number of bytes.
A chunk whose worker went away is given to another one. So is a chunk that is late, while its first
worker goes on: the first result counts, and all results are equal.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

from live_nst.conversion.cluster.attempts import Attempt, Pace, WorkerState, repeats
from live_nst.conversion.cluster.failures import Failures
from live_nst.conversion.cluster.packets import Chunk, ChunkMismatch
from live_nst.conversion.cluster.painting import PaintedChunk, paint_chunk
from live_nst.conversion.cluster.roster import Roster
from live_nst.conversion.cluster.workers import WorkerLost, Workers
from live_nst.conversion.progress import WorkerProgress
from live_nst.conversion.video.painter import CannotSpread
from live_nst.errors import ConversionError
from live_nst.runtime.timing import Clock

_DEPTH = 2  # chunks that a worker has: one that it paints, and one that waits
_NO_WORKER_SECONDS = 60.0


class Dispatch:
    """Has the chunks of one film painted.

    Args:
        workers: The workers.
        roster: Those that may paint.
        job: The film.
        chunks: The chunks to paint.
        store: Called with each result, once for each chunk, in any order.
        clock: The clock.
        max_bytes: Packets in flight take about so many bytes at most.
    """

    def __init__(
        self,
        workers: Workers,
        roster: Roster,
        job: Any,
        chunks: Iterator[Chunk],
        store: Callable[[Chunk, PaintedChunk], None],
        clock: Clock,
        max_bytes: int,
    ) -> None:
        self._seam, self._roster, self._job = workers, roster, job
        self._chunks, self._store, self._clock = chunks, store, clock
        self._max_bytes = self._room = max_bytes
        self._workers: dict[str, WorkerState] = {}
        self._again: deque[Chunk] = deque()
        self._done: set[int] = set()
        self._failures = Failures(roster)
        self._pace = Pace()
        self._exhausted = False
        self._cannot: CannotSpread | None = None
        self._alone_since: float | None = None
        self._changed = threading.Event()

    def run(self, tick: Callable[[], None], interval: float = 0.2) -> None:
        """Work until all chunks are painted.

        Args:
            tick: Called about every `interval` seconds; an exception stops the work.
            interval: Seconds.

        Raises:
            CannotSpread: What follows cannot be spread; all that can is stored.
            ConversionError: A chunk failed three times, or there are no workers any more.
        """
        try:
            while not self._step():
                tick()
                self._changed.wait(interval)
                self._changed.clear()
            tick()
        finally:
            for attempt in self._attempts():
                attempt.future.cancel()
        if self._cannot is not None:
            raise self._cannot

    @property
    def frames(self) -> int:
        """Number of frames that are painted and not stored yet."""
        best: dict[int, int] = {}
        for attempt in self._attempts():
            number = attempt.chunk.number
            best[number] = max(best.get(number, 0), attempt.frames)
        return sum(frames for number, frames in best.items() if number not in self._done)

    def progress(self) -> tuple[WorkerProgress, ...]:
        """Return what each worker does."""
        now = self._clock.now()
        rows = []
        for address, name in sorted(self._roster.accepted.items(), key=lambda item: item[1]):
            worker = self._workers.setdefault(address, WorkerState())
            rows.append(worker.progress(name, now, late=self._hangs(worker)))
        return tuple(rows)

    def _step(self) -> bool:
        """Do all that can be done now; return whether everything is done."""
        self._roster.refresh()
        self._take_results()
        self._drop_lost()
        self._give()
        self._repeat_late()
        self._check_workers()
        open_attempts = any(each.chunk.number not in self._done for each in self._attempts())
        return self._exhausted and not self._again and not open_attempts

    def _attempts(self) -> list[Attempt]:
        return [each for worker in self._workers.values() for each in worker.attempts]

    def _take_results(self) -> None:
        now = self._clock.now()
        for address, worker in self._workers.items():
            for attempt in list(worker.attempts):
                if attempt.future.done():
                    worker.attempts.remove(attempt)
                    self._take(address, worker, attempt, now)
            if worker.attempts and worker.attempts[0].begin is None:
                worker.attempts[0].begin = now

    def _take(self, address: str, worker: WorkerState, attempt: Attempt, now: float) -> None:
        """Store the result of an attempt, or have its chunk painted again."""
        chunk = attempt.chunk
        try:
            painted = attempt.future.result()
        except CancelledError:
            self._requeue(chunk)
            return
        except WorkerLost:
            if chunk.number not in self._done:
                self._failures.add_death(chunk)
            self._requeue(chunk)
            return
        except ChunkMismatch as exc:
            begin, end = chunk.first, chunk.first + chunk.length
            sentence = f"frames {begin} to {end} do not decode from a key frame as before ({exc})"
            self._stop(CannotSpread(sentence))
            return
        except Exception as exc:
            self._failures.add(address, worker, chunk, exc)
            self._requeue(chunk)
            return
        worker.failures = 0
        if attempt.begin is not None:
            pace = max(1e-9, now - attempt.begin) / attempt.work
            worker.pace.add(pace)
            self._pace.add(pace)
        if chunk.number in self._done:
            return
        worker.frames += chunk.length
        try:
            self._store(chunk, painted)
        except CannotSpread as exc:
            self._stop(exc)
            return
        self._done.add(chunk.number)
        for other in self._attempts():
            # What runs already cannot be ended: its worker is busy until it is done.
            if other.chunk.number == chunk.number and other.begin is None:
                other.future.cancel()

    def _requeue(self, chunk: Chunk) -> None:
        running = any(each.chunk.number == chunk.number for each in self._attempts())
        waiting = any(each.number == chunk.number for each in self._again)
        if chunk.number not in self._done and not running and not waiting:
            self._again.append(chunk)

    def _drop_lost(self) -> None:
        """Take back the chunks of workers that are gone."""
        for address, worker in list(self._workers.items()):
            if address in self._roster.accepted:
                continue
            del self._workers[address]
            for attempt in worker.attempts:
                attempt.future.cancel()
                is_death = attempt is worker.attempts[0] and address not in self._roster.left_out
                if is_death and attempt.chunk.number not in self._done:
                    self._failures.add_death(attempt.chunk)
                self._requeue(attempt.chunk)

    def _give(self) -> None:
        """Give chunks to the workers that have room: to each its first one, then the second."""
        self._room = self._max_bytes - sum(
            {each.chunk.number: each.chunk.size for each in self._attempts()}.values()
        )
        for depth in range(1, _DEPTH + 1):
            for address in self._roster.accepted:
                worker = self._workers.setdefault(address, WorkerState())
                if len(worker.attempts) >= depth or self._hangs(worker):
                    continue
                chunk = self._next_for(address)
                if chunk is not None:
                    self._send(chunk, address)

    def _hangs(self, worker: WorkerState) -> bool:
        """Return whether a worker is late with its chunk."""
        return worker.hangs(self._clock.now(), self._pace.usual)

    def _next_for(self, address: str) -> Chunk | None:
        """Return the next chunk for a worker; None if there is none now."""
        others = len(self._roster.accepted) > 1
        for chunk in list(self._again):
            if chunk.number in self._done:
                self._again.remove(chunk)
            elif not others or not self._failures.failed_at(chunk, address):
                self._again.remove(chunk)
                return chunk
        if self._exhausted or self._room <= 0:
            return None
        try:
            found = next(self._chunks, None)
        except CannotSpread as exc:
            self._stop(exc)
            return None
        self._exhausted = found is None
        self._room -= 0 if found is None else found.size
        return found

    def _send(self, chunk: Chunk, address: str) -> None:
        worker = self._workers[address]

        def count(frames: int) -> None:
            attempt.frames = frames

        attempt = Attempt(chunk, address, Future())
        worker.attempts.append(attempt)
        attempt.future = self._seam.submit(address, paint_chunk, self._job, chunk, progress=count)
        attempt.future.add_done_callback(lambda _: self._changed.set())
        if worker.attempts[0] is attempt:
            attempt.begin = self._clock.now()

    def _repeat_late(self) -> None:
        """Give chunks that are late to workers that are free."""
        now = self._clock.now()
        free = [
            address
            for address in self._roster.accepted
            if address in self._workers and not self._workers[address].attempts
        ]
        for address, worker in self._workers.items():
            if not self._hangs(worker) or len(self._roster.accepted) < 2:
                continue
            for waiting in worker.attempts[1:]:
                waiting.future.cancel()  # and so it is given to another worker
            chunk = worker.attempts[0].chunk
            others = [
                each
                for each in self._roster.accepted
                if each != address and not self._hangs(self._workers[each])
            ]
            if not self._runs_well(chunk) and chunk.number not in self._done and others:
                # Not only to a worker with nothing to do: a late chunk is the first one to need.
                others.sort(key=lambda each: len(self._workers[each].attempts))
                self._send(chunk, others[0])
        if free and self._exhausted and not self._again:
            for chunk, address in repeats(self._workers, free, self._done, now, self._pace.usual):
                self._send(chunk, address)

    def _runs_well(self, chunk: Chunk) -> bool:
        """Return whether a chunk is at a worker that does not hang."""
        return any(
            each.chunk.number == chunk.number
            for worker in self._workers.values()
            for each in worker.attempts
            if not self._hangs(worker)
        )

    def _stop(self, reason: CannotSpread) -> None:
        """Give no more chunks; those that are painted already are still stored."""
        self._cannot = self._cannot or reason
        self._exhausted = True
        self._again.clear()

    def _check_workers(self) -> None:
        """Raise if there was no worker for a while."""
        if self._roster.accepted or (self._exhausted and not self._again):
            self._alone_since = None
            return
        now = self._clock.now()
        if self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > _NO_WORKER_SECONDS:
            raise ConversionError(
                f"There are no workers at {self._seam.where} any more",
                "start some and run the same command again: it continues where it stopped",
            )

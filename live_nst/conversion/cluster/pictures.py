"""Paint the pictures of a folder on the workers of a cluster.

A picture that is late is given to a second worker: the first result counts. As pictures differ,
late means that it takes much longer than the slowest of the last ones.
"""

import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from live_nst.conversion.batch.discovery import BatchItem
from live_nst.conversion.cluster.attempts import PACES, late_after
from live_nst.conversion.cluster.examination import describe
from live_nst.conversion.cluster.failures import MAX_FAILURES
from live_nst.conversion.cluster.job import PictureJob, StylizerSetup
from live_nst.conversion.cluster.painting import examine_for_pictures, paint_picture
from live_nst.conversion.cluster.roster import Roster, reason_of
from live_nst.conversion.cluster.workers import WorkerLost, Workers
from live_nst.conversion.images.reading import is_animated
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.errors import ConversionError, LiveNstError, SinkError, SourceError
from live_nst.files.atomic import write_bytes
from live_nst.files.output import write_errors
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

_WAIT_SECONDS = 0.5
_NO_WORKER_SECONDS = 60.0
_PER_WORKER = 2  # pictures that a worker has: one that it paints, and one that waits

_Painted = tuple[bytes, list[str]]
"""The content of a painted file, and sentences about what was lost."""


@dataclass(eq=False)
class _Attempt:
    """A picture that is at a worker."""

    address: str
    future: Future[_Painted]
    begin: float
    late: bool = False  # it takes much longer than others


@dataclass
class SpreadImageConverter:
    """Has the pictures of a folder painted by workers; see `batch.folder.ItemConverter`.

    Args:
        workers: The workers. They are not closed.
        options: The options of the stylizer.
        changes: The style and the look; later ones do not concern pictures.
        size: Longer side of the image that the network sees, in pixels; None for each image's own.
        stylizer: The stylizer of this machine.
        settings: The fingerprint of everything that determines the outputs.
        reporter: Receives sentences; may cancel the wait for workers.
    """

    workers: Workers
    options: StylizerOptions
    changes: ConvertOptions
    size: int | None
    stylizer: StylizerCore
    settings: str
    reporter: ProgressReporter
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loads: dict[str, int] = field(default_factory=dict)
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=PACES))
    _late: dict[str, list[Future[_Painted]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first = ConvertOptions(self.changes.changes[:1], looks=self.changes.looks[:1])
        setup = StylizerSetup.of(self.options, first, self.stylizer)
        self._job = PictureJob(setup, self.size)
        self._notify = self.reporter.notify
        self._roster = Roster(
            self.workers, examine_for_pictures, self._job, self._notify, self.reporter.clock
        )
        nothing: Mapping[str, Any] = {}
        self._roster.settle(self.reporter.check, describe(self.stylizer), nothing)

    @property
    def jobs(self) -> int:
        """How many pictures keep the workers busy."""
        return _PER_WORKER * len(self._roster.accepted)

    def __call__(self, item: BatchItem) -> bool:
        """Have a picture painted; return False if it is animated."""
        if is_animated(item.source, item.name):
            return False
        try:
            data = item.source.read_bytes()
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise SourceError(f"{item.name} cannot be read: {reason}", "check the file") from exc
        painted, notes = self._paint(item, data)
        with write_errors(item.target):
            write_bytes(item.target, painted)
        for note in notes:
            self._notify(note)
        return True

    def _paint(self, item: BatchItem, data: bytes) -> _Painted:
        """Return the painted file, and sentences about what was lost."""
        failed: set[str] = set()
        attempts: list[_Attempt] = []
        failures = 0
        try:
            while True:
                if all(each.late for each in attempts):
                    self._begin(item, data, attempts, failed)
                wait([each.future for each in attempts], _WAIT_SECONDS, FIRST_COMPLETED)
                self.reporter.check()
                for attempt in list(attempts):
                    try:
                        painted = self._result(attempt, item, len(attempts))
                    except (WorkerLost, SinkError, MemoryError, OSError) as exc:  # another may
                        attempts.remove(attempt)
                        failed.add(attempt.address)
                        failures += 1
                        if failures == MAX_FAILURES:
                            reason, hint = reason_of(exc)
                            sentence = f"{item.name} cannot be painted: {reason}"
                            raise ConversionError(sentence, hint) from exc
                        continue
                    if painted is not None:
                        return painted
        finally:
            for attempt in attempts:
                if not attempt.late:  # whether a worker that hangs wakes up is seen by its future
                    attempt.future.cancel()

    def _begin(
        self, item: BatchItem, data: bytes, attempts: list[_Attempt], failed: set[str]
    ) -> None:
        """Give a picture to a worker; if it is late elsewhere, only to one that does not hang."""
        address = self._choose(failed, {each.address for each in attempts})
        if address is None:
            return
        future = self.workers.submit(
            address, paint_picture, self._job, item.source.name, data, item.target.suffix
        )
        attempts.append(_Attempt(address, future, self.reporter.clock.now()))
        future.add_done_callback(lambda _: self._count_end(address))

    def _result(self, attempt: _Attempt, item: BatchItem, number: int) -> _Painted | None:
        """Return what an attempt made; None while it runs.

        Args:
            attempt: The attempt.
            item: The picture.
            number: How many workers have the picture: each further one is given twice the time.
        """
        took = self.reporter.clock.now() - attempt.begin
        if not attempt.future.done():
            if attempt.address not in self.workers.names():
                attempt.future.cancel()
                raise WorkerLost(f"worker {attempt.address} died")
            with self._lock:
                usual = max(self._times, default=None)
                late = usual is not None and took > late_after(usual) * 2 ** (number - 1)
                if late and not attempt.late:
                    attempt.late = True
                    self._late.setdefault(attempt.address, []).append(attempt.future)
            return None
        try:
            painted: _Painted = attempt.future.result()
        except LiveNstError as exc:
            exc.message = exc.message.replace(item.source.name, item.name)
            raise
        if not attempt.late:
            with self._lock:
                self._times.append(took)
        return painted

    def _count_end(self, address: str) -> None:
        with self._lock:
            self._loads[address] -= 1

    def _hangs(self, address: str) -> bool:
        """Return whether a worker is late with a picture."""
        return any(not future.done() for future in self._late.get(address, ()))

    def _choose(self, failed: set[str], late: set[str]) -> str | None:
        """Return the worker with the fewest pictures, if possible one that did not fail.

        Args:
            failed: Workers at which the picture failed.
            late: Workers that are late with it. If there are any, it returns None rather than one
                of them, or another one that hangs.
        """
        clock = self.reporter.clock
        begin = clock.now()
        while True:
            self.reporter.check()
            with self._lock:
                self._roster.refresh()
                accepted = list(self._roster.accepted)
                awake = [address for address in accepted if not self._hangs(address)]
                usable = [each for each in awake if each not in late] if late else awake or accepted
                good = [address for address in usable if address not in failed] or usable
                if good:
                    address = min(good, key=lambda each: self._loads.get(each, 0))
                    self._loads[address] = self._loads.get(address, 0) + 1
                    return address
            if late:
                return None
            if clock.now() - begin > _NO_WORKER_SECONDS:
                raise ConversionError(
                    f"There are no workers at {self.workers.where} any more",
                    "start some and run the same command again: it continues where it stopped",
                )
            clock.sleep(_WAIT_SECONDS)

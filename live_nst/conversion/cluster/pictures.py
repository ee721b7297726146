"""Paint the pictures of a folder on the workers of a cluster."""

import threading
from collections.abc import Mapping
from concurrent.futures import wait
from dataclasses import dataclass, field
from typing import Any

from live_nst.conversion.batch.discovery import BatchItem
from live_nst.conversion.cluster.examination import describe
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

_MAX_FAILURES = 3  # of one picture
_WAIT_SECONDS = 0.5
_NO_WORKER_SECONDS = 60.0
_PER_WORKER = 2  # pictures that a worker has: one that it paints, and one that waits


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

    def _paint(self, item: BatchItem, data: bytes) -> tuple[bytes, list[str]]:
        """Return the painted file, and sentences about what was lost."""
        failed: set[str] = set()
        for last in (False,) * (_MAX_FAILURES - 1) + (True,):
            address = self._choose(failed)
            try:
                result: tuple[bytes, list[str]] = self._paint_at(address, item, data)
                return result
            except (WorkerLost, SinkError, MemoryError, OSError) as exc:  # another may do it
                failed.add(address)
                if last:
                    reason, hint = reason_of(exc)
                    raise ConversionError(f"{item.name} cannot be painted: {reason}", hint) from exc
            finally:
                with self._lock:
                    self._loads[address] -= 1
        raise AssertionError

    def _paint_at(self, address: str, item: BatchItem, data: bytes) -> tuple[bytes, list[str]]:
        future = self.workers.submit(
            address, paint_picture, self._job, item.source.name, data, item.target.suffix
        )
        try:
            while not wait([future], _WAIT_SECONDS).done:
                self.reporter.check()
                if address not in self.workers.names():
                    raise WorkerLost(f"worker {address} died")
        except BaseException:
            future.cancel()
            raise
        try:
            painted: tuple[bytes, list[str]] = future.result()
        except LiveNstError as exc:
            exc.message = exc.message.replace(item.source.name, item.name)
            raise
        return painted

    def _choose(self, failed: set[str]) -> str:
        """Return the worker with the fewest pictures, if possible one that did not fail."""
        clock = self.reporter.clock
        begin = clock.now()
        while True:
            self.reporter.check()
            with self._lock:
                self._roster.refresh()
                accepted = list(self._roster.accepted)
                good = [address for address in accepted if address not in failed] or accepted
                if good:
                    address = min(good, key=lambda each: self._loads.get(each, 0))
                    self._loads[address] = self._loads.get(address, 0) + 1
                    return address
            if clock.now() - begin > _NO_WORKER_SECONDS:
                raise ConversionError(
                    f"There are no workers at {self.workers.where} any more",
                    "start some and run the same command again: it continues where it stopped",
                )
            clock.sleep(_WAIT_SECONDS)

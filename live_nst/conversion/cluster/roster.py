"""The workers that may paint: those that paint alike."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from live_nst.conversion.cluster.examination import Examination, majority
from live_nst.conversion.cluster.workers import WorkerLost, Workers
from live_nst.errors import ConversionError, LiveNstError
from live_nst.runtime.timing import Clock
from live_nst.types import Notify

_JOIN_SECONDS = 60.0  # without a worker for so long, nothing will come
_EXAMINE_SECONDS = 180.0  # what an examination takes at most: a model may be downloaded
_PATIENCE, _PATIENCE_SECONDS = 2.0, 5.0  # times the time of the first one, and more seconds
_POLL_SECONDS = 0.1
_PRECISION_HINT = "with --precision float32 every worker computes in the same precision"


class Roster:
    """Examines workers as they join.

    Args:
        workers: The workers.
        examine: A function that returns the `Examination` of a worker; see `Workers.submit`.
        job: Its argument.
        notify: Called with a sentence for each worker that is left out.
        clock: The clock.

    Attributes:
        accepted: Names of the workers that may paint and are connected, by their addresses.
        left_out: Addresses of those that may not.
        reference: What they all agree with; None until `settle` has returned.
    """

    def __init__(
        self,
        workers: Workers,
        examine: Callable[..., Examination],
        job: Any,
        notify: Notify,
        clock: Clock,
    ) -> None:
        self._workers, self._examine, self._job = workers, examine, job
        self._notify, self._clock = notify, clock
        self._examined: dict[str, Examination] = {}
        self._running: dict[str, tuple[Future[Examination], float]] = {}
        self.accepted: dict[str, str] = {}
        self.left_out: set[str] = set()
        self.reference: Examination | None = None

    def settle(
        self, tick: Callable[[], None], here: Examination, stored: Mapping[str, Any]
    ) -> Examination:
        """Wait until the workers that are connected are examined, and choose the reference.

        A worker that takes much longer than the first one is not waited for: it joins later.

        That is what agrees with an earlier run, else what agrees with this machine, else what most
        workers agree with.

        Args:
            tick: Called from time to time; may raise.
            here: The examination of this machine.
            stored: The settings of an earlier run.

        Raises:
            ConversionError: There is no worker, or none that can paint.
        """
        begin = self._clock.now()
        first = 0.0
        told = False
        while True:
            tick()
            self.refresh()
            waited = self._clock.now() - begin
            if self._examined:
                first = first or waited
                if not self._running or waited > _PATIENCE * first + _PATIENCE_SECONDS:
                    break
            if not self._running and waited > _JOIN_SECONDS:
                break
            if waited > 2 and not self._running and not told and not self.left_out:
                self._notify(f"Waiting for workers at {self._workers.where}")
                told = True
            if self.left_out and not self._running:
                break
            self._clock.sleep(_POLL_SECONDS)
        if not self._examined:
            reason = "none of the workers can paint" if self.left_out else "there is no worker"
            raise ConversionError(
                f"At {self._workers.where} {reason}",
                f"start some with: live-nst worker {self._workers.where}",
            )
        groups = [
            [each for each in self._examined.values() if _continues(each, stored)],
            [each for each in self._examined.values() if not here.difference(each)],
            list(self._examined.values()),
        ]
        self.reference = majority(next(group for group in groups if group))
        for address in list(self._examined):
            self._compare(address)
        if here.difference(self.reference):
            self._notify(
                f"The workers paint with {self.reference}, this machine with {here}: alone it "
                "would make a slightly different file"
            )
        return self.reference

    def refresh(self) -> None:
        """Take note of workers that joined or left, and of examinations that are done."""
        names = self._workers.names()
        for address in names:
            known = {*self._examined, *self._running, *self.left_out}
            if address not in known:
                future = self._workers.submit(address, self._examine, self._job)
                self._running[address] = (future, self._clock.now())
        for address, (future, begin) in list(self._running.items()):
            if address not in names:
                self._running.pop(address)
                future.cancel()
            elif future.done():
                self._running.pop(address)
                self._finish(address, names[address], future)
            elif self._clock.now() - begin > _EXAMINE_SECONDS:
                self._running.pop(address)
                future.cancel()
                self.leave_out(address, "does not answer", "look at its machine")
        for address in list(self.accepted):
            if address not in names:
                del self.accepted[address]
        for address in list(self._examined):
            if address not in names:
                del self._examined[address]

    def leave_out(self, address: str, reason: str, hint: str = "") -> None:
        """Give a worker nothing more to do, and say why."""
        name = self.accepted.pop(address, None) or self._workers.names().get(address, address)
        self._examined.pop(address, None)
        self.left_out.add(address)
        self._notify(f"Worker {name} is left out: {reason}" + (f" ({hint})" if hint else ""))

    def _finish(self, address: str, name: str, future: "Future[Examination]") -> None:
        error = future.exception()
        if error is None:
            self._examined[address] = future.result()
            self._compare(address)
        elif not isinstance(error, WorkerLost):
            reason, hint = reason_of(error)
            self.leave_out(address, reason, hint)

    def _compare(self, address: str) -> None:
        if self.reference is None:
            return
        difference = self.reference.difference(self._examined[address])
        if difference:
            hint = _PRECISION_HINT if "precision" in difference else ""
            self.leave_out(address, f"{difference}, so it would paint otherwise", hint)
        elif address not in self.accepted:
            self.accepted[address] = self._workers.names().get(address, address)


def reason_of(error: BaseException) -> tuple[str, str]:
    """Return why a worker failed, as words, and a hint."""
    if isinstance(error, LiveNstError):
        return error.message, error.hint
    text = (str(error).splitlines() or [""])[0]
    if isinstance(error, ImportError) or "No module named 'live_nst" in str(error):
        return (
            "live-nst is missing there, or has another version",
            "install the same version: pip install 'live-nst[cluster]'",
        )
    if isinstance(error, MemoryError):
        return "its memory is full", "use fewer workers a machine"
    return f"{type(error).__name__}: {text}", ""


def _continues(examination: Examination, stored: Mapping[str, Any]) -> bool:
    return bool(stored) and all(
        stored.get(name) == value for name, value in examination.settings.items()
    )

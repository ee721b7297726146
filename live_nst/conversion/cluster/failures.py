"""How often chunks and workers failed, and when that ends a conversion."""

from live_nst.conversion.cluster.attempts import WorkerState
from live_nst.conversion.cluster.packets import Chunk
from live_nst.conversion.cluster.roster import Roster, reason_of
from live_nst.errors import ConversionError

MAX_FAILURES = 3  # of one chunk, or picture; and of one worker, one after the other


class Failures:
    """The failures of one film.

    Args:
        roster: A worker that fails again and again is left out of it.
    """

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._workers: dict[int, list[str]] = {}  # at which a chunk failed, by its number
        self._deaths: dict[int, int] = {}

    def failed_at(self, chunk: Chunk, address: str) -> bool:
        """Return whether a worker failed with a chunk."""
        return address in self._workers.get(chunk.number, ())

    def add(self, address: str, worker: WorkerState, chunk: Chunk, error: Exception) -> None:
        """Take note that a worker failed with a chunk.

        Raises:
            ConversionError: The chunk failed three times.
        """
        reason, hint = reason_of(error)
        worker.failures += 1
        failures = self._workers.setdefault(chunk.number, [])
        failures.append(address)
        if len(failures) >= MAX_FAILURES:
            end = chunk.first + chunk.length
            raise ConversionError(
                f"Frames {chunk.first} to {end} cannot be painted: {reason}",
                hint or "everything else is kept: run the same command again",
            ) from error
        if worker.failures >= MAX_FAILURES or (
            len(self._roster.accepted) > 1 and worker.failures > 1
        ):
            self._roster.leave_out(address, reason, hint)

    def add_death(self, chunk: Chunk) -> None:
        """Take note that a worker went away while it painted a chunk.

        Raises:
            ConversionError: The chunk's third one did.
        """
        deaths = self._deaths[chunk.number] = self._deaths.get(chunk.number, 0) + 1
        if deaths >= MAX_FAILURES:
            end = chunk.first + chunk.length
            raise ConversionError(
                f"{deaths} workers died while they painted the frames {chunk.first} to {end}",
                "their memory may be too small: use fewer workers a machine; everything else is "
                "kept",
            )

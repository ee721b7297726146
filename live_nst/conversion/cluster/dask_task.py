"""A task on its way to the process of a worker, and there."""

import tempfile
from collections.abc import Callable
from typing import Any

from live_nst.runtime.machine import limit_cores

PROGRESS_TOPIC = "live-nst-progress"
"""Of Dask's events that tell how many frames of a task are done."""


def run_here(function: Callable[..., Any], arguments: tuple[Any, ...], token: str) -> Any:
    """Run a task in the process of a worker, with as many cores as Dask gives it."""
    from distributed import get_worker

    worker = get_worker()
    limit_cores(worker.state.nthreads)
    # What a worker that is killed leaves there is removed when the next one starts.
    tempfile.tempdir = worker.local_directory

    def report(done: int) -> None:
        worker.log_event(PROGRESS_TOPIC, [token, done])

    return function(*arguments, report)


class Call:
    """A call of `run_here` that happens when its pickle is loaded.

    Dask would load functions and arguments while it reads a message, and break the connection of a
    worker without live-nst. As bytes they are loaded within the task, and an error is its error.
    """

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return run_here, self._arguments


def is_loss(exc: Exception) -> bool:
    """Return whether an error says that a worker, and not the task, failed."""
    names = {each.__name__ for each in type(exc).__mro__}
    return bool(
        names & {"KilledWorker", "FutureCancelledError", "CommClosedError", "NoWorkerError"}
    )

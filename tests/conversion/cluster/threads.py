"""Workers that are threads of this process: the seam without Dask."""

import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class ThreadWorkers:
    """Runs functions in threads; arguments and results are pickled, as on the way to a machine.

    Args:
        names: The names of the workers.
        on_task: Called in a worker's thread before a task, with its function and its number.
    """

    where, dashboard = "threads", ""

    def __init__(
        self, *names: str, on_task: Callable[[str, int], None] = lambda function, number: None
    ) -> None:
        self._pools = {name: ThreadPoolExecutor(1, name) for name in names}
        self._on_task = on_task
        self.tasks: list[str] = []
        self.sent = 0  # bytes

    def names(self) -> Mapping[str, str]:
        return {name: name for name in self._pools}

    def submit(
        self,
        worker: str,
        function: Callable[..., Any],
        *arguments: Any,
        progress: Callable[[int], None] = lambda done: None,
    ) -> "Future[Any]":
        sent = pickle.dumps(arguments)
        self.sent += len(sent)

        def run() -> Any:
            self.tasks.append(function.__name__)
            self._on_task(function.__name__, len(self.tasks))
            try:
                return pickle.loads(pickle.dumps(function(*pickle.loads(sent), progress)))
            except Exception as exc:
                raise pickle.loads(pickle.dumps(exc)) from None

        return self._pools[worker].submit(run)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

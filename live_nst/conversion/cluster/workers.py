"""The seam between live-nst and what runs functions on other machines."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol


class WorkerLost(Exception):
    """A worker went away before its task was done."""


class Workers(Protocol):
    """Workers that are connected, and a way to run functions on them.

    All methods may be called from any thread, and none blocks for long. Whoever creates it closes
    it. Function, arguments and result are pickled, so they come from the installed package.

    Attributes:
        where: Where the workers are, as words: "tcp://10.0.0.1:8786".
        dashboard: The address of a page that shows them; empty if there is none.
    """

    where: str
    dashboard: str

    def names(self) -> Mapping[str, str]:
        """Return the names of the workers that are connected now, by their addresses.

        Raises:
            ConversionError: What connects them is gone.
        """
        ...

    def submit(
        self,
        worker: str,
        function: Callable[..., Any],
        *arguments: Any,
        progress: Callable[[int], None] = lambda done: None,
    ) -> "Future[Any]":
        """Run `function(*arguments, report)` on a worker, after what was submitted to it before.

        Args:
            worker: Its address.
            function: Called there; what it gives `report` is given to `progress`.
            arguments: Its arguments.
            progress: Called from another thread, at most a few times a second.

        Returns:
            The future of the result. It raises `WorkerLost` if the worker is known to be gone;
            `names` may know so earlier. Cancelling it forgets the task, even if it runs.
        """
        ...

    def close(self) -> None:
        """Disconnect, and end the workers that this object started. Again does nothing."""
        ...

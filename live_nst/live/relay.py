"""A second pair of hands: the last part of one frame's work beside the first part of the next."""

import threading
from collections.abc import Callable


class Relay:
    """Does jobs in a thread of its own, in order. One is in work, none waits.

    Args:
        name: The thread's.
        died: Called in the thread with what a job raised; no job is done after it.
    """

    def __init__(self, name: str, died: Callable[[BaseException], None]) -> None:
        self._died = died
        self._changed = threading.Condition()
        self._job: Callable[[], None] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def hand_over(self, job: Callable[[], None]) -> None:
        """Have `job` done; waits until the one before it is. Once closed it does nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._job is None or self._closed)
            if not self._closed:
                self._job = job
                self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Finish the job in work and take no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._job is not None or self._closed)
                job = self._job
            if job is None:
                return
            try:
                job()
            except BaseException as exc:
                self._died(exc)
                with self._changed:
                    self._closed = True
            with self._changed:
                self._job = None
                self._changed.notify_all()

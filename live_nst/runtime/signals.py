"""One meaning of SIGINT (Ctrl-C), SIGTERM and SIGHUP for all commands that run long.

The first signal asks for a clean end: files are finished and devices are closed. A second SIGINT
or SIGTERM ends the process at once. A second SIGHUP does not: a terminal that is closed often sends
several.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANGUP = getattr(signal, "SIGHUP", None)
"""The signal of a closed terminal; None on Windows."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((HANGUP,) if HANGUP else ()))


class StopRequest:
    """Tells whether a clean end was asked for.

    It is no `threading.Event`: a signal handler runs between two instructions of the main thread,
    and would wait forever for a lock that this thread holds.

    Attributes:
        on_request: Called by the first signal, in the main thread. It must take no lock. It can be
            replaced at any time.
    """

    def __init__(self, on_request: Callable[[], None]) -> None:
        self.on_request = on_request
        self._requested = False

    def is_set(self) -> bool:
        """Return whether a signal has arrived."""
        return self._requested

    def set(self) -> None:
        """Ask for a clean end."""
        self._requested = True
        self.on_request()


def raise_interrupt() -> None:
    """Raise KeyboardInterrupt: the clean end of work that does not check a `StopRequest`."""
    raise KeyboardInterrupt


@contextmanager
def handle_stop_signals(on_request: Callable[[], None] | None = None) -> Iterator[StopRequest]:
    """Handle `STOP_SIGNALS` until the end of a `with` block.

    SIGHUP stays ignored where it is ignored already, as `nohup` asks for.

    Python allows signal handlers in the main thread only. In any other thread this does nothing.

    Args:
        on_request: Called by the first signal; see `StopRequest`. None if the work checks
            `StopRequest.is_set` from time to time.

    Yields:
        The request that the first signal makes.
    """
    request = StopRequest(on_request or (lambda: None))
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, frame: object) -> None:
        for each in previous:
            signal.signal(each, signal.SIG_IGN if each == HANGUP else signal.SIG_DFL)
        request.set()

    previous = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    if HANGUP is not None and previous[HANGUP] == signal.SIG_IGN:
        del previous[HANGUP]
    for number in previous:
        signal.signal(number, handle)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

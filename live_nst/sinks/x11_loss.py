"""Notice that the X server has gone: OpenCV's Qt would end the process without a word."""

import atexit
import ctypes
import os
import select
from collections.abc import Callable

LOST = "The window is lost: the X server has ended"


def is_closed(descriptor: int) -> bool:
    """Return whether the other side of a connection has gone; false where that is not known.

    Args:
        descriptor: A descriptor of the connection. Nothing is read from it.
    """
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    gone = select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)
    poll.register(descriptor, gone)
    return bool(poll.poll(0))


class ExitSentence:
    """Says a sentence if a library ends the process with C's `exit`, as Qt does.

    `is_closed` is asked before each call of the library. This is for a server that goes meanwhile:
    then no Python code runs any more, but what C's `atexit` was given.

    Args:
        sentence: The sentence.
        is_true: Returns whether it is to be said.
    """

    def __init__(self, sentence: str, is_true: Callable[[], bool]) -> None:
        self._sentence = sentence
        self._is_true = is_true
        self._finalize: Callable[[object], object] | None = None
        self._owner = ctypes.create_string_buffer(1)  # stands for a library with one handler
        libc = ctypes.CDLL(None)
        try:  # of the Itanium C++ ABI, as Linux and macOS have it
            register, finalize = libc["__cxa_atexit"], libc["__cxa_finalize"]
        except AttributeError:
            return
        self._handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._run)
        if register(self._handler, None, self._owner) == 0:
            self._finalize = finalize
            atexit.register(self.disarm)  # at the latest before Python ends

    def _run(self, _: object) -> None:
        if self._finalize is not None and self._is_true():
            os.write(2, f"Error: {self._sentence}.\n".encode())

    def disarm(self) -> None:
        """Say it no more. Calling it again does nothing."""
        finalize, self._finalize = self._finalize, None
        if finalize is not None:
            finalize(self._owner)  # calls the handler, which does nothing now, and forgets it
            atexit.unregister(self.disarm)

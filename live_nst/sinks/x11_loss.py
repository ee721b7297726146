"""Notice that the X server has gone: OpenCV's Qt would end the process without a word."""

import atexit
import ctypes
import os
import select
import time
from collections.abc import Callable

CLOSING_SECONDS = 0.5
"""A server that ends closes its connections one after the other: Qt's may be the first."""
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
    then no Python code runs any more, but what C's `atexit` was given. After the sentence the
    process ends at once, with status 1: C's `exit` would destroy the objects of libraries that
    other threads are still using, which aborts the process.

    Args:
        sentence: The sentence.
        is_true: Returns whether it is to be said.
    """

    def __init__(self, sentence: str, is_true: Callable[[], bool]) -> None:
        self._sentence = sentence
        self._is_true = is_true
        self._armed = False
        self._owner = ctypes.create_string_buffer(1)  # stands for a library with one handler
        libc = ctypes.CDLL(None)
        try:  # of the Itanium C++ ABI, as Linux and macOS have it
            self._register, self._finalize = libc["__cxa_atexit"], libc["__cxa_finalize"]
        except AttributeError:
            return
        self._handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._run)
        self._armed = self._register(self._handler, None, self._owner) == 0
        if self._armed:
            atexit.register(self.disarm)  # at the latest before Python ends

    def _run(self, _: object) -> None:
        if not self._armed:
            return
        deadline = time.monotonic() + CLOSING_SECONDS
        while not (true := self._is_true()) and time.monotonic() < deadline:
            time.sleep(0.01)
        if true:
            os.write(2, f"Error: {self._sentence}.\n".encode())
            os._exit(1)

    def renew(self) -> None:
        """Come before what libraries have registered since: C calls the latest handler first."""
        if self._armed:
            self._armed = False
            self._finalize(self._owner)
            self._armed = self._register(self._handler, None, self._owner) == 0

    def disarm(self) -> None:
        """Say it no more. Calling it again does nothing."""
        if self._armed:
            self._armed = False
            self._finalize(self._owner)  # calls the handler, which does nothing now, and forgets it
            atexit.unregister(self.disarm)

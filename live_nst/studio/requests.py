"""Errors of requests, with their HTTP status; one request at a time."""

import threading

from live_nst.errors import LiveNstError, StyleError, UsageError


class RequestError(LiveNstError):
    """A request that cannot be carried out.

    Args:
        status: The HTTP status of the answer.
        message: What is wrong, in one sentence.
        hint: What the user can do about it.
    """

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def http_status(error: LiveNstError) -> int:
    """Return the HTTP status for an error: of the request itself, its values, or of the machine."""
    if isinstance(error, RequestError):
        return error.status
    return 422 if isinstance(error, UsageError | StyleError) else 409


def no_session(*, starting: bool = False) -> RequestError:
    """Return the error of a request that needs a running session.

    Args:
        starting: Whether one is just being opened.
    """
    if starting:
        return RequestError(409, "The session is just starting.", "try again in a moment")
    return RequestError(409, "No session runs.", "choose a source to start one")


def as_sentence(text: str) -> str:
    """Return text with a full stop, and with a capital unless it begins with a name."""
    if text.split(" ", 1)[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


class Exclusive:
    """Holds a lock, or refuses a request while another one holds it.

    Args:
        lock: The lock.
        seconds: How long the request waits.

    Raises:
        RequestError: Another one held it for all that time.
    """

    def __init__(self, lock: threading.Lock, seconds: float) -> None:
        self._lock = lock
        self._seconds = seconds

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._seconds):
            raise RequestError(409, "The session is just being changed.", "try again in a moment")

    def __exit__(self, *_: object) -> None:
        self._lock.release()

"""A lock that only one process can hold, and that the system releases when that process ends."""

import os
from pathlib import Path

from live_nst.errors import ConversionError
from live_nst.types import Closeable


class FileLock(Closeable):
    """Keeps a file locked until it is closed.

    Args:
        path: The lock file. It is created if it is missing; its folder must exist.
        target: The output that the lock protects, for the message.

    Raises:
        ConversionError: Another process holds the lock.
        OSError: The file cannot be created.
    """

    def __init__(self, path: Path, target: Path) -> None:
        while True:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(self._handle)
            except OSError as exc:
                os.close(self._handle)
                raise ConversionError(
                    f"{target} is being written by another live-nst",
                    "wait for it, or choose another output",
                ) from exc
            if _is_file_at(path, self._handle):
                return
            # The process that held the lock removed the file after we had opened it: try again.
            os.close(self._handle)

    def close(self) -> None:
        """Release the lock. Calling it again does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _is_file_at(path: Path, handle: int) -> bool:
    """Return whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""One process per output: a lock that the system drops when its holder dies."""

import os
from pathlib import Path

from live_nst.errors import ConversionError
from live_nst.types import Closeable


class FileLock(Closeable):
    """Holds a file locked until it is closed.

    Args:
        path: Created if need be; its folder must be there.
        what: What is being worked on, for the message.

    Raises:
        ConversionError: Another process holds it.
        OSError: It cannot be created.
    """

    def __init__(self, path: Path, what: Path) -> None:
        while True:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(self._file)
            except OSError as exc:
                os.close(self._file)
                raise ConversionError(
                    f"{what} is being written by another live-nst",
                    "wait for it, or choose another output",
                ) from exc
            if _is_at(self._file, path):  # else its holder was just done and removed it
                return
            os.close(self._file)

    def close(self) -> None:
        """Let go. Calling it again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _is_at(file: int, path: Path) -> bool:
    """Whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

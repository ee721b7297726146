"""Folders that are gone at the end of the process, and how to tell that a file lies in one."""

import tempfile
from pathlib import Path

from live_nst.types import Closeable

_open: set[Path] = set()


class TemporaryFolder(Closeable):
    """A folder of this process for files that nothing outlives may name; see `is_temporary`.

    Attributes:
        path: The folder. It is there until `close`.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="live-nst-")
        self.path = Path(self._folder.name).absolute()
        _open.add(self.path)

    def close(self) -> None:
        """Remove the folder with its files. Calling it again does nothing."""
        self._folder.cleanup()
        _open.discard(self.path)


def is_temporary(path: Path) -> bool:
    """Return whether a file will be gone at the end of this process."""
    path = path.absolute()
    return any(path.is_relative_to(folder) for folder in _open)

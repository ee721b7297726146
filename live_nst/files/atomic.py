"""Write a file so that other processes see the old content or the new one, and nothing between."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: Path, *, sync: bool = True, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the `with` block ends without an error.

    The temporary file lies in the same folder. After an error it is removed, and what was at
    `path` stays.

    Args:
        path: The file to write.
        sync: Whether the content and the new name must be on the disk before the block ends, so
            that they survive a power failure. Needless for files that can be made again.
        mode: The permissions of the file, less what the user's umask takes away; 0o600 for what
            nobody else may read. Windows knows none.

    Yields:
        A binary file, open for writing, reading and seeking.

    Raises:
        OSError: The file cannot be written.
    """
    # A short name of its own: `path` may be as long as the file system allows.
    temporary = path.with_name(f".live-nst-{secrets.token_hex(6)}.part")
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, mode), "w+b") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def write_bytes(path: Path, data: bytes, *, sync: bool = True, mode: int = 0o666) -> None:
    """Write `data` to `path`; see `atomic_write`."""
    with atomic_write(path, sync=sync, mode=mode) as file:
        file.write(data)


def sync_file(path: Path) -> None:
    """Flush the content of a file to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can do that."""
    if os.name == "nt":  # pragma: no cover
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

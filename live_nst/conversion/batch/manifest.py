"""What in an output folder is done already, so that it is not done again."""

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Any

from live_nst.files.lock import FileLock
from live_nst.types import Closeable

_LOCK = ".live-nst-lock"
MANIFEST_NAME = ".live-nst-done"
"""The file in an output folder that says what in it is done, and from what."""


class TargetStatus(Enum):
    """What is where a file is to go."""

    FREE = auto()  # nothing
    DONE = auto()  # what was made of this source with these settings
    OURS = auto()  # something that live-nst made
    TAKEN = auto()  # something that it did not make


class Manifest(Closeable):
    """What in an output folder is done, and from what: lines that are added as files are finished.

    It may be used from several threads; other processes are kept out.

    Args:
        folder: The output folder.

    Raises:
        ConversionError: Another process works on that folder.
        OSError: It cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / MANIFEST_NAME
        self._folder = folder
        self._file_lock = FileLock(folder / _LOCK, folder)
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        path.touch()
        for line in path.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a line that a killed process left
                entry = json.loads(line)
                self._known[entry["target"]] = entry
        self._file = path.open("a", encoding="utf-8")
        self._file.write("\n")

    def state(self, source: Path, target: Path, settings: str) -> TargetStatus:
        """What is at a target: nothing, what was made of the source, something else."""
        if not target.exists():
            return TargetStatus.FREE
        entry = self._known.get(self._key(target))
        if entry is None:
            return TargetStatus.TAKEN
        stamp = [settings, _stamp(source), _stamp(target)]
        return TargetStatus.DONE if entry.get("stamp") == stamp else TargetStatus.OURS

    def begin(self, target: Path) -> None:
        """From now on, what is at the target is ours."""
        self._add({"target": self._key(target)})

    def done(self, source: Path, target: Path, settings: str) -> None:
        """The file is finished."""
        stamp = [settings, _stamp(source), _stamp(target)]
        self._add({"target": self._key(target), "stamp": stamp})

    def close(self) -> None:
        """Let other processes in."""
        self._file.close()
        self._file_lock.close()

    def _add(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._known[entry["target"]] = entry
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def _key(self, target: Path) -> str:
        return target.relative_to(self._folder).as_posix()


def _stamp(path: Path) -> list[int]:
    """What tells a file from a changed one: its size, and when it was written."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def settings_fingerprint(values: Mapping[str, Any]) -> str:
    """A short text that tells one set of plain values from another."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""Remember which files of an output folder are finished, so that they are not converted again."""

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
"""The file in an output folder that lists its finished files, and what they were made from."""


class TargetStatus(Enum):
    """What exists at the path of an output file."""

    MISSING = auto()
    DONE = auto()  # the result of the same source with the same settings
    OURS = auto()  # another file that live-nst made
    FOREIGN = auto()  # a file that live-nst did not make


class Manifest(Closeable):
    """The list of finished files in an output folder. Thread-safe; other processes are locked out.

    It is a file of JSON lines. A line is appended when a file is begun, and when it is finished;
    of several lines about one file the last one counts.

    Args:
        folder: The output folder.

    Raises:
        ConversionError: Another process works on that folder.
        OSError: The manifest cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / MANIFEST_NAME
        self._folder = folder
        self._file_lock = FileLock(folder / _LOCK, folder)
        self._lock = threading.Lock()
        self._entries: dict[str, Any] = {}
        path.touch()
        for line in path.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a killed process leaves half a line
                entry = json.loads(line)
                self._entries[entry["target"]] = entry
        self._file = path.open("a", encoding="utf-8")
        self._file.write("\n")  # ends such a half line

    def status(self, source: Path, target: Path, settings: str) -> TargetStatus:
        """Return what exists at the path of an output file.

        Args:
            source: The input file.
            target: The output file, inside the folder.
            settings: The fingerprint of everything that determines the output.
        """
        if not target.exists():
            return TargetStatus.MISSING
        entry = self._entries.get(self._key(target))
        if entry is None:
            return TargetStatus.FOREIGN
        done = entry.get("stamp") == [settings, _stamp(source), _stamp(target)]
        return TargetStatus.DONE if done else TargetStatus.OURS

    def begin(self, target: Path) -> None:
        """Record that what is at `target` from now on was made by live-nst."""
        self._append({"target": self._key(target)})

    def finish(self, source: Path, target: Path, settings: str) -> None:
        """Record that `target` is finished; see `status` for the arguments."""
        stamp = [settings, _stamp(source), _stamp(target)]
        self._append({"target": self._key(target), "stamp": stamp})

    def close(self) -> None:
        """Unlock the folder. Calling it again does nothing."""
        self._file.close()
        self._file_lock.close()

    def _append(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._entries[entry["target"]] = entry
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def _key(self, target: Path) -> str:
        return target.relative_to(self._folder).as_posix()


def settings_fingerprint(values: Mapping[str, Any]) -> str:
    """Return a short text that is the same for equal values only."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _stamp(path: Path) -> list[int]:
    """Return the size and the time of the last change of a file, which identify its content."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]

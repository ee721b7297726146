"""The folder with downloaded models. Every copy is checked before it is used.

    ROOT/NAME-DIGEST/complete.json      the address, and every file with its size
    ROOT/NAME-DIGEST/module/...         the SavedModel
    ROOT/.partial-XXXX/                 an unfinished download

A model is downloaded to a partial folder and moved into place by one rename. So another process
sees either all of it or nothing, and there is no lock that a crash could leave behind.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import CACHE_VARIABLE
from live_nst.models.handles import ModelHandle
from live_nst.models.saved_model import require_saved_model, saved_model_problem

_MARKER = "complete.json"
_MODULE = "module"
_PARTIAL = ".partial-"
_STALE_SECONDS = 24 * 3600.0
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class ModelCache:
    """Keeps downloaded models.

    Args:
        root: The folder; it is made when the first model is installed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, handle: ModelHandle) -> Path | None:
        """Return the model's folder; None if it is missing or damaged. Changes nothing on disk."""
        if self.damage_reason(handle) or not self._entry(handle).exists():
            return None
        return self._entry(handle) / _MODULE

    def damage_reason(self, handle: ModelHandle) -> str:
        """Return what is wrong with the cached copy; "" if nothing is, or if there is no copy."""
        entry = self._entry(handle)
        if not os.path.lexists(entry):
            return ""
        return _marker_problem(entry, handle) or saved_model_problem(entry / _MODULE)

    def install(self, handle: ModelHandle, download_into: Callable[[Path], None]) -> Path:
        """Download a model into the cache, unless it is there already.

        A damaged copy is removed first. If two processes do this at once, both use the copy of
        the one that finishes first.

        Args:
            handle: The model.
            download_into: Called with an empty folder, in which it writes a SavedModel. It may
                put temporary files beside that folder.

        Returns:
            The model's folder.

        Raises:
            ModelError: The cache cannot be written (also for an `OSError` of `download_into`), or
                the download is not a SavedModel. Nothing is left behind then. Other errors of
                `download_into` are passed on.
        """
        cached = self.find(handle)
        if cached is not None:
            return cached
        with self._storage_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            self._remove_stale()
            partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self.root))
        try:
            with self._storage_errors():
                if self.damage_reason(handle):
                    os.replace(self._entry(handle), partial / "damaged")
                module = partial / _MODULE
                module.mkdir()
                download_into(module)
            require_saved_model(module, f"The download of {handle.name}")
            self._publish(handle, partial)
        finally:
            # A file that cannot be removed now is removed by `_remove_stale` later.
            shutil.rmtree(partial, ignore_errors=True)
        return self._entry(handle) / _MODULE

    def _entry(self, handle: ModelHandle) -> Path:
        words = re.sub(r"[^A-Za-z0-9.]+", "-", handle.address.partition("://")[2] or handle.address)
        digest = hashlib.sha256(handle.address.encode()).hexdigest()
        return self.root / f"{words[-60:].strip('-.')}-{digest[:12]}"

    def _remove_stale(self) -> None:
        """Remove downloads that were interrupted more than a day ago."""
        for path in self.root.glob(f"{_PARTIAL}*"):
            try:
                is_stale = path.stat().st_mtime < time.time() - _STALE_SECONDS
            except FileNotFoundError:
                continue  # another process has removed it
            if is_stale:
                shutil.rmtree(path, ignore_errors=True)

    def _publish(self, handle: ModelHandle, partial: Path) -> None:
        entry = partial / "entry"
        try:
            entry.mkdir()
            os.replace(partial / _MODULE, entry / _MODULE)
            content = {"address": handle.address, "files": _file_sizes(entry / _MODULE)}
            (entry / _MARKER).write_text(json.dumps(content, indent=1), encoding="utf-8")
            os.replace(entry, self._entry(handle))
        except OSError as exc:
            # The rename fails if another process has finished first: then its copy is used.
            if self.find(handle) is None:
                raise _storage_error(exc, self.root) from exc

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        """Turn every `OSError` into a `ModelError`."""
        try:
            yield
        except OSError as exc:
            raise _storage_error(exc, self.root) from exc


def _file_sizes(module: Path) -> dict[str, int]:
    """Return the size in bytes of every file under `module`, by relative name."""
    return {
        path.relative_to(module).as_posix(): path.stat().st_size
        for path in sorted(module.rglob("*"))
        if path.is_file()
    }


def _marker_problem(entry: Path, handle: ModelHandle) -> str:
    """Return how the entry differs from its own list of files; "" if it does not."""
    try:
        marker = json.loads((entry / _MARKER).read_text(encoding="utf-8"))
        present = _file_sizes(entry / _MODULE)
    except (OSError, ValueError):
        return "its list of files is missing"
    if not isinstance(marker, dict) or marker.get("address") != handle.address:
        return "its list of files is damaged"
    expected = marker.get("files")
    if not isinstance(expected, dict) or not expected:
        return "its list of files is damaged"
    for name, size in expected.items():
        if name not in present:
            return f"{name} is missing"
        if present[name] != size:
            return f"{name} has {present[name]} bytes instead of {size}"
    return ""


def _storage_error(error: OSError, folder: Path) -> ModelError:
    hint = f"set {CACHE_VARIABLE} to another folder, or use `--model mobile`"
    if error.errno in _DISK_FULL:
        return DownloadError(f"The disk is full: no space for the model in {folder}", hint)
    reason = error.strerror or str(error)
    return ModelError(f"The model cache {folder} cannot be written: {reason}", hint)

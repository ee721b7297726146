"""The folder that keeps downloaded models, checked before it is trusted.

    ROOT/NAME-DIGEST/complete.json      the address, and every file with its size
    ROOT/NAME-DIGEST/module/...         the SavedModel
    ROOT/.partial-XXXX/                 a download that is under way, or was cut short

An entry is built in a partial folder and put into place by one rename, so that another process
sees either all of it or nothing. No lock is held: nothing is left to wait for after a crash.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import CACHE_VARIABLE
from live_nst.models.handles import ModelHandle
from live_nst.models.saved_model import require_saved_model, saved_model_problem

_MARKER = "complete.json"
_MODULE = "module"
_PARTIAL = ".partial-"
_STALE_AFTER = 24 * 3600.0
_FULL = (errno.ENOSPC, errno.EDQUOT)


class ModelCache:
    """Downloaded models by handle.

    Args:
        root: The folder; made when the first model is installed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, handle: ModelHandle) -> Path | None:
        """The model's folder if all of it is there, else None. Changes nothing on disk."""
        if self.damage_reason(handle) or not self._entry(handle).exists():
            return None
        return self._entry(handle) / _MODULE

    def damage_reason(self, handle: ModelHandle) -> str:
        """Why the kept copy cannot be trusted; "" when it is whole, or when there is none."""
        entry = self._entry(handle)
        if not os.path.lexists(entry):
            return ""
        return _marker_problem(entry, handle) or saved_model_problem(entry / _MODULE)

    def install(self, handle: ModelHandle, fetch_into: Callable[[Path], None]) -> Path:
        """Fetch a model and keep it; a damaged copy is removed first.

        Two processes may do this at once: the first one to finish provides the copy for both.

        Args:
            handle: Which model.
            fetch_into: Called with an empty folder that it fills with a SavedModel; scratch files
                may be put beside that folder. Not called when a whole copy is there already.

        Returns:
            The model's folder.

        Raises:
            ModelError: The cache cannot be written (also an `OSError` out of `fetch_into`), or what
                came is not a SavedModel. Nothing is left behind then. Whatever else `fetch_into`
                raises passes through.
        """
        kept = self.find(handle)
        if kept is not None:
            return kept
        partial = self._new_partial()
        try:
            module = self._prepare(handle, partial)
            self._fetch(fetch_into, module)
            require_saved_model(module, f"What was fetched as {handle.name}")
            self._publish(handle, partial, module)
        finally:
            # A file that cannot be removed now is removed with the stale ones later.
            shutil.rmtree(partial, ignore_errors=True)
        return self._entry(handle) / _MODULE

    def _entry(self, handle: ModelHandle) -> Path:
        words = re.sub(r"[^A-Za-z0-9.]+", "-", handle.address.partition("://")[2] or handle.address)
        digest = hashlib.sha256(handle.address.encode()).hexdigest()
        return self.root / f"{words[-60:].strip('-.')}-{digest[:12]}"

    def _new_partial(self) -> Path:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._remove_stale()
            return Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self.root))
        except OSError as exc:
            raise _storage_error(exc, self.root) from exc

    def _remove_stale(self) -> None:
        """Remove what downloads that were killed a day ago or earlier have left."""
        for path in self.root.glob(f"{_PARTIAL}*"):
            try:
                stale = path.stat().st_mtime < time.time() - _STALE_AFTER
            except FileNotFoundError:
                continue  # another process was quicker
            if stale:
                shutil.rmtree(path, ignore_errors=True)

    def _prepare(self, handle: ModelHandle, partial: Path) -> Path:
        """Move a damaged entry out of the way, and make the folder for the new module."""
        module = partial / _MODULE
        try:
            if self.damage_reason(handle):
                os.replace(self._entry(handle), partial / "damaged")
            module.mkdir()
        except OSError as exc:
            raise _storage_error(exc, self.root) from exc
        return module

    def _fetch(self, fetch_into: Callable[[Path], None], module: Path) -> None:
        try:
            fetch_into(module)
        except OSError as exc:
            raise _storage_error(exc, self.root) from exc

    def _publish(self, handle: ModelHandle, partial: Path, module: Path) -> None:
        entry = partial / "entry"
        try:
            entry.mkdir()
            os.replace(module, entry / _MODULE)
            _write_marker(entry, handle)
            os.replace(entry, self._entry(handle))
        except OSError as exc:
            # A folder in the way is the copy of a process that was quicker.
            if self.find(handle) is None:
                raise _storage_error(exc, self.root) from exc


def _sizes(module: Path) -> dict[str, int]:
    """Every file under `module`, by its relative name, with its size in bytes."""
    return {
        path.relative_to(module).as_posix(): path.stat().st_size
        for path in sorted(module.rglob("*"))
        if path.is_file()
    }


def _write_marker(entry: Path, handle: ModelHandle) -> None:
    content = {"address": handle.address, "files": _sizes(entry / _MODULE)}
    (entry / _MARKER).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _marker_problem(entry: Path, handle: ModelHandle) -> str:
    """Why the entry is not what its own list of files says; "" when it is."""
    try:
        marker = json.loads((entry / _MARKER).read_text(encoding="utf-8"))
        present = _sizes(entry / _MODULE)
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
    """Put into words why nothing could be written under `folder`."""
    move = f"set {CACHE_VARIABLE} to a folder elsewhere, or use `--model mobile`"
    if error.errno in _FULL:
        return DownloadError(f"The disk is full: no room for the model in {folder}", move)
    reason = error.strerror or str(error)
    return ModelError(f"The model cache {folder} cannot be written: {reason}", move)

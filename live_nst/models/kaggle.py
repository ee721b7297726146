"""Download a model from Kaggle with kagglehub, in a child process.

kagglehub sends requests without a time-out, and its download threads cannot be stopped. A child
process (`kaggle_child.py`) can: it is killed when it writes nothing for too long. The size of
what it has written is the progress.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live_nst.errors import DownloadError
from live_nst.models.saved_model import move_to_top

_CHILD = Path(__file__).with_name("kaggle_child.py")
_CACHE = "cache"
_POLL_SECONDS = 0.2


def download(
    handle: str,
    into: Path,
    *,
    progress: Callable[[int], None],
    stall: float,
    hint: str,
) -> None:
    """Download a Kaggle model.

    Args:
        handle: OWNER/MODEL/FRAMEWORK/VARIATION[/VERSION].
        into: An existing, empty folder for the model's files. Temporary files go beside it.
        progress: Called with the number of bytes done.
        stall: How many seconds without a new byte end the download.
        hint: The hint of the error, if there is one.

    Raises:
        DownloadError: The download fails.
        OSError: The files cannot be written.
    """
    scratch = into.with_name("kaggle")
    scratch.mkdir()
    monitor = _FolderMonitor(scratch / _CACHE, progress, stall)
    result = _run_kagglehub(handle, scratch, monitor)
    if result is None:
        raise DownloadError(f"Kaggle sent nothing for {stall:g} s", hint)
    if "path" not in result:
        raise _error(result, handle, hint)
    path = Path(result["path"])
    if path.is_relative_to(scratch):
        into.rmdir()
        os.replace(path, into)
    else:
        # In notebooks on Kaggle and Colab, kagglehub returns a folder that is not ours to move.
        shutil.copytree(path, into, dirs_exist_ok=True)
    move_to_top(into)


class _FolderMonitor:
    """Follows the size of all files under a folder."""

    def __init__(self, folder: Path, progress: Callable[[int], None], stall: float) -> None:
        self._folder = folder
        self._progress = progress
        self._stall = stall
        self._bytes = 0
        self._last_change = time.monotonic()

    def is_stalled(self) -> bool:
        """Report the progress, and return whether nothing was written for too long."""
        written = _tree_size(self._folder)
        if written != self._bytes:
            self._bytes = written
            self._last_change = time.monotonic()
            self._progress(written)
        return time.monotonic() - self._last_change > self._stall


def _run_kagglehub(handle: str, scratch: Path, monitor: _FolderMonitor) -> dict[str, Any] | None:
    """Return the result of `kaggle_child.py`; None if it had to be killed."""
    result = scratch / "result.json"
    errors = scratch / "errors.txt"
    # -P: without it, Python would import modules from the folder of the script.
    command = [sys.executable, "-P", str(_CHILD), handle, str(result)]
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**os.environ, "KAGGLEHUB_CACHE": str(scratch / _CACHE)},
        )
        try:
            if not _wait(process, monitor):
                return None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if result.exists():
        content: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return content
    lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return {"error": "other", "detail": lines[-1] if lines else f"exit code {process.returncode}"}


def _wait(process: subprocess.Popen[bytes], monitor: _FolderMonitor) -> bool:
    """Wait for the process to end; return False if the download stalls."""
    while True:
        try:
            process.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if monitor.is_stalled():
                return False
        else:
            monitor.is_stalled()
            return True


def _error(result: dict[str, Any], handle: str, hint: str) -> DownloadError | OSError:
    kind, detail = result["error"], result.get("detail", "")
    if kind == "disk":
        return OSError(result["number"], detail)
    if kind == "network":
        return DownloadError("Kaggle could not be reached; is this machine online?", hint)
    if kind != "http":
        return DownloadError(f"kagglehub could not download {handle}: {detail}", hint)
    status = result["status"]
    if status == 404:
        return DownloadError(f"Kaggle has no model {handle} (HTTP 404)", hint)
    if status in (401, 403):
        return DownloadError(
            f"Kaggle refused the download of {handle} (HTTP {status})",
            f"if the model needs your consent, give it on its page and use a Kaggle token; {hint}",
        )
    return DownloadError(f"Kaggle cannot send {handle} now (HTTP {status})", hint)


def _tree_size(folder: Path) -> int:
    """Return the bytes in all files under `folder`, while another process changes it."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue  # removed since it was listed
    return total

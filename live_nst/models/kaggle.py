"""Fetches a model from Kaggle with kagglehub, in a process that can be ended.

kagglehub asks Kaggle's servers without any time-out, and downloads in threads that nothing can
stop. So it runs as a program of its own (`kaggle_child.py`); what it has written tells how far it
is, and when it writes nothing for too long it is ended.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live_nst.errors import DownloadError
from live_nst.models.saved_model import move_to_top
from live_nst.runtime.timing import Clock, SystemClock

_CHILD = Path(__file__).with_name("kaggle_child.py")
_CACHE = "cache"
_LOOK_EVERY = 0.2  # seconds


def download(
    handle: str,
    into: Path,
    *,
    progress: Callable[[int], None],
    stall: float,
    hint: str,
    clock: Clock | None = None,
) -> None:
    """Fetch a Kaggle model into a folder.

    Args:
        handle: OWNER/MODEL/FRAMEWORK/VARIATION[/VERSION].
        into: An existing, empty folder for the model's files. Scratch files go beside it.
        progress: Told how many bytes have come.
        stall: Seconds after which a download that writes nothing is given up.
        hint: What the user can do when it fails.
        clock: Measures the waiting.

    Raises:
        DownloadError: It cannot be had.
        OSError: It cannot be written to disk.
    """
    scratch = into.with_name("kaggle")
    scratch.mkdir()
    watch = _FolderMonitor(scratch / _CACHE, progress, stall, clock or SystemClock())
    answer = _ask(handle, scratch, watch)
    if answer is None:
        raise DownloadError(f"Kaggle sent nothing for {stall:g} s", hint)
    if "path" not in answer:
        raise _translate(answer, handle, hint)
    _move(Path(answer["path"]), scratch, into)


class _FolderMonitor:
    """Follows how much has been written under a folder."""

    def __init__(
        self, folder: Path, progress: Callable[[int], None], stall: float, clock: Clock
    ) -> None:
        self._folder = folder
        self._progress = progress
        self._stall = stall
        self._clock = clock
        self._bytes = 0
        self._last_change = clock.now()

    def is_stalled(self) -> bool:
        """Look once; whether nothing has been written for too long."""
        written = _tree_size(self._folder)
        if written != self._bytes:
            self._bytes = written
            self._last_change = self._clock.now()
            self._progress(written)
        return self._clock.now() - self._last_change > self._stall


def _ask(handle: str, scratch: Path, watch: _FolderMonitor) -> dict[str, Any] | None:
    """Run kagglehub; what it answered, or None when it had to be ended."""
    result = scratch / "result.json"
    errors = scratch / "errors.txt"
    # -P: the folder of the program is no place to import from.
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
            if not _wait(process, watch):
                return None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if result.exists():
        answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return answer
    lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return {"error": "other", "detail": lines[-1] if lines else f"exit code {process.returncode}"}


def _wait(process: subprocess.Popen[bytes], watch: _FolderMonitor) -> bool:
    """Wait for the end; False when nothing was written for too long before."""
    while True:
        try:
            process.wait(timeout=_LOOK_EVERY)
        except subprocess.TimeoutExpired:
            if watch.is_stalled():
                return False
        else:
            watch.is_stalled()
            return True


def _translate(answer: dict[str, Any], handle: str, hint: str) -> DownloadError | OSError:
    kind, detail = answer["error"], answer.get("detail", "")
    if kind == "http":
        return _http_error(answer["status"], handle, hint)
    if kind == "network":
        return DownloadError("Kaggle could not be reached; is this machine online?", hint)
    if kind == "disk":
        return OSError(answer["number"], detail)
    return DownloadError(f"kagglehub could not fetch {handle}: {detail}", hint)


def _http_error(status: int, handle: str, hint: str) -> DownloadError:
    if status == 404:
        return DownloadError(f"Kaggle knows no model {handle} (HTTP 404)", hint)
    if status in (401, 403):
        return DownloadError(
            f"Kaggle refused the download of {handle} (HTTP {status})",
            f"if the model asks for consent, give it on its page and sign in with a token; {hint}",
        )
    return DownloadError(f"Kaggle cannot send {handle} now (HTTP {status})", hint)


def _move(path: Path, scratch: Path, into: Path) -> None:
    """Bring the files from kagglehub's folder to ours."""
    if path.is_relative_to(scratch):
        into.rmdir()
        os.replace(path, into)
    else:
        # In Kaggle's and Colab's notebooks kagglehub answers with a folder that is not ours.
        shutil.copytree(path, into, dirs_exist_ok=True)
    move_to_top(into)


def _tree_size(folder: Path) -> int:
    """Bytes in all files under `folder`, which others change meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue  # removed since it was listed
    return total

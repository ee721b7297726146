"""`live-nst --style PICTURE`: options in, a session, its figures out."""

import json
import os
from pathlib import Path
from typing import Any

from live_nst.cli.console import DownloadProgressBar, notify, show_live_report
from live_nst.cli.options import parse_size
from live_nst.errors import UsageError
from live_nst.live.session import LiveOptions, run_live
from live_nst.sources.base import SourceRequest


def run(
    *, camera_size: str, fps: float, stats: Path | None, virtual_camera: str | None, **rest: Any
) -> None:
    """Run a session and show, and if asked write, its figures."""
    if stats is not None:
        _check_writable(stats)
    width, height = parse_size(camera_size)
    options = LiveOptions(
        request=SourceRequest(width, height, fps),
        virtual_camera="" if virtual_camera == "auto" else virtual_camera,
        **rest,
    )
    bar = DownloadProgressBar()
    try:
        report = run_live(options, notify, bar)
    finally:
        bar.close()
    show_live_report(report)
    if stats is not None:
        _write(stats, json.dumps(report.as_dict(), indent=2) + "\n")


def _check_writable(path: Path) -> None:
    """Refuse a place for the figures before a session that would end without them."""
    folder = path.parent
    if (
        path.is_dir()
        or not folder.is_dir()
        or not os.access(path if path.exists() else folder, os.W_OK)
    ):
        raise UsageError(
            f"The file {path} cannot be written.", "choose a file in a folder that exists"
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise UsageError(
            f"{path} cannot be written: {exc.strerror}.", "choose another file"
        ) from exc

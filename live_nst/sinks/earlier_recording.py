"""Keep an earlier recording: a new one with its name takes its place."""

import os
from pathlib import Path

import av

from live_nst.errors import RecordingError
from live_nst.files.names import sibling
from live_nst.runtime.pyav import open_for_reading

COMMENT = "Recorded by live-nst"
"""What the metadata of each recording says: no other file is renamed."""


def rename_earlier(path: Path) -> Path | None:
    """Rename the earlier recording at `path`, if there is one.

    Returns:
        Its new name, with a number; None if there is no file.

    Raises:
        RecordingError: The file is no recording of live-nst's, or cannot be renamed.
    """
    if not path.exists():
        return None
    if not _is_recording(path):
        raise RecordingError(
            f"{path} exists and was not recorded by live-nst", "choose another name, or remove it"
        )
    try:
        free = _reserve(path)
        os.replace(path, free)
    except OSError as exc:
        raise RecordingError(
            f"the earlier recording {path} cannot be renamed: {exc.strerror}",
            "choose another name, or remove it",
        ) from exc
    return free


def _reserve(path: Path) -> Path:
    """Create the first of name-1, name-2, ... that is free, as an empty file."""
    number = 1
    while True:
        free = sibling(path, suffix=f"-{number}{path.suffix}", stem=True)
        try:
            free.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return free


def _is_recording(path: Path) -> bool:
    """Return whether the metadata of a file says that it was recorded here."""
    try:
        with open_for_reading(path) as container:
            metadata = container.metadata
    except (OSError, av.FFmpegError):
        return False
    # Matroska returns its keys in capitals.
    return COMMENT in (value for key, value in metadata.items() if key.lower() == "comment")

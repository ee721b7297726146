"""What goes wrong when an output is written, in words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from live_nst.errors import ConversionError, LiveNstError, SinkError, UsageError


@contextmanager
def write_errors(output: Path) -> Iterator[None]:
    """Translate the system's and FFmpeg's errors about an output."""
    try:
        yield
    except LiveNstError:
        raise
    except (OSError, ValueError) as exc:  # FFmpeg's are of both kinds
        raise as_sink_error(output, exc) from exc


def as_sink_error(output: Path, exc: OSError | ValueError) -> SinkError:
    """An error about an output, in a sentence and with a way out."""
    number = getattr(exc, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return SinkError(
            f"The disk is full: {output} cannot be finished",
            "make room and run the same command again: it goes on where it stopped",
        )
    if number == errno.EFBIG:
        return SinkError(
            f"{output} would be larger than a file may be",
            "raise the limit that `ulimit -f` shows, and run the same command again",
        )
    if number == errno.ENOENT or not output.parent.is_dir():
        return SinkError(
            f"The folder for {output} has disappeared", "make it again and run the same command"
        )
    reason = (getattr(exc, "strerror", None) or str(exc)).lower()
    return SinkError(f"{output} cannot be written: {reason}", "choose another place")


def check_output(output: Path, input: Path, restart: bool) -> None:
    """Refuse an output that cannot be written, or must not be.

    Raises:
        UsageError: It is the input, a folder, or lies in none.
        ConversionError: A file is there already.
    """
    if output.is_dir():
        raise UsageError(
            f"{output} is a folder.", f"name a file in it, such as {output / input.name}"
        )
    if not output.parent.is_dir():
        raise UsageError(f"There is no folder {output.parent}.", "make it, or choose another")
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"Nothing can be written into the folder {output.parent}.", "choose another one"
        )
    if output.exists():
        if input.exists() and os.path.samefile(output, input):
            raise UsageError("The output is the input.", "choose another name")
        if not restart:
            raise ConversionError(
                f"There is a file {output} already",
                "choose another name; --restart converts anew and replaces it when it is done",
            )

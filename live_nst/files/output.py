"""Check that an output can be written, and translate the errors of writing it."""

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from live_nst.errors import LiveNstError, SinkError, UsageError
from live_nst.files.names import max_name_bytes


def check_output(
    path: Path,
    *,
    kind: str = "a file",
    suffixes: Collection[str] = (),
    input: Path | None = None,
    exists: LiveNstError | None = None,
    error: type[LiveNstError] = UsageError,
) -> None:
    """Raise unless a file can be created at `path`. Nothing on disk is changed.

    Args:
        path: The output.
        kind: What messages call it: "a video", "an image", "a recording".
        suffixes: The suffixes it may have, in the order in which a message lists them; any suffix
            if empty.
        input: A file that must not be overwritten.
        exists: What is raised if there is a file at `path` already; None if it may be replaced.
        error: What is raised for everything but a wrong suffix and `exists`.

    Raises:
        UsageError: The suffix is wrong.
        LiveNstError: Of type `error`: the path is a folder or the input, or its folder is missing
            or cannot be written.
    """
    suffixes = list(suffixes)
    limit = max_name_bytes(path.parent)
    if len(os.fsencode(path.name)) > limit:
        raise error(
            f"The name of the output is too long: {path.name}", f"use at most {limit} bytes"
        )
    if os.path.isdir(path):
        example = path / f"output{suffixes[0] if suffixes else ''}"
        raise error(f"{path} is a folder", f"name a file in it, such as {example}")
    if suffixes and path.suffix.lower() not in suffixes:
        raise UsageError(
            f"Invalid suffix: cannot write {kind} to '{path.name}'",
            f"use a name that ends in {join_words(suffixes, 'or')}",
        )
    folder = path.parent
    if not os.path.isdir(folder):
        raise error(
            f"There is no folder {folder}", f'create it with `mkdir -p "{folder}"`, or use another'
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise error(f"The folder {folder} is not writable", "use another one")
    if not os.path.lexists(path):
        return
    if (
        input is not None
        and os.path.exists(input)
        and os.path.exists(path)
        and os.path.samefile(path, input)
    ):
        raise error("The output is the input", "choose another name")
    if exists is not None:
        raise exists


@contextmanager
def write_errors(
    path: Path, *, error: type[LiveNstError] = SinkError, retry: str = "run the same command again"
) -> Iterator[None]:
    """Translate what the system and FFmpeg raise when `path` is written; see `write_error`.

    A `LiveNstError` passes through unchanged.
    """
    try:
        yield
    except LiveNstError:
        raise
    except (OSError, ValueError) as exc:  # FFmpeg's errors are of one of these types
        raise write_error(path, exc, error=error, retry=retry) from exc


def write_error(
    path: Path,
    exc: Exception,
    *,
    error: type[LiveNstError] = SinkError,
    retry: str = "run the same command again",
) -> LiveNstError:
    """Return an error that says why `path` cannot be written, and what to do about it.

    Args:
        path: The output.
        exc: What the system or FFmpeg raised.
        error: The type to return.
        retry: What the user can do once the cause is gone.
    """
    number = getattr(exc, "errno", None)
    if is_disk_full(exc):
        return error(f"The disk is full: {path} cannot be finished", f"free some space and {retry}")
    if number == errno.EFBIG:
        return error(
            f"{path} would be larger than a file may be",
            f"raise the limit that `ulimit -f` shows, or use another disk, and {retry}",
        )
    if number == errno.ENOENT or not os.path.isdir(path.parent):
        return error(f"The folder for {path} has disappeared", f"create it again and {retry}")
    reason = (getattr(exc, "strerror", None) or str(exc)).lower()
    return error(f"{path} cannot be written: {reason}", "choose another place")


def is_disk_full(exc: BaseException | None) -> bool:
    """Return whether an error says that the disk is full, or the user's share of it."""
    return getattr(exc, "errno", None) in (errno.ENOSPC, errno.EDQUOT)


def join_words(words: Collection[str], last: str) -> str:
    """Return words as a list for people: `join_words([".mp4", ".mov"], "or")`."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final

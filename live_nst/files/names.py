"""Names of the files that are written beside an output, never longer than the system allows."""

import hashlib
import os
from pathlib import Path

_MAX_BYTES = 255
"""The longest name on nearly every file system."""

_DIGITS = 8


def sibling(path: Path, *, prefix: str = "", suffix: str = "", stem: bool = False) -> Path:
    """Return a path in the same folder whose name is that of `path` with something added.

    A name that would be too long is cut in the middle and made unique by a checksum of it.

    Args:
        path: The path.
        prefix: What comes before the name.
        suffix: What comes after it.
        stem: Use the name without its own suffix.
    """
    name = path.stem if stem else path.name
    limit = max_name_bytes(path.parent)
    if len(os.fsencode(prefix + name + suffix)) > limit:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:_DIGITS]
        suffix = f"-{digest}{suffix}"
        name = _shorten(name, limit - len(os.fsencode(prefix + suffix)))
    return path.with_name(prefix + name + suffix)


def max_name_bytes(folder: Path) -> int:
    """Return how many bytes a name in a folder may have."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows; a folder that does not exist yet
        return _MAX_BYTES


def _shorten(name: str, size: int) -> str:
    """Return the longest beginning of a name that has at most `size` bytes."""
    while len(os.fsencode(name)) > size:
        name = name[:-1]
    return name

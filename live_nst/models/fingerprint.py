"""A name for a model's content, so that what was computed with it can be kept."""

import hashlib
from pathlib import Path

from live_nst.errors import ModelError
from live_nst.models.saved_model import GRAPH_FILE, VARIABLES_FOLDER

_CHUNK = 1 << 20


def fingerprint(folder: Path) -> str:
    """Hash what a SavedModel computes: `saved_model.pb` and everything under `variables/`.

    Two folders with the same such files, named alike, have the same fingerprint, wherever they
    lie and whenever they were written.

    Args:
        folder: A SavedModel folder.

    Returns:
        64 hexadecimal digits (SHA-256).

    Raises:
        ModelError: A file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        variables = [path for path in (folder / VARIABLES_FOLDER).rglob("*") if path.is_file()]
        by_name = {path.relative_to(folder).as_posix(): path for path in variables}
        by_name[GRAPH_FILE] = folder / GRAPH_FILE
        for name, path in sorted(by_name.items()):
            _add_file(digest, name, path)
    except OSError as exc:
        raise ModelError(
            f"The model in {folder} cannot be read: {exc.strerror or exc}",
            "check the folder and its permissions",
        ) from exc
    return digest.hexdigest()


def _add_file(digest: "hashlib._Hash", name: str, path: Path) -> None:
    """Add a name, a size and a content; the size keeps neighbouring files apart."""
    digest.update(f"{name}\0{path.stat().st_size}\0".encode())
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)

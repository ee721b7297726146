"""Check the files of the package, and the cache folder with the downloaded models."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from live_nst.doctor.finding import REINSTALL, Finding, Severity
from live_nst.errors import LiveNstError, ModelError
from live_nst.styles.builtin import builtin_image_path, builtin_styles

if TYPE_CHECKING:
    from live_nst.models.cache import ModelCache


def check_model(find: Callable[[], Path] | None = None) -> Iterator[Finding]:
    """Check the model that is part of the package.

    Args:
        find: Returns its folder, or raises a `ModelError`.
    """
    try:
        folder = (find or _packaged_model)()
    except ModelError as exc:
        yield Finding("model", Severity.FAULT, exc.message, exc.hint)
    else:
        yield Finding("model", Severity.OK, f"mobile, {_megabytes(folder)}, in {folder}")


def _packaged_model() -> Path:
    from live_nst.models.handles import MOBILE
    from live_nst.models.loading import resolve_model

    return resolve_model(MOBILE).folder


def check_styles(
    names: Iterable[str] | None = None, path_of: Callable[[str], Path] = builtin_image_path
) -> Iterator[Finding]:
    """Check the pictures of the built-in styles.

    Args:
        names: The styles; None for all.
        path_of: Returns the path of a style's picture.
    """
    names = list(builtin_styles() if names is None else names)
    missing = [name for name in names if not path_of(name).is_file()]
    for name in missing:
        text = f"the picture of the style {name} is missing from the package"
        yield Finding("styles", Severity.FAULT, text, REINSTALL)
    if not missing:
        yield Finding("styles", Severity.OK, f"{len(names)} built in")


def check_cache(root: Path | None = None) -> Iterator[Finding]:
    """Check that the cache folder can be written, and what is in it.

    Args:
        root: The folder; None for the one in use.
    """
    from live_nst.files.cache import CACHE_VARIABLE, cache_root
    from live_nst.models.cache import ModelCache

    root = cache_root() if root is None else root
    nearest = next(path for path in (root, *root.parents) if os.path.exists(path))
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        text = f"{root} cannot be written: styles are computed again at every start"
        hint = f"make {nearest} writable, or set {CACHE_VARIABLE} to another folder"
        yield Finding("cache", Severity.NOTE, text, hint)
        return
    styles = len(list(root.glob("bottlenecks/*/*.npy")))
    models = len(list(root.glob("models/[!.]*")))
    text = f"{root}, computed styles kept: {styles}, downloaded models kept: {models}"
    yield Finding("cache", Severity.OK, text)
    for entry in sorted((root / "models").glob("*")):
        yield _check_cached_model(ModelCache(root / "models"), entry)


def _check_cached_model(cache: "ModelCache", entry: Path) -> Finding:
    """Check one entry of the cache; `live_nst.models.cache` describes its files."""
    from live_nst.models.handles import HUB, parse_handle

    if entry.name.startswith("."):
        text = f"{entry} is an unfinished download, perhaps still running"
        return Finding("cache", Severity.NOTE, text)
    hint = f"it is downloaded again when it is needed; to delete it, remove {entry}"
    try:
        address = json.loads((entry / "complete.json").read_text("utf-8"))["address"]
        handle = parse_handle(address)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, LiveNstError):
        text = f"{entry.name} is damaged: its list of files is missing or damaged"
        return Finding("cache", Severity.NOTE, text, hint)
    folder = cache.find(handle)
    if folder is None or folder.parent != entry:
        reason = cache.damage_reason(handle) or f"{entry.name} is not its folder"
        return Finding("cache", Severity.NOTE, f"{handle.name} is damaged: {reason}", hint)
    label = f"{handle.name} ({address})" if handle.name == HUB else handle.name
    return Finding("cache", Severity.OK, f"{label} is kept, {_megabytes(entry)}")


def _megabytes(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"

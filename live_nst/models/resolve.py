"""From what `--model` says to a folder that holds the model."""

import logging
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import ModelError
from live_nst.models.cache import ModelCache, cache_root
from live_nst.models.download import Progress, Say, fetch
from live_nst.models.handles import Handle, HandleKind, check_folder, parse_handle
from live_nst.models.saved_model import saved_model_problem

_PACKAGED_FOLDER = Path(__file__).with_name("mobile")


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that is on this machine.

    Attributes:
        name: For people: "mobile", "hub", an address or a path.
        folder: Its SavedModel folder, looked at and found whole.
        handle: What was asked for.
    """

    name: str
    folder: Path
    handle: Handle


def resolve(
    text: str,
    *,
    cache: ModelCache | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
) -> ResolvedModel:
    """Bring a model onto this machine.

    Args:
        text: What `parse_handle` takes.
        cache: Where downloaded models are kept; `default_cache()` when None.
        progress: Told how far a download is: bytes done, bytes in all or None.
        say: Told in a line what is fetched and why; the log when None.

    Raises:
        UsageError: The text names no model.
        ModelError: The folder is no SavedModel, or the cache cannot be written.
        DownloadError: The model cannot be fetched; the hint names the ways out.
    """
    handle = parse_handle(text)
    if handle.kind is HandleKind.PACKAGED:
        folder = _packaged_folder()
    elif handle.kind is HandleKind.FOLDER:
        folder = Path(handle.address)
        check_folder(folder)
    else:
        folder = _cached_folder(handle, cache or default_cache(), progress, say)
    return ResolvedModel(handle.name, folder, handle)


def is_available_offline(text: str, *, cache: ModelCache | None = None) -> bool:
    """Whether `resolve` would find the model without the network.

    Raises:
        UsageError: The text names no model.
    """
    handle = parse_handle(text)
    if handle.kind is HandleKind.PACKAGED:
        return not saved_model_problem(_PACKAGED_FOLDER)
    if handle.kind is HandleKind.FOLDER:
        return not saved_model_problem(Path(handle.address))
    return (cache or default_cache()).find(handle) is not None


def default_cache() -> ModelCache:
    """The models in the user's cache folder."""
    return ModelCache(cache_root() / "models")


def _packaged_folder() -> Path:
    problem = saved_model_problem(_PACKAGED_FOLDER)
    if problem:
        raise ModelError(f"The packaged model is not whole ({problem})", "install live-nst again")
    return _PACKAGED_FOLDER


def _cached_folder(
    handle: Handle, cache: ModelCache, progress: Progress | None, say: Say | None
) -> Path:
    folder = cache.find(handle)
    if folder is not None:
        return folder
    tell = say or logging.getLogger(__name__).info
    damage = cache.damage(handle)
    if damage:
        tell(f"The kept copy of {handle.name} is not whole ({damage}) and is fetched again.")
    else:
        tell(f"Fetching {handle.name}; it is kept in {cache.root}.")
    report = progress or _no_progress
    return cache.install(handle, lambda into: fetch(handle, into, progress=report, say=tell))


def _no_progress(done: int, total: int | None) -> None:
    """Nobody wants to know."""

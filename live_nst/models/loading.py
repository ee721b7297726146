"""From what `--model` says to a folder that holds the model."""

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import cache_root
from live_nst.models.cache import ModelCache
from live_nst.models.download import fetch
from live_nst.models.graph.split import build_programs
from live_nst.models.handles import HandleKind, ModelHandle, check_model_folder, parse_handle
from live_nst.models.program import FORMAT, SplitModel, read_programs, write_programs
from live_nst.models.saved_model import fingerprint, saved_model_problem
from live_nst.runtime.tensorflow import gpu_names
from live_nst.types import DownloadProgress, Notify

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
    handle: ModelHandle


def resolve(
    text: str,
    *,
    cache: ModelCache | None = None,
    progress: DownloadProgress | None = None,
    notify: Notify | None = None,
) -> ResolvedModel:
    """Bring a model onto this machine.

    Args:
        text: What `parse_handle` takes.
        cache: Where downloaded models are kept; `default_cache()` when None.
        progress: Told how far a download is: bytes done, bytes in all or None.
        notify: Told in a line what is fetched and why; the log when None.

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
        check_model_folder(folder)
    else:
        folder = _cached_folder(handle, cache or default_model_cache(), progress, notify)
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
    return (cache or default_model_cache()).find(handle) is not None


def default_model_cache() -> ModelCache:
    """The models in the user's cache folder."""
    return ModelCache(cache_root() / "models")


def _packaged_folder() -> Path:
    problem = saved_model_problem(_PACKAGED_FOLDER)
    if problem:
        raise ModelError(f"The packaged model is not whole ({problem})", "install live-nst again")
    return _PACKAGED_FOLDER


def _cached_folder(
    handle: ModelHandle, cache: ModelCache, progress: DownloadProgress | None, notify: Notify | None
) -> Path:
    folder = cache.find(handle)
    if folder is not None:
        return folder
    tell = notify or logging.getLogger(__name__).info
    damage = cache.damage_reason(handle)
    if damage:
        tell(f"The kept copy of {handle.name} is not whole ({damage}) and is fetched again.")
    else:
        tell(f"Fetching {handle.name}; it is kept in {cache.root}.")
    report = progress or _no_progress
    return cache.install(handle, lambda into: fetch(handle, into, progress=report, notify=tell))


def _no_progress(done: int, total: int | None) -> None:
    """Nobody wants to know."""


PROGRAMS_FOLDER = "programs"
"""The folder inside the packaged model's that holds its programs."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in its three programs.

    Attributes:
        name: For people: "mobile", or the handle or folder it was asked for by.
        fingerprint: SHA-256 over the model's files.
        programs: Encode, expand and frame.
    """

    name: str
    fingerprint: str
    programs: SplitModel


def load_model(
    choice: str, device: str, *, notify: Notify, progress: DownloadProgress | None
) -> LoadedModel:
    """Find, fetch if need be, load and split a model, saying which one and why.

    Args:
        choice: "auto", or what `live_nst.models.handles` knows how to read.
        device: "auto", "cpu" or "gpu"; "auto" as a choice depends on it.
        notify: Called with whole sentences.
        progress: Called with bytes done and bytes in all while downloading.

    Raises:
        ModelError: It cannot be had or used.
    """
    if choice == "auto":
        resolved = _automatic(device, notify, progress)
    else:
        resolved = resolve(choice, notify=notify, progress=progress)
        notify(f"Model {resolved.name}.")
    digest = fingerprint(resolved.folder)
    return LoadedModel(resolved.name, digest, _programs(resolved, digest))


def _programs(resolved: ResolvedModel, digest: str) -> SplitModel:
    """The model's programs: those that were kept, else made now, and kept."""
    folder = cache_root() / "programs" / f"{digest[:32]}-{FORMAT}"
    if resolved.handle.kind is HandleKind.PACKAGED:
        folder = resolved.folder / PROGRAMS_FOLDER
    kept = read_programs(folder, digest)
    if kept is not None:
        return kept
    made = build_programs(resolved.folder)
    with contextlib.suppress(OSError):  # without a cache, it is made at every start
        write_programs(folder, digest, made)
    return made


def _automatic(device: str, notify: Notify, progress: DownloadProgress | None) -> ResolvedModel:
    """Hub's module where a GPU can run it and it can be had, else the packaged one."""
    if device == "cpu" or not gpu_names():
        why = "the CPU was asked for" if device == "cpu" else "TensorFlow finds no GPU"
        notify(f"Model mobile: {why}.")
        return resolve("mobile", notify=notify, progress=progress)
    cached = is_available_offline("hub")
    try:
        resolved = resolve("hub", notify=notify, progress=progress)
    except DownloadError as exc:
        notify(
            f"Model mobile: there is a GPU, but TF Hub's module cannot be fetched: {exc.message}"
        )
        return resolve("mobile", notify=notify, progress=progress)
    notify(f"Model hub: there is a GPU, and the module {'is cached' if cached else 'was fetched'}.")
    return resolved

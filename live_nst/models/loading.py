"""Load a model: find or download its folder, then read or build its programs."""

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import cache_root
from live_nst.models.cache import ModelCache
from live_nst.models.download import download_model
from live_nst.models.graph.split import build_split_model
from live_nst.models.handles import HandleKind, ModelHandle, check_model_folder, parse_handle
from live_nst.models.program import SplitModel
from live_nst.models.program_files import (
    PROGRAMS_FORMAT,
    read_programs,
    stored_fingerprint,
    write_programs,
)
from live_nst.models.saved_model import model_fingerprint, saved_model_problem
from live_nst.runtime.tensorflow import gpu_names
from live_nst.types import DownloadProgress, Notify

PACKAGED_ROOT = Path(__file__).parent
"""The folder in which each packaged model has a folder of its name."""

PROGRAMS_FOLDER = "programs"
"""The subfolder of a packaged model with its programs. Only `mobile` has its SavedModel, too."""


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready for an engine.

    Attributes:
        name: For people: "mobile", "fine", "live", "hub", an address or a path.
        fingerprint: SHA-256 of the SavedModel's files.
        programs: The model in three programs.
    """

    name: str
    fingerprint: str
    programs: SplitModel


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that is on this machine.

    Attributes:
        name: For people: "mobile", "fine", "live", "hub", an address or a path.
        folder: Its folder: a complete SavedModel, or with the programs of a packaged model.
        handle: Its address.
    """

    name: str
    folder: Path
    handle: ModelHandle


def load_model(
    choice: str,
    device: str,
    *,
    notify: Notify,
    progress: DownloadProgress | None,
    tensorflow: bool = True,
) -> LoadedModel:
    """Load a model, and notify the user which one it is and why.

    It is downloaded if it has to be. Its programs are built once and kept in the cache.

    Args:
        choice: "auto", or what `parse_handle` accepts. "auto" is TF Hub's model if TensorFlow
            has a GPU and the model can be downloaded, else the packaged one.
        device: "auto", "cpu", "gpu", "gpu:1" or "npu".
        notify: Called with whole sentences.
        progress: Called with bytes done and bytes in all during a download.
        tensorflow: Whether TensorFlow would run the model on a GPU. TF Hub's model is meant for
            GPUs that it can use.

    Raises:
        UsageError: `choice` names no model.
        ModelError: The model cannot be downloaded, loaded or split.
    """
    if choice == "auto":
        resolved = _resolve_automatically(device, notify, progress, tensorflow=tensorflow)
    else:
        resolved = resolve_model(choice, notify=notify, progress=progress)
        notify(f"Model {resolved.name}.")
    if resolved.handle.kind is HandleKind.PACKAGED:
        return _load_packaged(resolved)
    fingerprint = model_fingerprint(resolved.folder)
    return LoadedModel(resolved.name, fingerprint, _load_programs(resolved.folder, fingerprint))


def resolve_model(
    text: str,
    *,
    cache: ModelCache | None = None,
    progress: DownloadProgress | None = None,
    notify: Notify | None = None,
) -> ResolvedModel:
    """Return a model's folder, and download the model first if it is not on this machine.

    Args:
        text: What `parse_handle` accepts.
        cache: Keeps downloaded models; None for the user's.
        progress: Called with bytes done and bytes in all during a download.
        notify: Called with a sentence about the download; None for the log.

    Raises:
        UsageError: The text names no model.
        ModelError: The folder is no SavedModel, or the cache cannot be written.
        DownloadError: The download fails.
    """
    handle = parse_handle(text)
    if handle.kind is HandleKind.PACKAGED:
        folder = PACKAGED_ROOT / handle.name
        if stored_fingerprint(folder / PROGRAMS_FOLDER) is None:
            raise _incomplete(handle.name)
    elif handle.kind is HandleKind.FOLDER:
        folder = Path(handle.address)
        check_model_folder(folder)
    else:
        folder = _cached_folder(handle, cache or default_model_cache(), progress, notify)
    return ResolvedModel(handle.name, folder, handle)


def is_available_offline(text: str, *, cache: ModelCache | None = None) -> bool:
    """Return whether `resolve_model` would find the model without a download.

    Raises:
        UsageError: The text names no model.
    """
    handle = parse_handle(text)
    if handle.kind is HandleKind.PACKAGED:
        return stored_fingerprint(PACKAGED_ROOT / handle.name / PROGRAMS_FOLDER) is not None
    if handle.kind is HandleKind.FOLDER:
        return not saved_model_problem(Path(handle.address))
    return (cache or default_model_cache()).find(handle) is not None


def default_model_cache() -> ModelCache:
    """Return the cache with the user's downloaded models."""
    return ModelCache(cache_root() / "models")


def _cached_folder(
    handle: ModelHandle, cache: ModelCache, progress: DownloadProgress | None, notify: Notify | None
) -> Path:
    folder = cache.find(handle)
    if folder is not None:
        return folder
    notify = notify or logging.getLogger(__name__).info
    damage = cache.damage_reason(handle)
    if damage:
        notify(f"The cached copy of {handle.name} is damaged ({damage}). Downloading it again.")
    else:
        notify(f"Downloading {handle.name} to {cache.root}.")
    report = progress or (lambda done, total: None)
    return cache.install(
        handle, lambda into: download_model(handle, into, progress=report, notify=notify)
    )


def _resolve_automatically(
    device: str, notify: Notify, progress: DownloadProgress | None, *, tensorflow: bool
) -> ResolvedModel:
    if device in ("cpu", "npu") or not gpu_names() or not tensorflow:
        reason = "TensorFlow finds no GPU" if not gpu_names() else "TensorFlow does not run it"
        if device in ("cpu", "npu"):
            reason = f"the {device.upper()} was asked for"
        notify(f"Model mobile: {reason}.")
        return resolve_model("mobile")
    state = "is cached" if is_available_offline("hub") else "was downloaded"
    try:
        resolved = resolve_model("hub", notify=notify, progress=progress)
    except DownloadError as exc:
        notify(f"Model mobile: there is a GPU, but model hub cannot be downloaded: {exc.message}")
        return resolve_model("mobile")
    notify(f"Model hub: there is a GPU, and the model {state}.")
    return resolved


def _load_packaged(model: ResolvedModel) -> LoadedModel:
    """Read a packaged model, which has its programs alone."""
    folder = model.folder / PROGRAMS_FOLDER
    fingerprint = stored_fingerprint(folder)
    programs = None if fingerprint is None else read_programs(folder, fingerprint)
    if fingerprint is None or programs is None:
        raise _incomplete(model.name)
    return LoadedModel(model.name, fingerprint, programs)


def _incomplete(name: str) -> ModelError:
    message = f"The packaged model {name} is not complete"
    return ModelError(message, "install live-nst again")


def _load_programs(model: Path, fingerprint: str) -> SplitModel:
    """Read the programs of a SavedModel; if there are none, build and write them."""
    folder = cache_root() / "programs" / f"{fingerprint[:32]}-{PROGRAMS_FORMAT}"
    programs = read_programs(folder, fingerprint)
    if programs is not None:
        return programs
    programs = build_split_model(model)
    with contextlib.suppress(OSError):  # without a cache, they are built at every start
        write_programs(folder, fingerprint, programs)
    return programs

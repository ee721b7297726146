"""From what the user asked for to a model that is split and ready for an engine."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from live_nst.engines.runtime import gpu_names
from live_nst.errors import DownloadError
from live_nst.models.build import build_programs
from live_nst.models.cache import cache_root
from live_nst.models.fingerprint import fingerprint
from live_nst.models.handles import HandleKind
from live_nst.models.program import SplitModel
from live_nst.models.resolve import ResolvedModel, is_available_offline, resolve
from live_nst.models.store import FORMAT, read_programs, write_programs

Say = Callable[[str], None]
Progress = Callable[[int, int | None], None]

PROGRAMS = "programs"
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


def load_model(choice: str, device: str, *, say: Say, progress: Progress | None) -> LoadedModel:
    """Find, fetch if need be, load and split a model, saying which one and why.

    Args:
        choice: "auto", or what `live_nst.models.handles` knows how to read.
        device: "auto", "cpu" or "gpu"; "auto" as a choice depends on it.
        say: Called with whole sentences.
        progress: Called with bytes done and bytes in all while downloading.

    Raises:
        ModelError: It cannot be had or used.
    """
    if choice == "auto":
        resolved = _automatic(device, say, progress)
    else:
        resolved = resolve(choice, say=say, progress=progress)
        say(f"Model {resolved.name}.")
    digest = fingerprint(resolved.folder)
    return LoadedModel(resolved.name, digest, _programs(resolved, digest))


def _programs(resolved: ResolvedModel, digest: str) -> SplitModel:
    """The model's programs: those that were kept, else made now, and kept."""
    folder = cache_root() / "programs" / f"{digest[:32]}-{FORMAT}"
    if resolved.handle.kind is HandleKind.PACKAGED:
        folder = resolved.folder / PROGRAMS
    kept = read_programs(folder, digest)
    if kept is not None:
        return kept
    made = build_programs(resolved.folder)
    with contextlib.suppress(OSError):  # without a cache, it is made at every start
        write_programs(folder, digest, made)
    return made


def _automatic(device: str, say: Say, progress: Progress | None) -> ResolvedModel:
    """Hub's module where a GPU can run it and it can be had, else the packaged one."""
    if device == "cpu" or not gpu_names():
        why = "the CPU was asked for" if device == "cpu" else "TensorFlow finds no GPU"
        say(f"Model mobile: {why}.")
        return resolve("mobile", say=say, progress=progress)
    cached = is_available_offline("hub")
    try:
        resolved = resolve("hub", say=say, progress=progress)
    except DownloadError as exc:
        say(f"Model mobile: there is a GPU, but TF Hub's module cannot be fetched: {exc.message}")
        return resolve("mobile", say=say, progress=progress)
    say(f"Model hub: there is a GPU, and the module {'is cached' if cached else 'was fetched'}.")
    return resolved

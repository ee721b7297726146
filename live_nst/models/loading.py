"""From what the user asked for to a model that is split and ready for an engine."""

from collections.abc import Callable
from dataclasses import dataclass

from live_nst.engines.runtime import gpu_names
from live_nst.errors import DownloadError
from live_nst.models.fingerprint import fingerprint
from live_nst.models.freeze import freeze
from live_nst.models.resolve import ResolvedModel, is_available_offline, resolve
from live_nst.models.split import SplitModel, split

Say = Callable[[str], None]
Progress = Callable[[int, int | None], None]


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
    return LoadedModel(resolved.name, fingerprint(resolved.folder), split(freeze(resolved.folder)))


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

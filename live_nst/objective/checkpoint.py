"""What a painting that was stopped goes on from: one file beside the picture, replaced whole."""

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_nst.errors import SinkError, UsageError

SUFFIX = ".painting"
_PREFIX = "optimizer."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment of a painting.

    Attributes:
        settings: A digest of everything that decides how it goes on.
        level: Which level of the pyramid, from 0.
        evaluations: How often the loss was computed on that level.
        first: The total loss of the level's first evaluation.
        optimizer: The optimizer's state.
    """

    settings: str
    level: int
    evaluations: int
    first: float
    optimizer: Mapping[str, Any]


def checkpoint_path(out: Path) -> Path:
    """Where the state of the painting `out` is kept."""
    return out.with_name(out.name + SUFFIX)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the one before stays until this one is whole.

    Raises:
        SinkError: It cannot be written.
    """
    about = {
        name: getattr(checkpoint, name) for name in ("settings", "level", "evaluations", "first")
    }
    arrays = {f"{_PREFIX}{name}": value for name, value in checkpoint.optimizer.items()}
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)
        os.replace(partial, path)
    except OSError as exc:
        partial.unlink(missing_ok=True)
        raise SinkError(
            f"The state of the painting cannot be written to {path}: {exc.strerror or exc}.",
            "make room, or choose another place for the picture",
        ) from exc


def load_checkpoint(path: Path, settings: str) -> Checkpoint | None:
    """The checkpoint of the painting with these settings; None when there is none.

    Raises:
        UsageError: The file belongs to a painting with other settings, or is damaged.
    """
    if not path.exists():
        return None
    hint = "give the same pictures and options as then, or start over with --fresh"
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            arrays = {
                name.removeprefix(_PREFIX): file[name]
                for name in file.files
                if name.startswith(_PREFIX)
            }
        checkpoint = Checkpoint(optimizer=arrays, **about)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as exc:
        raise UsageError(f"The state of the painting in {path} is damaged.", hint) from exc
    if checkpoint.settings != settings:
        raise UsageError(f"{path} is the state of a painting with other settings.", hint)
    return checkpoint

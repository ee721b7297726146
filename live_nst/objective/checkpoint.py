"""The state of an interrupted painting: one file beside the output."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_nst.errors import UsageError
from live_nst.files.atomic import atomic_write
from live_nst.files.names import sibling
from live_nst.files.output import write_errors

CHECKPOINT_SUFFIX = ".painting"
_PREFIX = "optimizer."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after an evaluation.

    Attributes:
        settings: A fingerprint of everything that the result depends on.
        level: Index of the pyramid level.
        evaluations: The number of evaluations on that level.
        first: The total loss of the level's first evaluation.
        optimizer: The state of the optimizer.
    """

    settings: str
    level: int
    evaluations: int
    first: float
    optimizer: Mapping[str, Any]


def checkpoint_path(output: Path) -> Path:
    """Return the file that holds the state of a painting."""
    return sibling(output, suffix=CHECKPOINT_SUFFIX)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, replacing the one before.

    Raises:
        SinkError: It cannot be written.
    """
    about = {
        name: getattr(checkpoint, name) for name in ("settings", "level", "evaluations", "first")
    }
    arrays = {f"{_PREFIX}{name}": value for name, value in checkpoint.optimizer.items()}
    with write_errors(path), atomic_write(path) as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)


def load_checkpoint(path: Path, settings: str) -> Checkpoint | None:
    """Return the checkpoint of a painting with these settings; None if there is none.

    Raises:
        UsageError: The file belongs to a painting with other settings, or is damaged.
    """
    if not path.exists():
        return None
    hint = "use the same images and options as before, or start again with --fresh"
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
        raise UsageError(f"The state of the painting in {path} is damaged", hint) from exc
    if checkpoint.settings != settings:
        raise UsageError(
            f"{path} is the state of a painting with other settings, or of another version of "
            "live-nst",
            hint,
        )
    return checkpoint

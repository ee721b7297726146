"""Checkpoints: one `.npz` file each, the same bytes from the same state.

A full checkpoint resumes exactly. One without the optimizer's state is three times as small; a run
goes on from it with a new optimizer, which warms up again.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.train_model.settings import Settings

State = dict[str, NDArray[np.floating[Any]]]
"""Arrays by the names that the student gives its parameters."""


@dataclass(slots=True)
class Checkpoint:
    """The state of a run between two steps.

    Attributes:
        settings: What the run is made of.
        average: The moving average of the weights: what is evaluated and exported.
        weights: The weights that are trained; None in a file without the optimizer's state.
        optimizer: Adam's first and second moments by parameter; None likewise.
        step: Steps taken since the moments were last empty.
        seen: Pictures seen in all, those of the runs that this one went on from included.
        floor: The running median of unpainted photos' style loss by block; see
            `losses.style_share`. None before the first step.
        history: One entry for each part of the run: settings that differ, and pictures seen.
    """

    settings: Settings
    average: State
    weights: State | None = None
    optimizer: tuple[State, State] | None = None
    step: int = 0
    seen: int = 0
    floor: list[float] | None = None
    history: list[dict[str, Any]] = field(default_factory=list)


def save(checkpoint: Checkpoint, file: Path, *, small: bool = False) -> None:
    """Write a checkpoint; the file is whole at every moment.

    Args:
        checkpoint: What to write.
        file: A name that ends with `.npz`.
        small: Leave out the optimizer's state and the weights that are not averaged.
    """
    groups = {"average": checkpoint.average}
    if not small:
        groups["weights"] = checkpoint.weights or {}
        groups["first"], groups["second"] = checkpoint.optimizer or ({}, {})
    meta = {
        "settings": checkpoint.settings.to_dict(),
        "step": 0 if small else checkpoint.step,
        "seen": checkpoint.seen,
        "floor": checkpoint.floor,
        "history": checkpoint.history,
    }
    arrays: dict[str, NDArray[Any]] = {"meta": np.array(json.dumps(meta, sort_keys=True))}
    for group, state in groups.items():
        for name, values in state.items():
            arrays[f"{group}/{name}"] = values
    partial = file.with_name(f".{file.name}.part")
    with partial.open("wb") as out:
        np.savez(out, **arrays)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)


def load(file: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ValueError: The file is none.
        OSError: It cannot be read.
    """
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = dict(found)
        meta = json.loads(str(arrays.pop("meta")))
    except (KeyError, ValueError) as exc:
        raise ValueError(f"{file} is no checkpoint") from exc
    groups: dict[str, State] = {"average": {}, "weights": {}, "first": {}, "second": {}}
    for name, values in arrays.items():
        group, _, parameter = name.partition("/")
        groups[group][parameter] = values
    full = bool(groups["weights"] and groups["first"])
    return Checkpoint(
        Settings.from_dict(meta["settings"]),
        groups["average"],
        groups["weights"] or None,
        (groups["first"], groups["second"]) if full else None,
        meta["step"] if full else 0,
        meta["seen"],
        meta["floor"],
        meta["history"],
    )


def plain_head(state: State) -> State:
    """Return the arrays of a student's head when it takes features that are not centered.

    Args:
        state: The student's; without a head, nothing is returned.
    """
    if "head.mean" not in state:
        return {}
    mean, scale = state["head.mean"], state["head.scale"]
    weight = state["head.linear.weight"] / scale
    return {
        "head.linear.weight": weight,
        "head.linear.bias": state["head.linear.bias"] - weight @ mean,
        "head.mean": np.zeros_like(mean),
        "head.scale": np.ones_like(scale),
    }


def mix(first: Checkpoint, second: State, share: float, name: str) -> Checkpoint:
    """Mix the weights of a checkpoint with those of a network that it was fine-tuned from.

    Weights between both give pictures between both, steadier and cleaner than a mix of their
    pictures; a run goes on from them. Source: Wortsman et al., "Robust fine-tuning of zero-shot
    models" (2022).

    Args:
        first: The checkpoint; its averaged weights are used.
        second: The other's weights.
        share: Of the first, 0..1.
        name: What the other is called in the history.

    Raises:
        ValueError: They are not of one shape.
    """
    shapes = [{key: values.shape for key, values in s.items()} for s in (first.average, second)]
    if shapes[0] != shapes[1]:
        raise ValueError("networks of two shapes cannot be mixed")
    ours, theirs = (state | plain_head(state) for state in (first.average, second))
    mixed = {
        key: (share * values + (1 - share) * theirs[key]).astype(np.float32)
        for key, values in ours.items()
    }
    part = {"from": first.seen, "mixed": {"share": share, "with": name}}
    history = [*first.history, part]
    return Checkpoint(first.settings, mixed, seen=first.seen, floor=first.floor, history=history)

"""A split model on disk, so that neither TensorFlow nor the cut is needed a second time.

    FOLDER/programs.json     format, the model's fingerprint, names and shapes
    FOLDER/encode.pb ...     one serialised GraphDef per program

The packaged model brings such a folder; those of other models lie in the cache.
"""

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from live_nst.models.program import Program, SplitModel

FORMAT = 3
"""Raised whenever what is stored changes, so that nothing older is read."""

_INDEX = "programs.json"
_MAIN = ("encode", "expand", "frame")


def read_programs(folder: Path, fingerprint: str) -> SplitModel | None:
    """The programs in `folder`; None if they are missing, damaged, or not of that model.

    Args:
        folder: What `write_programs` wrote.
        fingerprint: Of the model that they were made from.
    """
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        if index["format"] != FORMAT or index["fingerprint"] != fingerprint:
            return None
        programs = {
            name: _program(described, (folder / f"{name}.pb").read_bytes())
            for name, described in index["programs"].items()
        }
        main = {name: programs.pop(name) for name in _MAIN}
        return SplitModel(**main, forms=programs)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_programs(folder: Path, fingerprint: str, model: SplitModel) -> None:
    """Write the programs of a model, whole or not at all.

    Args:
        folder: Where to; replaced if it is there.
        fingerprint: Of the model that they were made from.
        model: The programs.

    Raises:
        OSError: They cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        programs = {name: getattr(model, name) for name in _MAIN} | dict(model.forms)
        for name, program in programs.items():
            (partial / f"{name}.pb").write_bytes(program.graph)
        index = {
            "format": FORMAT,
            "fingerprint": fingerprint,
            "programs": {name: _described(program) for name, program in programs.items()},
        }
        (partial / _INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")
        partial.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _described(program: Program) -> dict[str, Any]:
    """Everything about a program but its graph, and the graph's length."""
    described = asdict(program)
    described["bytes"] = len(described.pop("graph"))
    return described


def _program(described: dict[str, Any], graph: bytes) -> Program:
    if len(graph) != described.pop("bytes"):
        raise ValueError("the graph is not whole")
    return Program(graph=graph, **{name: _tuples(value) for name, value in described.items()})


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value

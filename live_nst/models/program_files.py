"""The programs of a split model, as two files of a folder.

    FOLDER/programs.json   format, the model's fingerprint, names, shapes, pieces
    FOLDER/programs.bin    the pieces of which the programs consist

The programs of a model have most of their weights in common. So a program is stored as a list of
pieces: every large constant is one, and so is what lies between two of them. A piece is stored
once, and one that another packaged model has is not stored again: "files" in `programs.json` then
tells where that model's pieces are, relative to FOLDER.

Packaged models are such a folder; the programs of other models are in the cache. So TensorFlow is
needed only the first time that a model is loaded.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from live_nst.models.program import Program, SplitModel, StagedProgram, TileStage

PROGRAMS_FORMAT = 5
"""The format number of the stored programs. A folder with another number is not read."""

_INDEX, _PIECES = "programs.json", "programs.bin"
_MAIN = ("encode", "expand", "frame")
_LARGE_BYTES = 512
"""A constant of at least so many bytes is a piece of its own."""

_Place = tuple[int, int, int]
"""A piece: index into "files", where it starts, how long it is, in bytes."""


def stored_fingerprint(folder: Path) -> str | None:
    """Return the fingerprint of the model whose programs are in `folder`.

    Returns:
        The fingerprint; None if there are no complete programs of this format.
    """
    try:
        return str(_read_index(folder)["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_programs(folder: Path, fingerprint: str) -> SplitModel | None:
    """Read the programs in `folder`.

    Args:
        folder: A folder that `write_programs` has written.
        fingerprint: The fingerprint of the model.

    Returns:
        The programs; None if they are missing, damaged, or of another model or format.
    """
    try:
        index = _read_index(folder)
        if index["fingerprint"] != fingerprint:
            return None
        files = [(folder / name).read_bytes() for name in index["files"]]
        programs = {
            name: _from_json(description, files) for name, description in index["programs"].items()
        }
        staged = _staged_from_json(index["staged_frame"], programs)
        main = {name: programs.pop(name) for name in _MAIN}
        return SplitModel(**main, variants=programs, staged_frame=staged)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def write_programs(
    folder: Path, fingerprint: str, model: SplitModel, *, shared: Path | None = None
) -> None:
    """Write the programs of a model. If that fails, `folder` is missing or as it was before.

    Args:
        folder: Where to write; it is replaced if it exists.
        fingerprint: The fingerprint of the model.
        model: The programs.
        shared: A folder with programs of another model. Pieces that are the same there are not
            written again; both folders must keep their places relative to each other.

    Raises:
        OSError: They cannot be written.
        ValueError: `shared` holds no programs of this format.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        programs = {name: getattr(model, name) for name in _MAIN} | dict(model.variants)
        if model.staged_frame is not None:
            stages = enumerate(model.staged_frame.stages)
            programs |= {_stage_name(number): stage.program for number, stage in stages}
        places = {} if shared is None else _places(shared)
        others = () if shared is None else (os.path.relpath(shared / _PIECES, folder),)
        descriptions = {}
        with (partial / _PIECES).open("wb") as out:
            for name, program in programs.items():
                description = asdict(program)
                del description["graph"]
                descriptions[name] = description | {"pieces": []}
                for piece in _split(program):
                    if piece not in places:
                        places[piece] = 0, out.tell(), len(piece)
                        out.write(piece)
                    descriptions[name]["pieces"].append(places[piece])
            size = out.tell()
        index = {
            "format": PROGRAMS_FORMAT,
            "fingerprint": fingerprint,
            "bytes": size,
            "files": [_PIECES, *(Path(name).as_posix() for name in others)],
            "programs": descriptions,
            "staged_frame": _staged_to_json(model.staged_frame),
        }
        (partial / _INDEX).write_text(json.dumps(index) + "\n", "utf-8")
        partial.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _read_index(folder: Path) -> dict[str, Any]:
    index = json.loads((folder / _INDEX).read_text("utf-8"))
    if index["format"] != PROGRAMS_FORMAT:
        raise ValueError("the programs have another format")
    if index["bytes"] != (folder / _PIECES).stat().st_size:
        raise ValueError("the pieces are truncated")
    return dict(index)


def _places(folder: Path) -> dict[bytes, _Place]:
    """Return the pieces that the file of `folder` holds; its index in "files" will be 1."""
    found: dict[bytes, _Place] = {}
    content = (folder / _PIECES).read_bytes()
    for description in _read_index(folder)["programs"].values():
        for file, start, length in description["pieces"]:
            if file == 0:
                found[content[start : start + length]] = 1, start, length
    return found


def _split(program: Program) -> Iterator[bytes]:
    """Yield the pieces of a program's graph, in order."""
    graph, start = program.graph, 0
    definition = program.graph_def
    functions = (function.node_def for function in definition.library.function)
    for node in chain(definition.node, *functions):  # in the order in which they are serialized
        if "value" not in node.attr:
            continue
        constant = node.attr["value"].tensor.SerializeToString()
        found = graph.find(constant, start) if len(constant) >= _LARGE_BYTES else -1
        if found >= 0:
            if found > start:
                yield graph[start:found]
            yield constant
            start = found + len(constant)
    if start < len(graph):
        yield graph[start:]


def _from_json(description: dict[str, Any], files: list[bytes]) -> Program:
    pieces = []
    for file, start, length in description.pop("pieces"):
        pieces.append(files[file][start : start + length])
        if len(pieces[-1]) != length:
            raise ValueError("the pieces are truncated")
    shapes = {name: _as_tuples(each) for name, each in description.items()}
    return Program(graph=b"".join(pieces), **shapes)


def _stage_name(number: int) -> str:
    return f"stage_{number:02d}"


def _staged_to_json(staged: StagedProgram | None) -> dict[str, Any] | None:
    """Return everything about the stages except their programs."""
    if staged is None:
        return None
    description = asdict(staged)
    for stage in description["stages"]:
        del stage["program"]
    return description


def _staged_from_json(
    description: dict[str, Any] | None, programs: dict[str, Program]
) -> StagedProgram | None:
    """Return the stages, and take their programs out of `programs`."""
    if description is None:
        return None
    stages = tuple(
        TileStage(
            program=programs.pop(_stage_name(number)),
            **{name: _as_tuples(value) for name, value in stage.items()},
        )
        for number, stage in enumerate(description.pop("stages"))
    )
    return StagedProgram(stages=stages, **description)


def _as_tuples(value: Any) -> Any:
    """Turn the lists of JSON back into tuples."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value

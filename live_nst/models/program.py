"""What a model is once it was cut: three graphs that any engine can run."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from live_nst.runtime.tensorflow import import_tensorflow

FrameVariant = Literal["blocks", "transposed", "fused"]
"""What a frame program is rewritten for, named after how it enlarges or normalizes.

blocks: TensorFlow on a GPU, by XLA; enlarges by depth to space.
transposed: OpenVINO; enlarges by a transposed convolution, but for the last time.
fused: TensorFlow on a CPU; as blocks, and a normalization is one operation.
"""

SIZE_MULTIPLE = 4
"""Of height and width, where the rewritten frame programs are exact."""


@dataclass(frozen=True)
class Program:
    """A graph with named inputs and outputs and no variables.

    Attributes:
        graph: A TensorFlow GraphDef, serialized, holding only what the outputs need.
        inputs: Names of the placeholders.
        outputs: Names of the output tensors.
        input_shapes: One per input; None where a size is free.
        input_types: One per input: "float32", nearly always.
        output_shapes: One per output.
    """

    graph: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_shapes: tuple[tuple[int | None, ...], ...]
    input_types: tuple[str, ...]
    output_shapes: tuple[tuple[int | None, ...], ...]

    @cached_property
    def graph_def(self) -> Any:
        """The graph as TensorFlow's protocol buffer, for which TensorFlow is imported."""
        return import_tensorflow().compat.v1.GraphDef.FromString(self.graph)


@dataclass(frozen=True)
class SplitModel:
    """A module in three programs whose composition equals it.

    Attributes:
        encode: Style picture float32 RGB 0..1 `[1, height, width, 3]` -> bottleneck.
        expand: Bottleneck -> style tensors.
        frame: Content float32 RGB 0..1 `[1, height, width, 3]`, style tensors -> stylized.
        forms: The frame program rewritten for speed, by the rewriting's name; equal to it where
            height and width are multiples of `MULTIPLE`. See `live_nst.models.graph.rewrite`.
    """

    encode: Program
    expand: Program
    frame: Program
    variants: Mapping[FrameVariant, Program] = field(default_factory=dict)

    def frame_at(self, size: tuple[int, int], form: FrameVariant) -> Program:
        """The frame program for `size`, (width, height): in `form` where that is exact."""
        exact = all(side % SIZE_MULTIPLE == 0 for side in size)
        return self.variants.get(form, self.frame) if exact else self.frame

    @property
    def style_size(self) -> tuple[int, int]:
        """(width, height) of the style picture, in pixels."""
        _, height, width, _ = self.encode.input_shapes[0]
        assert height is not None and width is not None
        return width, height

    @property
    def bottleneck_size(self) -> int:
        """How many numbers a bottleneck has."""
        return sum(self.bottleneck_parts)

    @property
    def bottleneck_parts(self) -> tuple[int, ...]:
        """How many numbers each tensor of the bottleneck has; nearly always there is one."""
        return tuple(math.prod(side or 0 for side in shape) for shape in self.expand.input_shapes)


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
        return SplitModel(**main, variants=programs)
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
        programs = {name: getattr(model, name) for name in _MAIN} | dict(model.variants)
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

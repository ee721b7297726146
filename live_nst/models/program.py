"""A model split into three programs, which any engine can run, and their files.

    FOLDER/programs.json     format, the model's fingerprint, names and shapes
    FOLDER/encode.pb ...     one serialized GraphDef per program
    FOLDER/stage_00.pb ...   the stages of the frame program, for images in tiles

Packaged models come with such a folder; those of other models are in the cache. So TensorFlow is
needed only the first time that a model is loaded. A program that two packaged models have in common
is stored once: "file" in `programs.json` then tells where, relative to FOLDER.
"""

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
from live_nst.types import Size

FrameVariant = Literal["blocks", "transposed", "fused"]
"""A rewritten frame program, named after what it does differently:

blocks: For TensorFlow with XLA on a GPU. It upsamples by depth to space.
transposed: For OpenVINO. It upsamples by transposed convolutions, except for the last time.
fused: For TensorFlow on a CPU. As "blocks", and each instance normalization is one operation.
"""

SIZE_MULTIPLE = 4
"""The sides at which frame programs run are multiples of this: the network halves images twice.
At other sizes the rewritten programs are not exact."""

PROGRAMS_FORMAT = 4
"""The format number of the stored programs. A folder with another number is not read."""

CONTENT_IMAGE = "content"
"""The name of the frame among the feature maps of stages."""

_INDEX = "programs.json"
_MAIN = ("encode", "expand", "frame")


@dataclass(frozen=True)
class Program:
    """A graph with named inputs and outputs and no variables.

    Attributes:
        graph: A serialized TensorFlow GraphDef.
        inputs: Names of the placeholders.
        outputs: Names of the output tensors.
        input_shapes: One per input; None for a side of any size.
        input_types: One per input, such as "float32".
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
        """The graph as a protocol buffer; this imports TensorFlow."""
        return import_tensorflow().compat.v1.GraphDef.FromString(self.graph)


@dataclass(frozen=True)
class TileStage:
    """A part of a frame program in which a pixel depends on its surroundings alone.

    Attributes:
        program: Inputs: feature maps, then statistics, then style tensors. Outputs: feature maps.
        feature_maps: Names of the first inputs; the frame is `CONTENT_IMAGE`.
        statistics: The next inputs: the name of a feature map, and True for its variance or False
            for its mean.
        styles: The last inputs: positions among the style tensors of the frame program.
        outputs: Names of the feature maps that the stage computes.
        measured: Those of `outputs` whose statistics later stages need.
        halo: How far from a pixel the stage reads, in pixels of the frame.
    """

    program: Program
    feature_maps: tuple[str, ...]
    statistics: tuple[tuple[str, bool], ...]
    styles: tuple[int, ...]
    outputs: tuple[str, ...]
    measured: tuple[str, ...]
    halo: int


@dataclass(frozen=True)
class StagedProgram:
    """A frame program in stages.

    Attributes:
        stages: In order; the last one computes the stylized image.
        scales: How many pixels of the frame a pixel of each feature map covers along a side: 1,
            2, 4, ...
        channels: How many channels each feature map has.
        multiple: The sides of the frame and of its tiles must be multiples of this.
    """

    stages: tuple[TileStage, ...]
    scales: dict[str, int]
    channels: dict[str, int]
    multiple: int


@dataclass(frozen=True)
class SplitModel:
    """A style transfer model in three programs.

    `frame(content, *expand(encode(style)))` computes what the model does. `encode` and `expand`
    run once per style, `frame` for every frame. All images are float32 RGB 0..1
    `[1, height, width, 3]`.

    Attributes:
        encode: Style image -> bottleneck, the smallest tensors that describe the style.
        expand: Bottleneck -> style tensors.
        frame: Content image, style tensors -> stylized image.
        variants: The frame program rewritten for speed; see `live_nst.models.graph.rewrite`.
        staged_frame: The frame program in stages, for images in tiles; None if it was not cut, or
            cannot be. See `live_nst.models.graph.tile_stages`.
    """

    encode: Program
    expand: Program
    frame: Program
    variants: Mapping[FrameVariant, Program] = field(default_factory=dict)
    staged_frame: StagedProgram | None = None

    def frame_at(self, size: Size, variant: FrameVariant) -> Program:
        """Return the frame program for `size`: the variant if it is exact there."""
        is_exact = all(side % SIZE_MULTIPLE == 0 for side in size)
        return self.variants.get(variant, self.frame) if is_exact else self.frame

    @property
    def style_size(self) -> Size:
        """(width, height) of the style image in pixels."""
        _, height, width, _ = self.encode.input_shapes[0]
        assert height is not None and width is not None
        return width, height

    @property
    def bottleneck_size(self) -> int:
        """How many numbers the bottleneck has."""
        return sum(self.bottleneck_parts)

    @property
    def bottleneck_parts(self) -> tuple[int, ...]:
        """How many numbers each tensor of the bottleneck has; in most models there is one."""
        return tuple(math.prod(side or 0 for side in shape) for shape in self.expand.input_shapes)


def read_programs(folder: Path, fingerprint: str) -> SplitModel | None:
    """Read the programs in `folder`.

    Args:
        folder: A folder that `write_programs` has written.
        fingerprint: The fingerprint of the model.

    Returns:
        The programs; None if they are missing, damaged, or of another model or format.
    """
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        if index["format"] != PROGRAMS_FORMAT or index["fingerprint"] != fingerprint:
            return None
        programs = {
            name: _from_json(
                description, (folder / description.pop("file", f"{name}.pb")).read_bytes()
            )
            for name, description in index["programs"].items()
        }
        staged = _staged_from_json(index["staged_frame"], programs)
        main = {name: programs.pop(name) for name in _MAIN}
        return SplitModel(**main, variants=programs, staged_frame=staged)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_programs(
    folder: Path, fingerprint: str, model: SplitModel, *, shared: Path | None = None
) -> None:
    """Write the programs of a model. If that fails, `folder` is missing or as it was before.

    Args:
        folder: Where to write; it is replaced if it exists.
        fingerprint: The fingerprint of the model.
        model: The programs.
        shared: A folder with programs of another model. Those that are the same there are not
            written again; both folders must keep their places relative to each other.

    Raises:
        OSError: They cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        programs = {name: getattr(model, name) for name in _MAIN} | dict(model.variants)
        if model.staged_frame is not None:
            stages = enumerate(model.staged_frame.stages)
            programs |= {_stage_name(number): stage.program for number, stage in stages}
        descriptions = {name: _to_json(program) for name, program in programs.items()}
        for name, program in programs.items():
            file = f"{name}.pb"
            if shared is not None and _holds(shared / file, program.graph):
                descriptions[name]["file"] = Path(os.path.relpath(shared / file, folder)).as_posix()
            else:
                (partial / file).write_bytes(program.graph)
        index = {
            "format": PROGRAMS_FORMAT,
            "fingerprint": fingerprint,
            "programs": descriptions,
            "staged_frame": _staged_to_json(model.staged_frame),
        }
        (partial / _INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")
        partial.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _to_json(program: Program) -> dict[str, Any]:
    """Return everything about a program except its graph, and the length of the graph."""
    description = asdict(program)
    description["bytes"] = len(description.pop("graph"))
    return description


def _from_json(description: dict[str, Any], graph: bytes) -> Program:
    if len(graph) != description.pop("bytes"):
        raise ValueError("the graph is truncated")
    return Program(graph=graph, **{name: _as_tuples(each) for name, each in description.items()})


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

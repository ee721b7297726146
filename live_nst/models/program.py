"""What a model is once it was cut: three graphs that any engine can run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from live_nst.engines.runtime import tensorflow

Form = Literal["blocks", "transposed", "fused"]
"""What a frame program is rewritten for, named after how it enlarges or normalises.

blocks: TensorFlow on a GPU, by XLA; enlarges by depth to space.
transposed: OpenVINO; enlarges by a transposed convolution, but for the last time.
fused: TensorFlow on a CPU; as blocks, and a normalisation is one operation.
"""

MULTIPLE = 4
"""Of height and width, where the rewritten frame programs are exact."""


@dataclass(frozen=True)
class Program:
    """A graph with named inputs and outputs and no variables.

    Attributes:
        graph: A TensorFlow GraphDef, serialised, holding only what the outputs need.
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
        return tensorflow().compat.v1.GraphDef.FromString(self.graph)


@dataclass(frozen=True)
class SplitModel:
    """A module in three programs whose composition equals it.

    Attributes:
        encode: Style picture float32 RGB 0..1 `[1, height, width, 3]` -> bottleneck.
        expand: Bottleneck -> style tensors.
        frame: Content float32 RGB 0..1 `[1, height, width, 3]`, style tensors -> stylised.
        forms: The frame program rewritten for speed, by the rewriting's name; equal to it where
            height and width are multiples of `MULTIPLE`. See `live_nst.models.rewrite`.
    """

    encode: Program
    expand: Program
    frame: Program
    forms: Mapping[Form, Program] = field(default_factory=dict)

    def frame_at(self, size: tuple[int, int], form: Form) -> Program:
        """The frame program for `size`, (width, height): in `form` where that is exact."""
        exact = all(side % MULTIPLE == 0 for side in size)
        return self.forms.get(form, self.frame) if exact else self.frame

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

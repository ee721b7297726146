"""A model split into three programs, which any engine can run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
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

CONTENT_IMAGE = "content"
"""The name of the frame among the feature maps of stages."""


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

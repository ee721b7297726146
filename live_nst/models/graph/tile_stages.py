"""Cut a frame program into stages that can run tile by tile, for images of any size.

An instance normalization needs the mean and the variance of a whole feature map. With its own
statistics, a tile would differ from its neighbors, and a seam would show. So the program is cut
at every such statistic. A stage runs on all tiles before the next stage begins, which then has
the statistics of the whole. Feature maps that later stages need are kept until then.

The cut uses the graph alone: a statistic is a mean over height and width of something that
depends on the frame.
"""

import math
from typing import Any

import numpy as np

from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import (
    SHAPE_OPS,
    extract_program,
    import_graph,
    run_on_cpu,
    skip_identities,
)
from live_nst.models.program import CONTENT_IMAGE, Program, StagedProgram, TileStage
from live_nst.runtime.tensorflow import import_tensorflow

_POINTWISE = frozenset(
    {"Identity", "StopGradient", "Cast", "Neg", "Abs", "Square", "Sqrt", "Rsqrt", "Exp", "Log"}
    | {"Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "ClipByValue"}
    | {"Add", "AddV2", "AddN", "Sub", "Mul", "Div", "RealDiv", "Pow", "Maximum", "Minimum"}
    | {"SquaredDifference", "BiasAdd", "ConcatV2", "FusedBatchNorm", "FusedBatchNormV3"}
)
"""Operations whose result at a pixel depends on that pixel of their inputs alone."""
_CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2dNative", "MaxPool", "AvgPool"})
_PADS = frozenset({"MirrorPad", "Pad", "PadV2"})
_RESIZES = frozenset({"ResizeNearestNeighbor", "ResizeBilinear"})
_BLOCKS = frozenset({"SpaceToDepth", "DepthToSpace"})
_TRIAL_SIDES = (96, 160)
"""Height and width at which shapes are measured; multiples of the strides of all usual models."""


def split_into_stages(program: Program) -> StagedProgram:
    """Cut a frame program at the statistics that it takes of whole feature maps.

    Raises:
        ModelError: The program contains an operation that cannot run on tiles.
    """
    return _Cutter(program).cut()


class _Cutter:
    """Finds level and scale of every tensor of a frame program, and cuts the program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._graph = import_graph(program.graph_def)
        self._content = self._graph.get_tensor_by_name(f"{program.inputs[0]}:0")
        self._styles = [f"{name}:0" for name in program.inputs[1:]]
        # Not the node of the output itself: its name is needed for the outputs of the stages.
        self._output = skip_identities(self._graph.get_tensor_by_name(program.outputs[0]))
        self._shapes = self._measured_shapes()
        self._level: dict[str, int] = {self._content.name: 0}
        """Name of a tensor -> how many rounds of statistics it needs first."""
        self._scale: dict[str, int] = {self._content.name: 1}
        """Name of a feature map -> its scale. All other tensors are no feature maps."""
        self._statistics: dict[str, tuple[Any, bool]] = {}
        """Name of a mean or variance -> (the feature map, whether it is the variance)."""
        for op in self._graph.get_operations():
            if any(t.name in self._level for t in op.inputs):
                self._mark(op)

    def cut(self) -> StagedProgram:
        """Return the stages.

        They are found from the last one to the first: what a stage needs, an earlier one has to
        compute.
        """
        rounds = 1 + max((self._level[name] for name in self._statistics), default=0)
        outputs: list[dict[str, Any]] = [{} for _ in range(rounds)]  # by name, for each stage
        outputs[-1][self._output.name] = self._output
        for subject, _ in self._statistics.values():
            outputs[self._level[subject.name]].setdefault(subject.name, subject)
        stages: list[TileStage] = []
        for level in reversed(range(rounds)):
            needs = self._needs(list(outputs[level].values()), level)
            for tensor in needs[0]:
                if tensor is not self._content:
                    outputs[self._level[tensor.name]].setdefault(tensor.name, tensor)
            stages.append(self._stage(outputs[level], *needs))
        kept = [tensor for by_name in outputs for tensor in by_name.values()]
        return StagedProgram(
            stages=tuple(reversed(stages)),
            scales={CONTENT_IMAGE: 1} | {t.name: self._exact_scale(t) for t in kept},
            channels={t.name: self._shapes[t.name][3] for t in kept},
            multiple=math.lcm(*self._scale.values()),
        )

    def _stage(
        self,
        outputs: dict[str, Any],
        feature_maps: list[Any],
        statistics: list[Any],
        styles: list[Any],
    ) -> TileStage:
        inputs = [*feature_maps, *statistics, *styles]
        names = (CONTENT_IMAGE if t is self._content else t.name for t in feature_maps)
        sources = (self._statistics[t.name] for t in statistics)
        measured = {s.name: None for s, _ in self._statistics.values() if s.name in outputs}
        return TileStage(
            program=extract_program(self._graph, inputs, list(outputs.values())),
            feature_maps=tuple(names),
            statistics=tuple((subject.name, is_variance) for subject, is_variance in sources),
            styles=tuple(self._styles.index(t.name) for t in styles),
            outputs=tuple(outputs),
            measured=tuple(measured),
            halo=self._halo(list(outputs.values()), {t.name for t in feature_maps}),
        )

    def _needs(self, outputs: list[Any], level: int) -> tuple[list[Any], list[Any], list[Any]]:
        """Return (feature maps, statistics, style tensors) that a stage needs for `outputs`."""
        feature_maps: list[Any] = []
        statistics: list[Any] = []
        styles: list[Any] = []
        seen, todo = set(), list(outputs)
        while todo:
            tensor = skip_identities(todo.pop())
            if tensor.name in seen:
                continue
            seen.add(tensor.name)
            if tensor is self._content or (
                tensor.name in self._scale and self._level[tensor.name] < level
            ):
                feature_maps.append(tensor)
            elif tensor.name in self._statistics:
                statistics.append(tensor)
            elif tensor.name in self._styles:
                styles.append(tensor)
            else:
                todo.extend(tensor.op.inputs)
        for found in (feature_maps, statistics, styles):
            found.sort(key=lambda tensor: tensor.name)
        return feature_maps, statistics, styles

    def _mark(self, op: Any) -> None:
        """Find level and scale of the outputs of `op`, or raise an error."""
        level = max(self._level.get(t.name, 0) for t in op.inputs)
        feature_maps = [t for t in op.inputs if t.name in self._scale]
        scale = max((self._scale[t.name] for t in feature_maps), default=0)
        if op.type in SHAPE_OPS:
            level, scale = 0, 0
        elif feature_maps and _is_spatial_mean(op):
            subject, is_variance = self._subject(op)
            self._statistics[op.outputs[0].name] = subject, is_variance
            level, scale = self._level[subject.name] + 1, 0
        elif feature_maps:
            scale = self._rescaled(op, scale)
        for tensor in op.outputs:
            self._level[tensor.name] = level
            if scale:
                self._scale[tensor.name] = scale

    def _subject(self, op: Any) -> tuple[Any, bool]:
        """Return the feature map of a statistic, and whether the statistic is its variance."""
        of = skip_identities(op.inputs[0])
        if of.op.type == "SquaredDifference":
            for x, mean in (of.op.inputs, reversed(of.op.inputs)):
                x, mean = skip_identities(x), skip_identities(mean)
                if mean.name in self._statistics and self._statistics[mean.name] == (x, False):
                    return x, True
        return of, False

    def _rescaled(self, op: Any, scale: int) -> int:
        """Return the scale of the outputs of `op` if its inputs have `scale`."""
        if op.type in _CONVOLUTIONS:
            _, down, across, _ = op.get_attr("strides")
            if down != across or op.get_attr("data_format") != b"NHWC":
                raise _unsupported("a convolution of another form")
            return scale * int(down)
        if op.type in _BLOCKS:
            return self._in_blocks(op, scale)
        if op.type in _RESIZES:
            before, after = self._shapes[op.inputs[0].name], self._shapes[op.outputs[0].name]
            factor = after[1] // before[1]
            exact = [side * factor for side in before[1:3]] == list(after[1:3])
            if not exact or factor < 1 or scale % factor:
                raise _unsupported("a resize by no whole factor")
            return scale // factor
        fused = op.type.startswith("FusedBatchNorm") and op.get_attr("is_training")
        if fused or op.type not in _POINTWISE | _PADS | {"StridedSlice", "Slice"}:
            raise _unsupported(f"the operation {op.type}")
        return scale

    def _in_blocks(self, op: Any, scale: int) -> int:
        """Return the scale after a conversion of blocks of pixels to channels, or back."""
        block = int(op.get_attr("block_size"))
        if op.get_attr("data_format") != b"NHWC":
            raise _unsupported("a conversion of blocks of another form")
        if op.type == "SpaceToDepth":
            return scale * block
        if scale % block:
            raise _unsupported("a conversion from blocks by no whole factor")
        return scale // block

    def _halo(self, outputs: list[Any], given: set[str]) -> int:
        """Return how far `outputs` read in the feature maps `given`, in pixels of the frame."""
        reach: dict[str, int] = dict.fromkeys(given, 0)

        def of(tensor: Any) -> int:
            if tensor.name not in self._scale:
                return 0
            if tensor.name not in reach:
                inner = max((of(t) for t in tensor.op.inputs), default=0)
                reach[tensor.name] = inner + self._own_reach(tensor.op)
            return reach[tensor.name]

        return max(of(t) for t in outputs)

    def _own_reach(self, op: Any) -> int:
        """Return how far one operation reads from a pixel, in pixels of the frame."""
        scale = max(self._scale.get(t.name, 0) for t in op.inputs)
        if op.type in _RESIZES:
            return 0 if op.type == "ResizeNearestNeighbor" else scale
        if op.type not in _CONVOLUTIONS:
            return 0
        if op.type.endswith("Pool"):
            kernel = max(op.get_attr("ksize"))
        else:
            kernel = max(self._shapes[op.inputs[1].name][:2])
            kernel = (kernel - 1) * max(op.get_attr("dilations")) + 1
        return int(kernel // 2) * scale

    def _exact_scale(self, feature_map: Any) -> int:
        """Return the scale of a feature map that is kept, which must cover the frame exactly."""
        scale = self._scale[feature_map.name]
        sides = self._shapes[feature_map.name][1:3]
        if [side * scale for side in sides] != list(_TRIAL_SIDES):
            raise _unsupported("a feature map that does not cover the frame")
        return scale

    def _measured_shapes(self) -> dict[str, tuple[int, ...]]:
        """Run the program once, and return the shapes of all tensors by name."""
        tf = import_tensorflow()
        tensors = [t for op in self._graph.get_operations() for t in op.outputs]
        with self._graph.as_default(), tf.device("CPU:0"):
            shapes = [tf.shape(t) for t in tensors]
        feeds = {
            f"{name}:0": np.zeros(
                [side or _TRIAL_SIDES[axis - 1] for axis, side in enumerate(shape)]
            )
            for name, shape in zip(self._program.inputs, self._program.input_shapes, strict=True)
        }
        values = run_on_cpu(self._graph, shapes, feeds)
        return {t.name: tuple(map(int, v)) for t, v in zip(tensors, values, strict=True)}


def _is_spatial_mean(op: Any) -> bool:
    if op.type != "Mean":
        return False
    axes = import_tensorflow().get_static_value(op.inputs[1])
    return axes is not None and {1, 2} <= {int(axis) % 4 for axis in np.ravel(axes)} <= {0, 1, 2}


def _unsupported(reason: str) -> ModelError:
    return ModelError(
        f"This model cannot stylize a picture in tiles, and the whole is too large: {reason}.",
        "choose a smaller --size, or --model mobile",
    )

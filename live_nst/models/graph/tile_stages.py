"""Cut a frame program at its normalizations, so that a picture can be run through it in tiles.

An instance normalization takes the mean and the variance of a whole picture. A tile that took its
own would show as a seam. So the program is cut at every such statistic: a stage computes what the
next statistics are taken of, for every tile, and only then does the following stage begin. What a
later stage still needs of an earlier one, pictures that grow and shrink with the frame, is
carried from stage to stage.

As in `live_nst.models.graph.split`, nothing is found by name: a statistic is a mean over height and
width of something that depends on the frame.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from live_nst.errors import ModelError
from live_nst.models.graph.split import extract_program, import_graph
from live_nst.models.program import Program
from live_nst.runtime.tensorflow import import_tensorflow

_POINTWISE = frozenset(
    {"Identity", "StopGradient", "Cast", "Neg", "Abs", "Square", "Sqrt", "Rsqrt", "Exp", "Log"}
    | {"Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "ClipByValue"}
    | {"Add", "AddV2", "AddN", "Sub", "Mul", "Div", "RealDiv", "Pow", "Maximum", "Minimum"}
    | {"SquaredDifference", "BiasAdd", "ConcatV2", "FusedBatchNorm", "FusedBatchNormV3"}
)
"""Operations that make of each pixel a pixel, or of several pictures' pixels one."""
_CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2dNative", "MaxPool", "AvgPool"})
_PADS = frozenset({"MirrorPad", "Pad", "PadV2"})
_RESIZES = frozenset({"ResizeNearestNeighbor", "ResizeBilinear"})
_SHAPE_OPS = frozenset({"Shape", "Size", "Rank"})
_COPIES = frozenset({"Identity", "StopGradient"})
CONTENT_IMAGE = "content"
"""What a stage calls the frame."""
_SIDES = (96, 160)
"""A height and a width, multiples of all usual strides, at which shapes are inferred."""


@dataclass(frozen=True)
class TileStage:
    """A part of the frame program in which every pixel depends on its surroundings alone.

    Attributes:
        program: Inputs: pictures, then statistics, then style tensors. Outputs: pictures.
        pictures: The first inputs: names of pictures, `CONTENT` being the frame.
        statistics: The next inputs: the name of a picture, and whether it is the variance of it
            that is wanted, or the mean.
        styles: The last inputs: positions among the program's style tensors.
        outputs: Names of the pictures it makes.
        subjects: Those of `outputs` whose statistics the following stages want.
        halo: How far from a pixel the stage looks, in pixels of the frame.
    """

    program: Program
    pictures: tuple[str, ...]
    statistics: tuple[tuple[str, bool], ...]
    styles: tuple[int, ...]
    outputs: tuple[str, ...]
    subjects: tuple[str, ...]
    halo: int


@dataclass(frozen=True)
class StagedProgram:
    """A frame program in stages.

    Attributes:
        stages: In their order; the last one makes the stylized picture.
        scales: Pixels of the frame per pixel of each carried picture: 1, 2, 4, ...
        channels: How many channels each carried picture has.
        multiple: What the sides of the frame and of its tiles must be multiples of.
    """

    stages: tuple[TileStage, ...]
    scales: dict[str, int]
    channels: dict[str, int]
    multiple: int


def split_into_stages(program: Program) -> StagedProgram:
    """Cut a frame program at the statistics that it takes of the whole picture.

    Raises:
        ModelError: It does something with the picture that cannot be done in tiles.
    """
    return _Cutter(program).cut()


class _Cutter:
    """Marks every tensor of a frame program with what the cut needs to know of it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._graph = import_graph(program.graph_def)
        self._content = self._graph.get_tensor_by_name(f"{program.inputs[0]}:0")
        self._styles = [f"{name}:0" for name in program.inputs[1:]]
        # The node of the output itself keeps its name for the stages' own outputs.
        self._output = _behind_identities(self._graph.get_tensor_by_name(program.outputs[0]))
        self._shapes = self._measured_shapes()
        self._level: dict[str, int] = {self._content.name: 0}
        """How many rounds of statistics have to be known before a tensor can be computed."""
        self._scale: dict[str, int] = {self._content.name: 1}
        """Pixels of the frame per pixel of a picture. What is not in here is no picture."""
        self._statistics: dict[str, tuple[Any, bool]] = {}
        """Name of a mean or variance -> (what it is taken of, whether it is the variance)."""
        for op in self._graph.get_operations():
            if any(t.name in self._level for t in op.inputs):
                self._mark(op)

    def cut(self) -> StagedProgram:
        """The stages, found from the last to the first: what one needs an earlier one makes."""
        rounds = 1 + max((self._level[name] for name in self._statistics), default=0)
        made: list[list[Any]] = [[] for _ in range(rounds)]
        made[-1] = [self._output]
        for subject, _ in self._statistics.values():
            _append(made[self._level[subject.name]], subject)
        stages: list[TileStage] = []
        for level in reversed(range(rounds)):
            pictures, statistics, styles = self._needs(made[level], level)
            for picture in pictures:
                if picture is not self._content:
                    _append(made[self._level[picture.name]], picture)
            stages.append(self._stage(level, made[level], pictures, statistics, styles))
        carried = [tensor for outputs in made for tensor in outputs]
        return StagedProgram(
            stages=tuple(reversed(stages)),
            scales={CONTENT_IMAGE: 1} | {t.name: self._whole_scale(t) for t in carried},
            channels={t.name: self._shapes[t.name][3] for t in carried},
            multiple=math.lcm(*self._scale.values()),
        )

    def _stage(
        self,
        level: int,
        outputs: list[Any],
        pictures: list[Any],
        statistics: list[Any],
        styles: list[Any],
    ) -> TileStage:
        names = {t.name for t in outputs}
        subjects = {s.name: None for s, _ in self._statistics.values() if s.name in names}
        return TileStage(
            program=extract_program(self._graph, [*pictures, *statistics, *styles], outputs),
            pictures=tuple(CONTENT_IMAGE if t is self._content else t.name for t in pictures),
            statistics=tuple(self._statistic(t) for t in statistics),
            styles=tuple(self._styles.index(t.name) for t in styles),
            outputs=tuple(t.name for t in outputs),
            subjects=tuple(subjects),
            halo=self._halo(outputs, {t.name for t in pictures}),
        )

    def _statistic(self, tensor: Any) -> tuple[str, bool]:
        subject, variance = self._statistics[tensor.name]
        return subject.name, variance

    def _needs(self, outputs: list[Any], level: int) -> tuple[list[Any], list[Any], list[Any]]:
        """(pictures of earlier stages, statistics, style tensors) that make `outputs`."""
        pictures: list[Any] = []
        statistics: list[Any] = []
        styles: list[Any] = []
        seen, todo = set(), list(outputs)
        while todo:
            tensor = _behind_identities(todo.pop())
            if tensor.name in seen:
                continue
            seen.add(tensor.name)
            if tensor is self._content or (
                tensor.name in self._scale and self._level[tensor.name] < level
            ):
                pictures.append(tensor)
            elif tensor.name in self._statistics:
                statistics.append(tensor)
            elif tensor.name in self._styles:
                styles.append(tensor)
            else:
                todo.extend(tensor.op.inputs)
        for found in (pictures, statistics, styles):
            found.sort(key=lambda tensor: tensor.name)
        return pictures, statistics, styles

    def _mark(self, op: Any) -> None:
        """Find out level, scale and nature of what `op` makes, or refuse it."""
        level = max(self._level.get(t.name, 0) for t in op.inputs)
        pictures = [t for t in op.inputs if t.name in self._scale]
        scale = max((self._scale[t.name] for t in pictures), default=0)
        if op.type in _SHAPE_OPS:
            level, scale = 0, 0
        elif pictures and _is_mean_over_space(op):
            subject, variance = self._subject(op)
            self._statistics[op.outputs[0].name] = subject, variance
            level, scale = self._level[subject.name] + 1, 0
        elif pictures:
            scale = self._rescaled(op, scale)
        for tensor in op.outputs:
            self._level[tensor.name] = level
            if scale:
                self._scale[tensor.name] = scale

    def _subject(self, op: Any) -> tuple[Any, bool]:
        """What a mean over space is taken of, and whether it is the variance of that."""
        of = _behind_identities(op.inputs[0])
        if of.op.type == "SquaredDifference":
            for x, mean in (of.op.inputs, reversed(of.op.inputs)):
                x, mean = _behind_identities(x), _behind_identities(mean)
                if mean.name in self._statistics and self._statistics[mean.name] == (x, False):
                    return x, True
        return of, False

    def _rescaled(self, op: Any, scale: int) -> int:
        """Pixels of the frame per pixel of what `op` makes of a picture of `scale`."""
        if op.type in _CONVOLUTIONS:
            _, down, across, _ = op.get_attr("strides")
            if down != across or op.get_attr("data_format") != b"NHWC":
                raise _refused("a convolution of another form")
            return scale * int(down)
        if op.type in _RESIZES:
            before, after = self._shapes[op.inputs[0].name], self._shapes[op.outputs[0].name]
            factor = after[1] // before[1]
            exact = [side * factor for side in before[1:3]] == list(after[1:3])
            if not exact or factor < 1 or scale % factor:
                raise _refused("a resize by no whole factor")
            return scale // factor
        fused = op.type.startswith("FusedBatchNorm") and op.get_attr("is_training")
        if fused or op.type not in _POINTWISE | _PADS | {"StridedSlice", "Slice"}:
            raise _refused(f"the operation {op.type}")
        return scale

    def _halo(self, outputs: list[Any], given: set[str]) -> int:
        """How far `outputs` look around in the pictures `given`, in pixels of the frame."""
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
        """How far one operation looks around, in pixels of the frame."""
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

    def _whole_scale(self, picture: Any) -> int:
        """The scale of a picture that is carried, which must cover the frame exactly."""
        scale = self._scale[picture.name]
        if [side * scale for side in self._shapes[picture.name][1:3]] != list(_SIDES):
            raise _refused("a picture that does not cover the frame")
        return scale

    def _measured_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor when the frame has `_SIDES`: the program is run once."""
        tf = import_tensorflow()
        tensors = [t for op in self._graph.get_operations() for t in op.outputs]
        with self._graph.as_default(), tf.device("CPU:0"):
            shapes = [tf.shape(t) for t in tensors]
        feeds = {
            f"{name}:0": np.zeros([side or _SIDES[axis - 1] for axis, side in enumerate(shape)])
            for name, shape in zip(self._program.inputs, self._program.input_shapes, strict=True)
        }
        config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
        with tf.compat.v1.Session(graph=self._graph, config=config) as session:
            values = session.run(shapes, feeds)
        return {t.name: tuple(map(int, v)) for t, v in zip(tensors, values, strict=True)}


def _is_mean_over_space(op: Any) -> bool:
    if op.type != "Mean":
        return False
    axes = import_tensorflow().get_static_value(op.inputs[1])
    return axes is not None and {1, 2} <= {int(axis) % 4 for axis in np.ravel(axes)} <= {0, 1, 2}


def _behind_identities(tensor: Any) -> Any:
    """The tensor of which `tensor` is a mere copy."""
    while tensor.op.type in _COPIES:
        tensor = tensor.op.inputs[0]
    return tensor


def _append(tensors: list[Any], tensor: Any) -> None:
    """Add `tensor` unless it is among `tensors`, which may not be compared with ==."""
    if all(t is not tensor for t in tensors):
        tensors.append(tensor)


def _refused(reason: str) -> ModelError:
    return ModelError(
        f"This model cannot paint a picture in tiles, which has no room in memory: {reason}.",
        "choose a smaller --size, or --model mobile",
    )

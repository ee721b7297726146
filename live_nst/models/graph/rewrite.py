"""Rewrite a frame program into one that computes the same in less time.

The patterns are those of nearly all style transfer networks, and are recognized by what they
compute, never by a name:

- Enlarging twice (nearest neighbor), reflection padding and a convolution of 3x3: a small
  convolution before the enlarging.
- A convolution with few channels in or out, as the first and the last are: done on blocks of two
  by two pixels (see `live_nst.models.graph.space_to_depth`). What follows, such as a normalization, is done on
  blocks too, and so is a convolution of stride 2, so that nothing is done twice. On a processor
  the enlarging before the last convolution gives blocks as well.
- Instance normalizations, in the form "fused": one operation.
- Paddings, croppings and enlargings by nothing, which stand there for other sizes: left out.

All of it is exact where both sides of the picture are multiples of `MULTIPLE`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.models.graph import space_to_depth as layout
from live_nst.models.graph.graph_def import InferredGraph, prune_graph
from live_nst.models.graph.instance_norm import (
    FEW_CHANNELS,
    apply_instance_norm,
    match_instance_norm,
)
from live_nst.models.graph.space_to_depth import (
    blocks_to_blocks,
    blocks_to_pixels,
    upsampled_to_aligned_blocks,
    upsampled_to_blocks,
    upsampled_transposed,
)
from live_nst.models.program import SIZE_MULTIPLE, FrameVariant, Program
from live_nst.runtime.tensorflow import import_tensorflow

_NARROW = 8  # channels out, up to which vectors at full resolution would be half empty
_UNARY = {"Relu", "Relu6", "Sigmoid", "Tanh", "Elu", "Softplus", "Exp", "Abs", "Neg", "Square"}
_UNARY |= {"Sqrt", "Rsqrt", "Identity", "StopGradient", "LeakyRelu"}
_BINARY = {"Add", "AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "SquaredDifference"}
_RESIZING = {"MirrorPad", "Pad", "PadV2", "Slice", "StridedSlice", "ResizeNearestNeighbor"}


def rewrite(program: Program, form: FrameVariant) -> Program:
    """The frame program, rewritten; where nothing is recognized, it stays as it is."""
    return _Rewriter(program, form).run()


@dataclass(frozen=True)
class _Blocks:
    """A tensor of the new graph that holds a picture in blocks."""

    tensor: Any
    channels: int


@dataclass(frozen=True)
class _Convolution:
    """A square convolution after a reflection padding that keeps the size (but for the stride)."""

    source: Any
    kernel: NDArray[np.float32]
    stride: int
    padding: Any


class _Rewriter:
    """Goes through the old graph in its order and builds the new one."""

    def __init__(self, program: Program, form: FrameVariant) -> None:
        self._tf = import_tensorflow()
        self._program = program
        self._form = form
        self._old = InferredGraph(program, SIZE_MULTIPLE)
        self._convolutions: dict[Any, _Convolution] = {}
        self._new: dict[str, Any] = {}  # by the old tensor's name: a tensor, or _Blocks

    def run(self) -> Program:
        operations = self._old.operations
        for op in operations:
            found = self._convolution(op) if op.type == "Conv2D" else None
            if found is not None:
                self._convolutions[op] = found
        results = [self._old.tensor(name).op for name in self._program.outputs]
        absorbed = {found.padding for found in self._convolutions.values()} | set(results)
        with self._tf.Graph().as_default() as graph:
            self._old.add_functions()
            for op in operations:
                if op not in absorbed:
                    self._add(op)
            for result in results:
                self._tf.identity(self._plain(result.inputs[0]), name=result.name)
        graph_def = prune_graph(graph.as_graph_def(), [result.name for result in results])
        return replace(self._program, graph=graph_def.SerializeToString(deterministic=True))

    # Recognizing

    def _convolution(self, op: Any) -> _Convolution | None:
        """What `op` and the padding before it compute, if it is of the kind that is rewritten."""
        tensor, weights = op.inputs
        padding = tensor.op
        kernel = self._old.constant(weights)
        strides, dilations = op.get_attr("strides"), op.get_attr("dilations")
        if (
            op.get_attr("data_format") != b"NHWC"
            or op.get_attr("padding") != b"VALID"
            or strides[1] != strides[2]
            or set(dilations) != {1}
            or padding.type != "MirrorPad"
            or padding.get_attr("mode") != b"REFLECT"
            or len(tensor.consumers()) != 1
            or kernel is None
            or kernel.dtype != np.float32
            or kernel.shape[0] != kernel.shape[1]
            or kernel.shape[0] % 2 == 0
        ):
            return None
        border = kernel.shape[0] // 2
        paddings = self._old.constant(padding.inputs[1])
        if paddings is None or paddings.tolist() != [[0, 0], *[[border, border]] * 2, [0, 0]]:
            return None
        return _Convolution(padding.inputs[0], kernel, strides[1], padding)

    def _enlarged(self, tensor: Any) -> Any:
        """What `tensor` is twice the size of, by nearest neighbors; None if it is not."""
        op = tensor.op
        if op.type != "ResizeNearestNeighbor" or op.get_attr("align_corners"):
            return None
        source = op.inputs[0]
        sides = [
            [side for shape in self._old.shapes(each) for side in shape[1:3]]
            for each in (source, tensor)
        ]
        twice = [None if side is None else 2 * side for side in sides[0]]
        return source if twice == sides[1] and twice and None not in twice else None

    def _even(self, tensor: Any) -> bool:
        """Whether height and width are known to be even."""
        sides = [side for shape in self._old.shapes(tensor) for side in shape[1:3]]
        return all(side is not None and side % 2 == 0 for side in sides)

    def _does_nothing(self, op: Any) -> bool:
        """Whether it gives what it was given, at the sizes in question."""
        before, after = self._old.shapes(op.inputs[0]), self._old.shapes(op.outputs[0])
        if before != after or any(None in shape for shape in before):
            return False
        if op.type != "StridedSlice":
            return True
        strides = self._old.constant(op.inputs[3])
        return strides is not None and bool(np.all(strides == 1))

    # Building

    def _add(self, op: Any) -> None:
        """Add what becomes of one old operation."""
        if op in self._convolutions and self._add_convolution(op, self._convolutions[op]):
            return
        if op.type in _RESIZING and self._does_nothing(op):
            self._new[op.outputs[0].name] = self._value(op.inputs[0])
            return
        whole = self._normalized(op) if self._form == "fused" else None
        if whole is not None:
            self._new[op.outputs[0].name] = whole
            return
        values = [self._value(tensor) for tensor in op.inputs]
        blocks = [value for value in values if isinstance(value, _Blocks)]
        if blocks:
            result = self._on_blocks(op, values, blocks[0].channels)
            if result is not None:
                self._new[op.outputs[0].name] = result
                return
        copied = self._old.copy(op, [self._plain(tensor) for tensor in op.inputs])
        for old, new in zip(op.outputs, copied, strict=True):
            self._new[old.name] = new

    def _add_convolution(self, op: Any, conv: _Convolution) -> bool:
        """Add a rewritten convolution, if one of the patterns fits."""
        side, _, inputs, outputs = conv.kernel.shape
        small = self._enlarged(conv.source)
        source = self._value(conv.source)
        result: Any
        if small is not None and side == 3 and conv.stride == 1:
            result = self._upsampled(self._plain(small), conv.kernel)
        elif conv.stride == 1 and min(inputs, outputs) <= FEW_CHANNELS and self._even(conv.source):
            kernel, border = blocks_to_blocks(conv.kernel)
            if isinstance(source, _Blocks) and self._form != "blocks":
                x = layout.pad_blocks_by_reflection(source.tensor, border)
            else:
                x = layout.pad_by_reflection(
                    self._plain(conv.source), 2 * border, 2 * border, "REFLECT"
                )
                x = self._to_blocks(x)
            result = _Blocks(self._tf.nn.conv2d(x, kernel, 1, "VALID"), outputs)
        elif conv.stride == 2 and side == 3 and isinstance(source, _Blocks):
            # Symmetric by one is the edge repeated, which TensorFlow's padding has no mode for.
            x = layout.pad_by_reflection(source.tensor, 1, 0, "SYMMETRIC")
            result = self._tf.nn.conv2d(x, blocks_to_pixels(conv.kernel), 1, "VALID")
        else:
            x = layout.pad_by_reflection(self._plain(conv.source), side // 2, side // 2, "REFLECT")
            (result,) = self._old.copy(op, [x, self._plain(op.inputs[1])])
        self._new[op.outputs[0].name] = result
        return True

    def _upsampled(self, small: Any, kernel: NDArray[np.float32]) -> Any:
        tf = self._tf
        x = layout.pad_by_reflection(small, 1, 1, "SYMMETRIC")
        outputs = kernel.shape[3]
        if self._form != "blocks" and outputs <= _NARROW:
            x = tf.nn.conv2d(x, upsampled_to_aligned_blocks(kernel), 1, "VALID")
            return _Blocks(x, outputs)
        if self._form != "transposed":
            x = tf.nn.conv2d(x, upsampled_to_blocks(kernel), 1, "VALID")
            return self._to_pixels(x)[:, 1:-1, 1:-1]
        shape = tf.shape(small)
        return tf.nn.conv2d_transpose(
            x,
            upsampled_transposed(kernel),
            [shape[0], 2 * shape[1], 2 * shape[2], kernel.shape[3]],
            2,
            [[0, 0], [3, 3], [3, 3], [0, 0]],
        )

    def _on_blocks(self, op: Any, values: Sequence[Any], channels: int) -> Any:
        """`op` on a picture in blocks; None if that has to become a plain picture first."""
        tf = self._tf
        if op.type in _UNARY:
            (result,) = self._old.copy(op, [values[0].tensor])
            return _Blocks(result, channels)
        if op.type in _BINARY or op.type == "BiasAdd":
            operands = [self._for_blocks(value, channels) for value in values]
            if any(operand is None for operand in operands):
                return None
            if op.type == "BiasAdd":
                return _Blocks(operands[0] + operands[1], channels)
            (result,) = self._old.copy(op, operands)
            return _Blocks(result, channels)
        if op.type == "FusedBatchNormV3" and not op.get_attr("is_training"):
            scale, offset, mean, variance = values[1:]
            factor = scale * tf.math.rsqrt(variance + op.get_attr("epsilon"))
            factors, offsets = (tf.tile(x, [4]) for x in (factor, offset - mean * factor))
            return _Blocks(values[0].tensor * factors + offsets, channels)
        if op.type == "Mean" and op.get_attr("keep_dims"):
            axes = self._old.constant(op.inputs[1])
            if axes is not None and sorted(np.ravel(axes).tolist()) == [1, 2]:
                mean = tf.reduce_mean(values[0].tensor, [1, 2], keepdims=True)
                return tf.reduce_mean(tf.reshape(mean, [-1, 1, 4, channels]), 2, keepdims=True)
        return None

    def _for_blocks(self, value: Any, channels: int) -> Any:
        """An operand beside a picture in blocks; None if it cannot stand there."""
        if isinstance(value, _Blocks):
            return value.tensor if value.channels == channels else None
        shape = value.shape.as_list() if value.shape.rank is not None else [None]
        if all(side == 1 for side in shape):
            return value
        if shape[-1] == channels and all(side == 1 for side in shape[:-1]):
            return self._tf.tile(value, [*[1] * (len(shape) - 1), 4])
        return None

    def _normalized(self, op: Any) -> Any:
        """The instance normalization that ends with `op`, in one operation; None if it is none."""
        found = match_instance_norm(op, self._old)
        if found is None:
            return None
        value = self._value(found.subject)
        channels = self._old.shapes(found.subject)[0][3] or 0
        scale, offset = (self._per_channel(each, channels) for each in (found.scale, found.offset))
        if scale is None or offset is None:
            return None
        if isinstance(value, _Blocks):
            return _Blocks(
                apply_instance_norm(value.tensor, scale, offset, found.epsilon), channels
            )
        return (
            apply_instance_norm(value, scale, offset, found.epsilon)
            if channels > FEW_CHANNELS
            else None
        )

    def _per_channel(self, old: Any, channels: int) -> Any:
        """An operand of one number per channel as a vector; None if it is of another shape."""
        shape = old.shape.as_list() if old.shape.rank is not None else []
        if not shape or shape[-1] != channels or any(side != 1 for side in shape[:-1]):
            return None
        return self._tf.reshape(self._plain(old), [channels])

    def _to_blocks(self, x: Any) -> Any:
        return layout.to_blocks(x) if self._form == "fused" else self._tf.nn.space_to_depth(x, 2)

    def _to_pixels(self, x: Any) -> Any:
        return layout.to_pixels(x) if self._form == "fused" else self._tf.nn.depth_to_space(x, 2)

    def _value(self, old: Any) -> Any:
        """What an old tensor became."""
        return self._new[old.name]

    def _plain(self, old: Any) -> Any:
        """What an old tensor became, as a plain picture."""
        value = self._new[old.name]
        if isinstance(value, _Blocks):
            value = self._new[old.name] = self._to_pixels(value.tensor)
        return value

"""Rewrite a frame program into one that computes the same in less time.

Nearly all style transfer networks have the patterns that are rewritten; `patterns` finds them:

- 2x nearest-neighbor upsampling, padding by reflection and a 3x3 convolution become a small
  convolution before the upsampling.
- A convolution with few channels in or out, such as the first and the last one, runs on blocks of
  2x2 pixels (see `space_to_depth`). What follows runs on blocks as well, as far as possible, so
  that the image is seldom converted. On a CPU the last upsampling gives blocks, too.
- In the variant "fused", an instance normalization becomes one operation.
- Padding, cropping and resizing that have no effect at the sizes in question are removed.

All of it is exact where both sides of the frame are multiples of `SIZE_MULTIPLE`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.models.graph import space_to_depth
from live_nst.models.graph.graph_def import InferredGraph, serialize_graph
from live_nst.models.graph.patterns import (
    PaddedConvolution,
    has_even_sides,
    has_no_effect,
    match_instance_norm,
    match_padded_convolution,
    match_upsampling,
)
from live_nst.models.program import SIZE_MULTIPLE, FrameVariant, Program
from live_nst.runtime.tensorflow import import_tensorflow

_FEW_CHANNELS = 4
"""Images of at most this many channels are computed faster in blocks."""
_NARROW = 8
"""Convolutions to at most this many channels are computed faster to blocks: at full resolution
they would leave half of a processor's vector empty."""
_GROUP = 16
"""How many pixels are normalized side by side if there are few channels."""

_UNARY = {"Relu", "Relu6", "Sigmoid", "Tanh", "Elu", "Softplus", "Exp", "Abs", "Neg", "Square"}
_UNARY |= {"Sqrt", "Rsqrt", "Identity", "StopGradient", "LeakyRelu"}
_BINARY = {"Add", "AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "SquaredDifference"}
_RESIZING = {"MirrorPad", "Pad", "PadV2", "Slice", "StridedSlice", "ResizeNearestNeighbor"}


def rewrite(program: Program, variant: FrameVariant) -> Program:
    """Return a variant of the frame program. Parts that match no pattern stay as they are."""
    return _Rewriter(program, variant).run()


@dataclass(frozen=True)
class _Blocks:
    """A tensor of the new graph that holds an image in blocks."""

    tensor: Any
    channels: int


class _Rewriter:
    """Builds the new graph, operation by operation in the order of the old one."""

    def __init__(self, program: Program, variant: FrameVariant) -> None:
        self._tf = import_tensorflow()
        self._program = program
        self._variant = variant
        self._old = InferredGraph(program, SIZE_MULTIPLE)
        self._convolutions: dict[Any, PaddedConvolution] = {}
        self._new: dict[str, Any] = {}
        """Name of an old tensor -> the new one: a tensor or `_Blocks`."""

    def run(self) -> Program:
        operations = self._old.operations
        for op in operations:
            convolution = match_padded_convolution(op, self._old)
            if convolution is not None:
                self._convolutions[op] = convolution
        results = [self._old.tensor(name).op for name in self._program.outputs]
        skipped = {each.padding for each in self._convolutions.values()} | set(results)
        with self._tf.Graph().as_default() as graph:
            self._old.add_functions()
            for op in operations:
                if op not in skipped:
                    self._add(op)
            for result in results:
                self._tf.identity(self._plain(result.inputs[0]), name=result.name)
        graph_def = serialize_graph(graph, [result.name for result in results])
        return replace(self._program, graph=graph_def)

    def _add(self, op: Any) -> None:
        """Add to the new graph what replaces one old operation."""
        if op in self._convolutions:
            self._new[op.outputs[0].name] = self._convolution(op, self._convolutions[op])
            return
        if op.type in _RESIZING and has_no_effect(op, self._old):
            self._new[op.outputs[0].name] = self._value(op.inputs[0])
            return
        normalized = self._instance_norm(op) if self._variant == "fused" else None
        if normalized is not None:
            self._new[op.outputs[0].name] = normalized
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

    def _convolution(self, op: Any, conv: PaddedConvolution) -> Any:
        """Return what replaces a convolution and its padding: a tensor or `_Blocks`."""
        side, _, inputs, outputs = conv.kernel.shape
        conv2d, pad = self._tf.nn.conv2d, space_to_depth.pad_by_reflection
        small = match_upsampling(conv.source, self._old)
        source = self._value(conv.source)
        if small is not None and side == 3 and conv.stride == 1:
            return self._upsampling_convolution(self._plain(small), conv.kernel)
        few = min(inputs, outputs) <= _FEW_CHANNELS
        if conv.stride == 1 and few and has_even_sides(conv.source, self._old):
            kernel, border = space_to_depth.blocks_to_blocks(conv.kernel)
            if isinstance(source, _Blocks) and self._variant != "blocks":
                x = space_to_depth.pad_blocks_by_reflection(source.tensor, border)
            else:
                x = pad(self._plain(conv.source), 2 * border, 2 * border, "REFLECT")
                x = self._to_blocks(x)
            return _Blocks(conv2d(x, kernel, 1, "VALID"), outputs)
        if conv.stride == 2 and side == 3 and isinstance(source, _Blocks):
            # "SYMMETRIC" by one repeats the edge. TensorFlow has no other way to do that.
            x = pad(source.tensor, 1, 0, "SYMMETRIC")
            return conv2d(x, space_to_depth.blocks_to_pixels(conv.kernel), 1, "VALID")
        x = pad(self._plain(conv.source), side // 2, side // 2, "REFLECT")
        (result,) = self._old.copy(op, [x, self._plain(op.inputs[1])])
        return result

    def _upsampling_convolution(self, small: Any, kernel: NDArray[np.float32]) -> Any:
        """Return 2x upsampling and a 3x3 convolution in one."""
        tf = self._tf
        x = space_to_depth.pad_by_reflection(small, 1, 1, "SYMMETRIC")
        outputs = kernel.shape[3]
        if self._variant != "blocks" and outputs <= _NARROW:
            aligned = space_to_depth.upsampled_to_aligned_blocks(kernel)
            return _Blocks(tf.nn.conv2d(x, aligned, 1, "VALID"), outputs)
        if self._variant != "transposed":
            x = tf.nn.conv2d(x, space_to_depth.upsampled_to_blocks(kernel), 1, "VALID")
            return self._to_pixels(x)[:, 1:-1, 1:-1]
        shape = tf.shape(small)
        return tf.nn.conv2d_transpose(
            x,
            space_to_depth.upsampled_transposed(kernel),
            [shape[0], 2 * shape[1], 2 * shape[2], outputs],
            2,
            [[0, 0], [3, 3], [3, 3], [0, 0]],
        )

    def _on_blocks(self, op: Any, values: Sequence[Any], channels: int) -> Any:
        """Return what `op` gives for an image in blocks; None if it needs a plain image."""
        tf = self._tf
        if op.type in _UNARY:
            (result,) = self._old.copy(op, [values[0].tensor])
            return _Blocks(result, channels)
        if op.type in _BINARY or op.type == "BiasAdd":
            operands = [self._operand_for_blocks(value, channels) for value in values]
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

    def _operand_for_blocks(self, value: Any, channels: int) -> Any:
        """Return `value` as the other operand of an image in blocks; None if it cannot be one."""
        if isinstance(value, _Blocks):
            return value.tensor if value.channels == channels else None
        shape = value.shape.as_list() if value.shape.rank is not None else [None]
        if all(side == 1 for side in shape):
            return value
        if shape[-1] == channels and all(side == 1 for side in shape[:-1]):
            return self._tf.tile(value, [*[1] * (len(shape) - 1), 4])
        return None

    def _instance_norm(self, op: Any) -> Any:
        """Return the instance normalization that ends with `op`; None if there is none."""
        found = match_instance_norm(op, self._old)
        if found is None:
            return None
        value = self._value(found.subject)
        channels = self._old.shapes(found.subject)[0][3] or 0
        scale, offset = (self._per_channel(each, channels) for each in (found.scale, found.offset))
        if scale is None or offset is None:
            return None
        if isinstance(value, _Blocks):
            x = apply_instance_norm(value.tensor, scale, offset, found.epsilon)
            return _Blocks(x, channels)
        if channels <= _FEW_CHANNELS:
            return None
        return apply_instance_norm(value, scale, offset, found.epsilon)

    def _per_channel(self, old: Any, channels: int) -> Any:
        """Return a tensor of one number per channel as a vector; None if its shape is another."""
        shape = old.shape.as_list() if old.shape.rank is not None else []
        if not shape or shape[-1] != channels or any(side != 1 for side in shape[:-1]):
            return None
        return self._tf.reshape(self._plain(old), [channels])

    def _to_blocks(self, x: Any) -> Any:
        if self._variant == "fused":
            return space_to_depth.to_blocks(x)
        return self._tf.nn.space_to_depth(x, 2)

    def _to_pixels(self, x: Any) -> Any:
        if self._variant == "fused":
            return space_to_depth.to_pixels(x)
        return self._tf.nn.depth_to_space(x, 2)

    def _value(self, old: Any) -> Any:
        """Return what replaces an old tensor: a tensor or `_Blocks`."""
        return self._new[old.name]

    def _plain(self, old: Any) -> Any:
        """Return what replaces an old tensor, as a plain image."""
        value = self._new[old.name]
        if isinstance(value, _Blocks):
            value = self._new[old.name] = self._to_pixels(value.tensor)
        return value


def apply_instance_norm(x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
    """Add an instance normalization to the current graph, as one operation.

    Args:
        x: An image `[1, height, width, channels]`. If it has few channels it may be in blocks.
        scale: `[channels]`.
        offset: `[channels]`.
        epsilon: The number that is added to the variance.

    Returns:
        A tensor of the shape of `x`.
    """
    tf = import_tensorflow()
    channels = scale.shape[0]
    mean = variance = tf.zeros([0])  # the operation takes them from the image itself
    flat = tf.reshape(x, [1, -1, 1, channels])
    if channels <= _FEW_CHANNELS:
        # Three channels would leave most of a processor's vector empty. Sixteen pixels side by
        # side fill it; each has a mean of its own, and the mean of those is the mean of all.
        flat = tf.reshape(x, [1, -1, 1, _GROUP * channels])
        mean = _mean_of_group(tf.reduce_mean(flat, [0, 1, 2]), channels)
        squares = tf.math.squared_difference(flat, mean)
        variance = _mean_of_group(tf.reduce_mean(squares, [0, 1, 2]), channels)
        scale, offset = (tf.tile(each, [_GROUP]) for each in (scale, offset))
    result = tf.raw_ops.FusedBatchNormV3(
        x=flat, scale=scale, offset=offset, mean=mean, variance=variance, epsilon=epsilon,
        is_training=channels > _FEW_CHANNELS,
    )  # fmt: skip
    _, height, width, depth = tf.unstack(tf.shape(x))
    return tf.reshape(result.y, [1, height, width, x.shape[3] or depth])


def _mean_of_group(means: Any, channels: int) -> Any:
    """Replace the mean of each pixel of a group, `[_GROUP * channels]`, by the mean of all."""
    tf = import_tensorflow()
    mean = tf.reduce_mean(tf.reshape(means, [_GROUP, channels]), 0)
    return tf.tile(mean, [_GROUP])

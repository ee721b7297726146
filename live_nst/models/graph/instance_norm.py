"""Instance normalizations in a frame program, recognized by what they compute.

`(x - mean) / sqrt(variance + epsilon) * scale + offset`, mean and variance taken over height and
width, as TensorFlow writes it: `x * factor + (offset - mean * factor)`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from live_nst.models.graph.graph_def import InferredGraph
from live_nst.runtime.tensorflow import import_tensorflow

FEW_CHANNELS = 4
"""Channels up to which a picture is computed faster in blocks."""
_SQUARE = 16  # pixels that are normalized side by side where there are few channels
_COPIES = ("Identity", "StopGradient")
_SUMS = ("Add", "AddV2")


@dataclass(frozen=True)
class InstanceNorm:
    """One of them.

    Attributes:
        subject: What is normalized, `[1, height, width, channels]`.
        scale: One number per channel.
        offset: The same.
        epsilon: Is added to the variance.
    """

    subject: Any
    scale: Any
    offset: Any
    epsilon: float


def match_instance_norm(op: Any, graph: InferredGraph) -> InstanceNorm | None:
    """The instance normalization whose last operation is `op`, an addition; None if it is none."""
    for product, shift in _either_way(op, _SUMS):
        for offset, share in _ordered(shift, "Sub"):
            for subject, factor in _either_way(_op(product), ("Mul",)):
                for mean, same in _either_way(_op(share), ("Mul",)):
                    if same is not factor or not _is_mean(mean, subject, graph):
                        continue
                    found = _scaled(factor, subject, mean, graph)
                    if found is not None:
                        return InstanceNorm(subject, found[0], offset, found[1])
    return None


def _scaled(factor: Any, subject: Any, mean: Any, graph: InferredGraph) -> tuple[Any, float] | None:
    """(scale, epsilon) of a `factor` that takes the variance of `subject` to one."""
    for root, scale in _either_way(factor.op, ("Mul",)):
        if root.op.type == "Rsqrt":
            for variance, added in _either_way(_op(root.op.inputs[0]), _SUMS):
                epsilon = graph.constant(added)
                if epsilon is not None and epsilon.size == 1 and _is_over_space(variance, graph):
                    squares = _op(variance.op.inputs[0])
                    for x, middle in _either_way(squares, ("SquaredDifference",)):
                        if x is subject and middle is mean:
                            return scale, float(epsilon)
    return None


def _is_mean(tensor: Any, subject: Any, graph: InferredGraph) -> bool:
    return _is_over_space(tensor, graph) and _behind(tensor.op.inputs[0]) is subject


def _is_over_space(tensor: Any, graph: InferredGraph) -> bool:
    """Whether `tensor` is a mean over height and width, of a picture that is alone."""
    if tensor.op.type != "Mean" or not tensor.op.get_attr("keep_dims"):
        return False
    axes = graph.constant(tensor.op.inputs[1])
    alone = all(len(s) == 4 and s[0] == 1 for s in graph.shapes(tensor.op.inputs[0]))
    return alone and axes is not None and sorted(np.ravel(axes).tolist()) == [1, 2]


def _either_way(op: Any, kinds: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    """The operands of an operation of one of `kinds`, in both orders."""
    if op.type in kinds:
        one, other = (_behind(tensor) for tensor in op.inputs)
        yield one, other
        yield other, one


def _ordered(tensor: Any, kind: str) -> Iterator[tuple[Any, Any]]:
    if tensor.op.type == kind:
        one, other = (_behind(operand) for operand in tensor.op.inputs)
        yield one, other


def _op(tensor: Any) -> Any:
    return _behind(tensor).op


def _behind(tensor: Any) -> Any:
    """The tensor of which `tensor` is a mere copy."""
    while tensor.op.type in _COPIES:
        tensor = tensor.op.inputs[0]
    return tensor


def apply_instance_norm(x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
    """An instance normalization as part of a graph that is being built, in one operation.

    Args:
        x: A picture that is alone, or one in blocks if it has few channels.
        scale: `[channels]`
        offset: `[channels]`
        epsilon: Is added to the variance.
    """
    tf = import_tensorflow()
    channels = scale.shape[0]
    mean = variance = tf.zeros([0])  # for: of the picture itself
    flat = tf.reshape(x, [1, -1, 1, channels])
    if channels <= FEW_CHANNELS:
        # Three channels would leave the processor's vectors empty: sixteen pixels at once fill
        # them, each with a mean of its own, and the mean of those is the mean.
        flat = tf.reshape(x, [1, -1, 1, _SQUARE * channels])
        mean = _of_all(tf.reduce_mean(flat, [0, 1, 2]), channels)
        squares = tf.math.squared_difference(flat, mean)
        variance = _of_all(tf.reduce_mean(squares, [0, 1, 2]), channels)
        scale, offset = (tf.tile(each, [_SQUARE]) for each in (scale, offset))
    result = tf.raw_ops.FusedBatchNormV3(
        x=flat, scale=scale, offset=offset, mean=mean, variance=variance, epsilon=epsilon,
        is_training=channels > FEW_CHANNELS,
    )  # fmt: skip
    _, height, width, depth = tf.unstack(tf.shape(x))
    return tf.reshape(result.y, [1, height, width, x.shape[3] or depth])


def _of_all(means: Any, channels: int) -> Any:
    """Means of the pixels of a square as the mean of them all, once for each."""
    tf = import_tensorflow()
    mean = tf.reduce_mean(tf.reshape(means, [_SQUARE, channels]), 0)
    return tf.tile(mean, [_SQUARE])

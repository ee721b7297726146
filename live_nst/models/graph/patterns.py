"""Find the parts of a frame program that can be computed faster.

They are recognized by what they compute, never by a name. Tensors and operations are those of the
graph in an `InferredGraph`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.models.graph.graph_def import InferredGraph, skip_identities

_ADDITIONS = ("Add", "AddV2")


@dataclass(frozen=True)
class PaddedConvolution:
    """A square convolution after padding by reflection. With stride 1 it keeps the size.

    Attributes:
        source: The tensor before the padding.
        kernel: float32 `[side, side, channels in, channels out]`; the side is odd.
        stride: The stride in both directions.
        padding: The operation that pads.
    """

    source: Any
    kernel: NDArray[np.float32]
    stride: int
    padding: Any


def match_padded_convolution(op: Any, graph: InferredGraph) -> PaddedConvolution | None:
    """Return the convolution `op` together with the padding before it; None if it is no match."""
    if op.type != "Conv2D":
        return None
    tensor, weights = op.inputs
    padding = tensor.op
    kernel = graph.constant(weights)
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
    paddings = graph.constant(padding.inputs[1])
    if paddings is None or paddings.tolist() != [[0, 0], *[[border, border]] * 2, [0, 0]]:
        return None
    return PaddedConvolution(padding.inputs[0], kernel, strides[1], padding)


def match_upsampling(tensor: Any, graph: InferredGraph) -> Any:
    """Return the tensor before 2x nearest-neighbor upsampling to `tensor`; None if no match."""
    op = tensor.op
    if op.type != "ResizeNearestNeighbor" or op.get_attr("align_corners"):
        return None
    source = op.inputs[0]
    before, after = _sides(source, graph), _sides(tensor, graph)
    if not before or None in before:
        return None
    return source if [2 * side for side in before if side is not None] == after else None


def has_even_sides(tensor: Any, graph: InferredGraph) -> bool:
    """Return whether height and width are known to be even."""
    return all(side is not None and side % 2 == 0 for side in _sides(tensor, graph))


def has_no_effect(op: Any, graph: InferredGraph) -> bool:
    """Return whether a padding, cropping or resizing operation returns its input unchanged."""
    before, after = graph.shapes(op.inputs[0]), graph.shapes(op.outputs[0])
    if before != after or any(None in shape for shape in before):
        return False
    if op.type != "StridedSlice":
        return True
    strides = graph.constant(op.inputs[3])
    return strides is not None and bool(np.all(strides == 1))


def _sides(tensor: Any, graph: InferredGraph) -> list[int | None]:
    """Return height and width at each frame size, in one list."""
    return [side for shape in graph.shapes(tensor) for side in shape[1:3]]


@dataclass(frozen=True)
class InstanceNorm:
    """An instance normalization: `(x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Mean and variance are taken over height and width. TensorFlow writes it as
    `x * factor + (offset - mean * factor)`.

    Attributes:
        subject: The tensor that is normalized, `[1, height, width, channels]`.
        scale: A tensor with one number per channel.
        offset: A tensor with one number per channel.
        epsilon: The number that is added to the variance.
    """

    subject: Any
    scale: Any
    offset: Any
    epsilon: float


def match_instance_norm(op: Any, graph: InferredGraph) -> InstanceNorm | None:
    """Return the instance normalization whose last operation is `op`; None if there is none."""
    for product, shift in _operands(op, _ADDITIONS):
        if shift.op.type != "Sub":
            continue
        offset, share = (skip_identities(tensor) for tensor in shift.op.inputs)
        for subject, factor in _operands(product.op, ("Mul",)):
            for mean, same in _operands(share.op, ("Mul",)):
                if same is not factor or not _is_mean_of(mean, subject, graph):
                    continue
                found = _match_factor(factor, subject, mean, graph)
                if found is not None:
                    return InstanceNorm(subject, found[0], offset, found[1])
    return None


def _match_factor(
    factor: Any, subject: Any, mean: Any, graph: InferredGraph
) -> tuple[Any, float] | None:
    """Return (scale, epsilon) if `factor` is scale / sqrt(variance of `subject` + epsilon)."""
    for root, scale in _operands(factor.op, ("Mul",)):
        if root.op.type != "Rsqrt":
            continue
        for variance, added in _operands(skip_identities(root.op.inputs[0]).op, _ADDITIONS):
            epsilon = graph.constant(added)
            if epsilon is None or epsilon.size != 1 or not _is_spatial_mean(variance, graph):
                continue
            squares = skip_identities(variance.op.inputs[0]).op
            for x, middle in _operands(squares, ("SquaredDifference",)):
                if x is subject and middle is mean:
                    return scale, float(epsilon)
    return None


def _is_mean_of(tensor: Any, subject: Any, graph: InferredGraph) -> bool:
    return _is_spatial_mean(tensor, graph) and skip_identities(tensor.op.inputs[0]) is subject


def _is_spatial_mean(tensor: Any, graph: InferredGraph) -> bool:
    """Return whether `tensor` is a mean over height and width of a batch of one."""
    if tensor.op.type != "Mean" or not tensor.op.get_attr("keep_dims"):
        return False
    axes = graph.constant(tensor.op.inputs[1])
    is_one = all(len(s) == 4 and s[0] == 1 for s in graph.shapes(tensor.op.inputs[0]))
    return is_one and axes is not None and sorted(np.ravel(axes).tolist()) == [1, 2]


def _operands(op: Any, kinds: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    """Yield the two operands of `op` in both orders, if it is an operation of one of `kinds`."""
    if op.type in kinds:
        one, other = (skip_identities(tensor) for tensor in op.inputs)
        yield one, other
        yield other, one

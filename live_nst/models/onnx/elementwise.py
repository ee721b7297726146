"""Operations that compute each number of the result by itself, and sums and means of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from live_nst.errors import ModelError
from live_nst.models.onnx.builder import HINT, Form, GraphBuilder

Emit = Callable[[GraphBuilder, Any], None]
"""Adds an operation of TensorFlow to an ONNX graph."""

_SAME_NAME = (
    *("Relu", "Sigmoid", "Tanh", "Elu", "Selu", "Softplus", "Softsign", "Exp", "Log", "Abs"),
    *("Neg", "Sqrt", "Floor", "Ceil", "Round", "Sign", "Erf", "Reciprocal"),
)
_BINARY = {
    **dict.fromkeys(("Add", "AddV2", "BiasAdd"), "Add"),
    **dict.fromkeys(("Div", "RealDiv"), "Div"),
    **{"Sub": "Sub", "Mul": "Mul", "Maximum": "Max", "Minimum": "Min", "Pow": "Pow"},
    **{"Less": "Less", "LessEqual": "LessOrEqual", "Greater": "Greater", "Equal": "Equal"},
    **{"GreaterEqual": "GreaterOrEqual", "LogicalAnd": "And", "LogicalOr": "Or"},
}
_REDUCTIONS = {"Mean": "ReduceMean", "Sum": "ReduceSum", "Max": "ReduceMax", "Min": "ReduceMin"}


def _unary(kind: str, **attributes: Any) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        form = builder.form(op.inputs[0])
        name = builder.node(kind, [builder.get(op.inputs[0], form)], **attributes)
        builder.set(op.outputs[0], name, form)

    return emit


def _alias(builder: GraphBuilder, op: Any) -> None:
    builder.copy(op.outputs[0], op.inputs[0])


def operands(builder: GraphBuilder, tensors: list[Any]) -> tuple[list[str], Form]:
    """Return the names of operands that are spread over each other, and the form of the result.

    float16 and float32 give float32, so that a mean is never taken from a number of 11 bits.
    """
    forms = [builder.form(tensor) for tensor in tensors if not builder.is_known(tensor)]
    rank = max(len(builder.shape(tensor)) for tensor in tensors)
    form = Form(rank == 4 and any(f.planar for f in forms), all(f.half for f in forms))
    return [builder.operand(tensor, form) for tensor in tensors], form


def _binary(kind: str) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        names, form = operands(builder, list(op.inputs))
        half = form.half and op.outputs[0].dtype.name == "float32"  # not that of a comparison
        builder.set(op.outputs[0], builder.node(kind, names), Form(form.planar, half))

    return emit


def _add_all(builder: GraphBuilder, op: Any) -> None:
    names, form = operands(builder, list(op.inputs))
    builder.set(op.outputs[0], builder.node("Sum", names), form)


def _select(builder: GraphBuilder, op: Any) -> None:
    names, form = operands(builder, list(op.inputs))
    builder.set(op.outputs[0], builder.node("Where", names), form)


def _clip(low: float, high: float) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        form = builder.form(op.inputs[0])
        kind = np.float16 if form.half else np.float32
        limits = [builder.constant(limit, kind) for limit in (low, high)]
        name = builder.node("Clip", [builder.get(op.inputs[0], form), *limits])
        builder.set(op.outputs[0], name, form)

    return emit


def _clip_by_value(builder: GraphBuilder, op: Any) -> None:
    low, high = (float(builder.known(tensor)) for tensor in op.inputs[1:])
    _clip(low, high)(builder, op)


def _leaky_relu(builder: GraphBuilder, op: Any) -> None:
    _unary("LeakyRelu", alpha=float(op.get_attr("alpha")))(builder, op)


def _square(builder: GraphBuilder, op: Any) -> None:
    form = Form(builder.form(op.inputs[0]).planar)
    name = builder.get(op.inputs[0], form)
    builder.set(op.outputs[0], builder.node("Mul", [name, name]), form)


def _squared_difference(builder: GraphBuilder, op: Any) -> None:
    _, form = operands(builder, list(op.inputs))
    form = Form(form.planar)  # a square may be too large for float16
    names = [builder.operand(tensor, form) for tensor in op.inputs]
    difference = builder.node("Sub", names)
    builder.set(op.outputs[0], builder.node("Mul", [difference, difference]), form)


def _rsqrt(builder: GraphBuilder, op: Any) -> None:
    form = Form(builder.form(op.inputs[0]).planar)
    root = builder.node("Sqrt", [builder.get(op.inputs[0], form)])
    builder.set(op.outputs[0], builder.node("Reciprocal", [root]), form)


def _floor_mod(builder: GraphBuilder, op: Any) -> None:
    names, form = operands(builder, list(op.inputs))
    if op.outputs[0].dtype.is_floating:
        raise ModelError("The model takes a remainder of fractions.", HINT)
    builder.set(op.outputs[0], builder.node("Mod", names), form)


def _cast(builder: GraphBuilder, op: Any) -> None:
    planar = builder.form(op.inputs[0]).planar
    kind = op.outputs[0].dtype.as_numpy_dtype
    name = builder.cast(builder.get(op.inputs[0], Form(planar)), kind)
    builder.set(op.outputs[0], name, Form(planar))


def _reduce(kind: str) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        source, keeps = op.inputs[0], bool(op.get_attr("keep_dims"))
        rank = len(builder.shape(source))
        axes = sorted(int(axis) % rank for axis in np.ravel(builder.known(op.inputs[1])))
        # Without its axes of one pixel, what is left of an image must be in TensorFlow's order.
        planar = builder.form(source).planar and (keeps or {1, 2} <= set(axes))
        name = builder.get(source, Form(planar))
        if planar:
            axes = sorted((0, 2, 3, 1)[axis] for axis in axes)
        if kind == "ReduceSum":
            name = builder.node(kind, [name, builder.constant(axes, np.int64)], keepdims=int(keeps))
        else:
            name = builder.node(kind, [name], axes=axes, keepdims=int(keeps))
        builder.set(op.outputs[0], name, Form(planar and keeps))

    return emit


def _arg_max(builder: GraphBuilder, op: Any) -> None:
    axis = int(builder.known(op.inputs[1]))
    name = builder.get(op.inputs[0], Form())
    name = builder.node("ArgMax", [name], axis=axis, keepdims=0)
    builder.set(op.outputs[0], builder.cast(name, op.outputs[0].dtype.as_numpy_dtype), Form())


def _matmul(builder: GraphBuilder, op: Any) -> None:
    names = [builder.get(tensor, Form()) for tensor in op.inputs]
    for index, word in enumerate((("transpose_a", "adj_x"), ("transpose_b", "adj_y"))):
        attribute = word[0] if op.type == "MatMul" else word[1]
        if op.get_attr(attribute):
            rank = len(builder.shape(op.inputs[index]))
            order = [*range(rank - 2), rank - 1, rank - 2]
            names[index] = builder.node("Transpose", [names[index]], perm=order)
    builder.set(op.outputs[0], builder.node("MatMul", names), Form())


ELEMENTWISE: dict[str, Emit] = {
    **{kind: _unary(kind) for kind in _SAME_NAME},
    **{kind: _binary(name) for kind, name in _BINARY.items()},
    **{kind: _reduce(name) for kind, name in _REDUCTIONS.items()},
    **dict.fromkeys(("Identity", "StopGradient", "PreventGradient", "CheckNumerics"), _alias),
    "AddN": _add_all,
    "ArgMax": _arg_max,
    "BatchMatMulV2": _matmul,
    "Cast": _cast,
    "ClipByValue": _clip_by_value,
    "FloorMod": _floor_mod,
    "LeakyRelu": _leaky_relu,
    "LogicalNot": _unary("Not"),
    "MatMul": _matmul,
    "Relu6": _clip(0.0, 6.0),
    "Rsqrt": _rsqrt,
    "SelectV2": _select,
    "Square": _square,
    "SquaredDifference": _squared_difference,
}
"""TensorFlow's operations of this kind."""

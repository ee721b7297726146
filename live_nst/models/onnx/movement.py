"""Operations that move numbers and compute nothing: reshape, slice, join, split, roll."""

from typing import Any

import numpy as np

from live_nst.errors import ModelError
from live_nst.models.onnx.builder import HINT, TO_PLANAR, Form, GraphBuilder
from live_nst.models.onnx.elementwise import Emit

_PLACES = tuple(TO_PLANAR.index(axis) for axis in range(4))
"""Where each of TensorFlow's axes is in a planar image."""


def _reshape(builder: GraphBuilder, op: Any) -> None:
    builder.reshape(op.outputs[0], op.inputs[0])


def _axis(axis: int, form: Form) -> int:
    return _PLACES[axis] if form.planar else axis


def _split(builder: GraphBuilder, op: Any) -> None:
    if op.type == "Split":
        axis, source = int(builder.known(op.inputs[0])), op.inputs[1]
    else:
        axis, source = int(builder.known(op.inputs[2])), op.inputs[0]
    shapes = [builder.shape(output) for output in op.outputs]
    axis %= len(shapes[0])
    form = Form(builder.prefers_planar(source), builder.form(source).half)
    sizes = builder.constant([shape[axis] for shape in shapes], np.int64)
    inputs = [builder.get(source, form), sizes]
    names = builder.nodes_of("Split", inputs, len(shapes), axis=_axis(axis, form))
    for output, name in zip(op.outputs, names, strict=True):
        builder.set(output, name, form)


def _unpack(builder: GraphBuilder, op: Any) -> None:
    source, half = op.inputs[0], builder.form(op.inputs[0]).half
    rank = len(builder.shape(source))
    axis, form = op.get_attr("axis") % rank, Form(False, half)
    for index, output in enumerate(op.outputs):
        inputs = [builder.get(source, form), builder.constant(index, np.int64)]
        builder.set(output, builder.node("Gather", inputs, axis=axis), form)


def _concat(builder: GraphBuilder, op: Any) -> None:
    parts = list(op.inputs[:-1])
    rank = len(builder.shape(op.outputs[0]))
    axis = int(builder.known(op.inputs[-1])) % rank
    form = _common_form(builder, parts)
    names = [builder.get(part, form) for part in parts]
    name = builder.node("Concat", names, axis=_axis(axis, form))
    builder.set(op.outputs[0], name, form)


def _common_form(builder: GraphBuilder, parts: list[Any]) -> Form:
    moving = [part for part in parts if not builder.is_known(part)]
    return Form(
        all(builder.prefers_planar(part) for part in moving),
        all(builder.form(part).half for part in moving),
    )


def _pack(builder: GraphBuilder, op: Any) -> None:
    axis = op.get_attr("axis") % len(builder.shape(op.outputs[0]))
    names = []
    for part in op.inputs:
        shape = builder.shape(part)
        shape.insert(axis, 1)
        target = builder.constant(shape, np.int64)
        names.append(builder.node("Reshape", [builder.get(part, Form()), target]))
    builder.set(op.outputs[0], builder.node("Concat", names, axis=axis), Form())


def _transpose(builder: GraphBuilder, op: Any) -> None:
    form = Form(False, builder.form(op.inputs[0]).half)
    order = [int(axis) for axis in builder.known(op.inputs[1])]
    name = builder.node("Transpose", [builder.get(op.inputs[0], form)], perm=order)
    builder.set(op.outputs[0], name, form)


def _tile(builder: GraphBuilder, op: Any) -> None:
    form = Form(False, builder.form(op.inputs[0]).half)
    times = builder.constant(builder.known(op.inputs[1]), np.int64)
    name = builder.node("Tile", [builder.get(op.inputs[0], form), times])
    builder.set(op.outputs[0], name, form)


def _slice(builder: GraphBuilder, op: Any) -> None:
    starts = [int(start) for start in builder.known(op.inputs[1])]
    sides = builder.shape(op.outputs[0])
    pieces = [slice(start, start + side) for start, side in zip(starts, sides, strict=True)]
    _take(builder, op, pieces)


def _strided_slice(builder: GraphBuilder, op: Any) -> None:
    begin, end, strides = (builder.known(tensor).tolist() for tensor in op.inputs[1:])
    rank, places = len(builder.shape(op.inputs[0])), range(len(begin))
    from_start, to_end, ellipsis, new_axis, single = (
        [bool(op.get_attr(f"{name}_mask") >> place & 1) for place in places]
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    )
    own = sum(not ellipsis[place] and not new_axis[place] for place in places)
    pieces: list[slice] = []
    for place in places:
        start, stop = begin[place], end[place]
        if ellipsis[place]:
            pieces += [slice(None)] * (rank - own)
        elif single[place]:
            pieces.append(slice(start, start + 1 or None))
        elif not new_axis[place]:
            first = None if from_start[place] else start
            last = None if to_end[place] else stop
            pieces.append(slice(first, last, strides[place]))
    _take(builder, op, pieces + [slice(None)] * (rank - len(pieces)))


def _take(builder: GraphBuilder, op: Any, pieces: list[slice]) -> None:
    """Add a slice of the first input, in the shape of the output."""
    source, result = op.inputs[0], op.outputs[0]
    form, shape = builder.form(source), builder.shape(source)
    ranges = [range(*piece.indices(side)) for piece, side in zip(pieces, shape, strict=True)]
    changed = [axis for axis, side in enumerate(shape) if ranges[axis] != range(side)]
    if not changed:
        builder.reshape(result, source)
        return
    name = builder.get(source, form)
    ends = [ranges[a].stop if ranges[a].stop >= 0 else -(2**31) for a in changed]
    lists = ([ranges[a].start for a in changed], ends, [_axis(a, form) for a in changed])
    steps = [ranges[a].step for a in changed]
    name = builder.node("Slice", [name, *(builder.constant(e, np.int64) for e in (*lists, steps))])
    if [len(each) for each in ranges] == builder.shape(result):
        builder.set(result, name, form)
        return
    if form.planar:
        name = builder.node("Transpose", [name], perm=[0, 2, 3, 1])
    target = builder.constant(builder.shape(result), np.int64)
    builder.set(result, builder.node("Reshape", [name, target]), Form(False, form.half))


def _roll(builder: GraphBuilder, op: Any) -> None:
    """Add a roll: the number at `i` comes from `(i - shift) mod n`."""
    source, shift = op.inputs[0], op.inputs[1]
    form = builder.form(source)
    axes = np.ravel(builder.known(op.inputs[2]))
    if len(axes) != 1:
        raise ModelError("The model rolls its images along several axes at once.", HINT)
    shape = builder.shape(source)
    axis = int(axes[0]) % len(shape)
    kind = shift.dtype.as_numpy_dtype
    positions = builder.constant(np.arange(shape[axis]), kind)
    moved = builder.node("Sub", [positions, builder.get(shift, Form())])
    places = builder.node("Mod", [moved, builder.constant([shape[axis]], kind)])
    name = builder.node("Gather", [builder.get(source, form), places], axis=_axis(axis, form))
    builder.set(op.outputs[0], name, form)


def _gather(builder: GraphBuilder, op: Any) -> None:
    source, places = op.inputs[0], op.inputs[1]
    if op.get_attr("batch_dims"):
        raise ModelError("The model gathers by batches.", HINT)
    form = Form() if builder.is_known(source) else Form(False, builder.form(source).half)
    axis = int(builder.known(op.inputs[2])) % len(builder.shape(source))
    inputs = [builder.get(source, form), builder.get(places, Form())]
    builder.set(op.outputs[0], builder.node("Gather", inputs, axis=axis), form)


MOVEMENT: dict[str, Emit] = {
    **dict.fromkeys(("Reshape", "Squeeze", "ExpandDims"), _reshape),
    **dict.fromkeys(("Split", "SplitV"), _split),
    "ConcatV2": _concat,
    "GatherV2": _gather,
    "Pack": _pack,
    "Roll": _roll,
    "Slice": _slice,
    "StridedSlice": _strided_slice,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unpack": _unpack,
}
"""TensorFlow's operations of this kind."""

"""Layers of convolutional networks: convolutions, pooling, padding, resizing, normalization."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from live_nst.errors import ModelError
from live_nst.models.graph.patterns import match_instance_norm
from live_nst.models.onnx.builder import HINT, Form, GraphBuilder
from live_nst.models.onnx.elementwise import Emit

_SPATIAL = (1, 2)


def emit_instance_norm(builder: GraphBuilder, op: Any) -> bool:
    """Add the instance normalization whose last operation is `op`; False if there is none.

    It is computed in float32, as are its scale and offset, because a mean over a million pixels
    needs more than the 11 bits of a float16.
    """
    found = match_instance_norm(op, builder.graph)
    if found is None:
        return False
    channels = builder.shape(found.subject)[3]
    affine = [found.scale, found.offset]
    if all(builder.is_known(each) and builder.known(each).size == channels for each in affine):
        known = [builder.known(each).reshape(channels) for each in affine]
        name = _normalized(builder, found.subject, found.epsilon, *known)
    else:
        name = _normalized(builder, found.subject, found.epsilon)
        form = Form(planar=True)
        name = builder.node("Mul", [name, builder.operand(found.scale, form)])
        name = builder.node("Add", [name, builder.operand(found.offset, form)])
    _set_halved(builder, op.outputs[0], name)
    return True


def _normalized(
    builder: GraphBuilder, subject: Any, epsilon: float, scale: Any = None, offset: Any = None
) -> str:
    """Add an instance normalization of constant scale and offset, 1 and 0 by default."""
    channels = builder.shape(subject)[3]
    scale = np.ones(channels) if scale is None else scale
    offset = np.zeros(channels) if offset is None else offset
    affine = [builder.constant(each, np.float32) for each in (scale, offset)]
    inputs = [builder.get(subject, Form(planar=True)), *affine]
    return builder.node("InstanceNormalization", inputs, epsilon=epsilon)


def _set_halved(builder: GraphBuilder, tensor: Any, name: str) -> None:
    """Store a planar float32 result; as float16 if convolutions are computed in that."""
    if builder.half:
        name = builder.cast(name, np.float16)
    builder.set(tensor, name, Form(planar=True, half=builder.half))


def _batch_norm(builder: GraphBuilder, op: Any) -> None:
    image, *parameters = op.inputs
    form, epsilon = Form(planar=True), float(op.get_attr("epsilon"))
    _check_channels_last(op)
    if op.get_attr("is_training"):
        if builder.shape(image)[0] != 1:
            raise ModelError("The model normalizes over several images.", HINT)
        name = _normalized(builder, image, epsilon)
        factor, offset = (builder.operand(each, form) for each in parameters[:2])
        name = builder.node("Add", [builder.node("Mul", [name, factor]), offset])
        _set_halved(builder, op.outputs[0], name)
        return
    scale, shift, mean, variance = (np.float64(builder.known(each)) for each in parameters)
    factors = scale / np.sqrt(variance + epsilon)
    form = Form(planar=True, half=builder.form(image).half)
    kind = np.float16 if form.half else np.float32
    name = builder.get(image, form)
    for operation, values in (("Mul", factors), ("Add", shift - mean * factors)):
        name = builder.node(operation, [name, builder.constant(values.reshape(1, -1, 1, 1), kind)])
    builder.set(op.outputs[0], name, form)


def _convolution(builder: GraphBuilder, op: Any) -> None:
    image, weights = op.inputs
    _check_channels_last(op)
    form = Form(planar=True, half=builder.half)
    height, width, inputs, _ = builder.shape(weights)
    attributes: dict[str, Any] = {"group": builder.shape(image)[3] // inputs}
    if op.type == "DepthwiseConv2dNative":
        attributes["group"] = inputs
    name = builder.node(
        "Conv",
        [builder.get(image, form), _kernel(builder, op, half=form.half)],
        kernel_shape=[height, width],
        strides=_spatial(op, "strides"),
        dilations=_spatial(op, "dilations"),
        pads=_pads(builder, op, (height, width), _spatial(op, "dilations")),
        **attributes,
    )
    builder.set(op.outputs[0], name, form)


def _kernel(builder: GraphBuilder, op: Any, *, half: bool) -> str:
    """Return the weights of a convolution, `[outputs, inputs of a group, height, width]`."""
    weights = op.inputs[1]
    height, width, inputs, outputs = builder.shape(weights)
    if op.type == "DepthwiseConv2dNative":
        values = builder.known(weights).transpose(2, 3, 0, 1)
        values = values.reshape(inputs * outputs, 1, height, width)
    elif builder.is_known(weights):
        values = builder.known(weights).transpose(3, 2, 0, 1)
    else:  # the style makes them
        plain = builder.get(weights, Form(half=half))
        return builder.node("Transpose", [plain], perm=[3, 2, 0, 1])
    return builder.constant(values, np.float16 if half else None)


def _pool(kind: str) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        _check_channels_last(op)
        sides = _spatial(op, "ksize")
        form = Form(planar=True, half=builder.form(op.inputs[0]).half)
        name = builder.node(
            kind,
            [builder.get(op.inputs[0], form)],
            kernel_shape=sides,
            strides=_spatial(op, "strides"),
            pads=_pads(builder, op, sides, (1, 1)),
        )
        builder.set(op.outputs[0], name, form)

    return emit


def _pads(
    builder: GraphBuilder, op: Any, sides: Sequence[int], dilations: Sequence[int]
) -> list[int]:
    """Return the padding by zeros: top, left, bottom, right."""
    padding = op.get_attr("padding")
    if padding == b"VALID":
        return [0, 0, 0, 0]
    if padding == b"EXPLICIT":
        borders = list(op.get_attr("explicit_paddings"))
        return [borders[2], borders[4], borders[3], borders[5]]
    before, after = [], []
    shape, strides = builder.shape(op.inputs[0]), _spatial(op, "strides")
    for axis, side, stride, dilation in zip(_SPATIAL, sides, strides, dilations, strict=True):
        results = -(-shape[axis] // stride)
        total = max(0, (results - 1) * stride + (side - 1) * dilation + 1 - shape[axis])
        before.append(total // 2)
        after.append(total - total // 2)
    return [*before, *after]


def _pad(builder: GraphBuilder, op: Any) -> None:
    borders = builder.known(op.inputs[1]).astype(np.int64)
    mode = "constant" if op.type != "MirrorPad" else op.get_attr("mode").decode().lower()
    if mode == "symmetric":
        if np.max(borders) > 1:
            raise ModelError("The model pads by repeating more than the edge.", HINT)
        mode = "edge"
    form = builder.form(op.inputs[0])
    if form.planar:
        borders = borders[[0, 3, 1, 2]]
    inputs = [builder.get(op.inputs[0], form), builder.constant(borders.T.ravel())]
    if op.type == "PadV2":
        kind = np.float16 if form.half else None
        inputs.append(builder.constant(builder.known(op.inputs[2]), kind))
    builder.set(op.outputs[0], builder.node("Pad", inputs, mode=mode), form)


def _resize(mode: str) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        source, result = op.inputs[0], op.outputs[0]
        form = Form(planar=True, half=builder.form(source).half)
        before, after = builder.shape(source), builder.shape(result)
        attributes = {"mode": mode, "coordinate_transformation_mode": "asymmetric"}
        if mode == "nearest":
            attributes["nearest_mode"] = "floor"
        if op.get_attr("align_corners") or op.get_attr("half_pixel_centers"):
            is_aligned = op.get_attr("align_corners")
            attributes["coordinate_transformation_mode"] = (
                "align_corners" if is_aligned else "half_pixel"
            )
            if mode == "nearest":
                attributes["nearest_mode"] = "round_prefer_ceil"
        inputs = [builder.get(source, form), ""]
        if all(after[axis] % before[axis] == 0 for axis in _SPATIAL):
            factors = [after[axis] / before[axis] for axis in _SPATIAL]
            inputs.append(builder.constant([1, 1, *factors], np.float32))
        else:
            sizes = [before[0], before[3], after[1], after[2]]
            inputs += ["", builder.constant(sizes, np.int64)]
        builder.set(result, builder.node("Resize", inputs, **attributes), form)

    return emit


def _blocks(kind: str) -> Emit:
    def emit(builder: GraphBuilder, op: Any) -> None:
        _check_channels_last(op)
        form = Form(planar=True, half=builder.form(op.inputs[0]).half)
        side = op.get_attr("block_size")
        name = builder.node(kind, [builder.get(op.inputs[0], form)], blocksize=side)
        builder.set(op.outputs[0], name, form)

    return emit


def _spatial(op: Any, attribute: str) -> list[int]:
    """Return the two spatial values of an attribute of four."""
    return [int(value) for value in op.get_attr(attribute)][1:3]


def _check_channels_last(op: Any) -> None:
    if op.get_attr("data_format") not in (b"NHWC", "NHWC"):
        raise ModelError("The model's images are stored channels first.", HINT)


LAYERS: dict[str, Emit] = {
    "AvgPool": _pool("AveragePool"),
    "Conv2D": _convolution,
    "DepthToSpace": _blocks("DepthToSpace"),
    "DepthwiseConv2dNative": _convolution,
    "FusedBatchNorm": _batch_norm,
    "FusedBatchNormV3": _batch_norm,
    "MaxPool": _pool("MaxPool"),
    "MirrorPad": _pad,
    "Pad": _pad,
    "PadV2": _pad,
    "ResizeBilinear": _resize("linear"),
    "ResizeNearestNeighbor": _resize("nearest"),
    "SpaceToDepth": _blocks("SpaceToDepth"),
}
"""TensorFlow's operations of this kind."""

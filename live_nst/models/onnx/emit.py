"""Write a program of fixed shapes as an ONNX model that computes the same.

The program is taken as it is, not one of its rewritten variants: their transposed convolutions and
blocks gain nothing on a GPU, and CoreML cannot pad by repeating the edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import InferredGraph, fold_static_shapes
from live_nst.models.graph.patterns import has_no_effect
from live_nst.models.onnx.builder import HINT, Form, GraphBuilder
from live_nst.models.onnx.elementwise import ELEMENTWISE
from live_nst.models.onnx.layers import LAYERS, emit_instance_norm
from live_nst.models.onnx.movement import MOVEMENT
from live_nst.models.program import Program
from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.types import Size

OPSET = 17
"""The version of ONNX's operations: old enough for every device, and with all that is needed."""
IR_VERSION = 8
"""The version of the file format that belongs to `OPSET`."""

ImageType = Literal["float32", "uint8"]
"""How frames go in and come out: RGB float32 0..1, or RGB uint8."""
OnnxPrecision = Literal["float32", "float16"]

_OPERATIONS = {**ELEMENTWISE, **LAYERS, **MOVEMENT}
_RESIZING = {"MirrorPad", "Pad", "PadV2", "Slice", "StridedSlice", "ResizeNearestNeighbor"}
_SIZE_HINT = "choose another --size"


@dataclass(frozen=True)
class _Frame:
    """What is special about a frame program: its image type, and the size of its result."""

    size: Size
    images: ImageType


def emit_program(
    program: Program, names: Sequence[str] = (), *, precision: OnnxPrecision = "float32"
) -> Any:
    """Return a program as an `onnx.ModelProto` with the same inputs and outputs.

    Args:
        program: All its inputs have fixed shapes.
        names: Names for its inputs, then for its outputs; its own names if there are none.
        precision: Precision of the convolutions. Inputs, outputs, means and normalizations are
            always float32.

    Raises:
        ModelError: The program has an operation that cannot be written.
    """
    return _Emission(program, names, precision, {}, None).run()


def emit_frame(
    program: Program,
    size: Size,
    *,
    precision: OnnxPrecision = "float32",
    images: ImageType = "float32",
    style: Sequence[NDArray[Any]] | None = None,
) -> Any:
    """Return the frame program at one size as an `onnx.ModelProto`.

    Its first input is "image", RGB `[1, height, width, 3]`, and its output "stylized" has the same
    shape and type. The style tensors are the inputs "style", or "style_0", "style_1" and so on if
    there are several.

    Args:
        program: The frame program, not a variant of it.
        size: (width, height) in pixels.
        precision: As in `emit_program`.
        images: The type of both images.
        style: Style tensors that become part of the model; None if they are inputs.

    Raises:
        ModelError: The program cannot be written, or cannot run at that size.
    """
    width, height = size
    tensors = program.inputs[1:]
    shaped = replace(program, input_shapes=((1, height, width, 3), *program.input_shapes[1:]))
    styles = ["style"] if len(tensors) == 1 else [f"style_{i}" for i in range(len(tensors))]
    fixed = {} if style is None else dict(zip(tensors, style, strict=True))
    frame = _Frame(size, images)
    return _Emission(shaped, ["image", *styles, "stylized"], precision, fixed, frame).run()


class _Emission:
    """Writes one program, operation by operation."""

    def __init__(
        self,
        program: Program,
        names: Sequence[str],
        precision: OnnxPrecision,
        fixed: Mapping[str, NDArray[Any]],
        frame: _Frame | None,
    ) -> None:
        self._program = program
        outputs = [name.partition(":")[0] for name in program.outputs]
        names = list(names) or [*program.inputs, *outputs]
        self._input_names = dict(zip(program.inputs, names, strict=False))
        self._output_names = names[len(program.inputs) :]
        self._frame = frame
        self._fixed = fixed
        self._graph = InferredGraph(_with_constants(program, fixed), None)
        self._builder = GraphBuilder(self._graph, precision == "float16")

    def run(self) -> Any:
        """Return the model."""
        from onnx import helper

        inputs = [self._add_input(name) for name in self._program.inputs if name not in self._fixed]
        for op in self._graph.operations:
            if op.type != "Placeholder" and not all(map(self._builder.is_known, op.outputs)):
                self._add(op)
        outputs = []
        for name, tensor_name in zip(self._output_names, self._program.outputs, strict=True):
            outputs.append(self._add_output(name, self._graph.tensor(tensor_name)))
        nodes = _needed(self._builder.nodes, {output.name for output in outputs})
        used = {name for node in nodes for name in node.input}
        constants = [each for each in self._builder.initializers if each.name in used]
        graph = helper.make_graph(nodes, "program", inputs, outputs, constants)
        return helper.make_model(
            graph,
            producer_name="live-nst",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )

    def _add(self, op: Any) -> None:
        """Add what computes the same as one operation of the program."""
        if op.type in _RESIZING and has_no_effect(op, self._graph):
            self._builder.copy(op.outputs[0], op.inputs[0])
        elif op.type in ("Add", "AddV2") and emit_instance_norm(self._builder, op):
            pass
        elif op.type in _OPERATIONS:
            _OPERATIONS[op.type](self._builder, op)
        else:
            raise ModelError(f"The model's operation {op.type} cannot be written as ONNX.", HINT)

    def _add_input(self, name: str) -> Any:
        """Store an input, and return its description."""
        builder, tensor = self._builder, self._graph.tensor(f"{name}:0")
        new_name, shape = self._input_names[name], builder.shape(tensor)
        if name != self._program.inputs[0] or self._frame is None or self._frame.images != "uint8":
            builder.set(tensor, new_name, Form())
            return _describe(new_name, tensor.dtype.as_numpy_dtype, shape)
        # Bytes are moved faster than floats.
        planar = builder.node("Transpose", [new_name], perm=[0, 3, 1, 2])
        floats = builder.cast(planar, np.float32)
        scaled = builder.node("Mul", [floats, builder.constant(1 / 255, np.float32)])
        builder.set(tensor, scaled, Form(planar=True))
        return _describe(new_name, np.uint8, shape)

    def _add_output(self, name: str, tensor: Any) -> Any:
        """Give the tensor its name as an output, and return its description."""
        builder, shape = self._builder, self._builder.shape(tensor)
        kind = tensor.dtype.as_numpy_dtype
        if self._frame is None:
            stored = builder.get(tensor, Form())
        else:
            stored = self._finished_image(tensor)
            shape = [1, self._frame.size[1], self._frame.size[0], 3]
            kind = np.uint8 if self._frame.images == "uint8" else kind
        builder.rename(stored, name)
        return _describe(name, kind, shape)

    def _finished_image(self, tensor: Any) -> str:
        """Add cropping, and for bytes rounding, to the stylized image."""
        builder, frame = self._builder, self._frame
        assert frame is not None
        width, height = frame.size
        shape = builder.shape(tensor)
        if len(shape) != 4 or shape[1] < height or shape[2] < width or shape[3] != 3:
            raise ModelError(
                f"The model cannot run at {width}x{height}: its output has the shape {shape}",
                _SIZE_HINT,
            )
        if frame.images == "float32":
            name, axes = builder.get(tensor, Form()), [1, 2]
        else:
            name, axes = builder.get(tensor, Form(planar=True)), [2, 3]
        if shape[1:3] != [height, width]:
            limits = ([0, 0], [height, width], axes)
            name = builder.node("Slice", [name, *(builder.constant(e, np.int64) for e in limits)])
        if frame.images == "float32":
            return name
        for kind, value in (("Mul", 255.0), ("Add", 0.5)):
            name = builder.node(kind, [name, builder.constant(value, np.float32)])
        bounds = [builder.constant(bound, np.float32) for bound in (0.0, 255.0)]
        name = builder.cast(builder.node("Clip", [name, *bounds]), np.uint8)
        return builder.node("Transpose", [name], perm=[0, 2, 3, 1])


def _with_constants(program: Program, fixed: Mapping[str, NDArray[Any]]) -> Program:
    """Return a program with its input shapes, and what is known, written into the graph."""
    tf = import_tensorflow()
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(program.graph_def)
    shapes = dict(zip(program.inputs, program.input_shapes, strict=True))
    for node in graph_def.node:
        if node.name in fixed:
            constant = tf.make_tensor_proto(fixed[node.name], node.attr["dtype"].type)
            node.op = "Const"
            node.attr.pop("shape")
            node.attr["value"].tensor.CopyFrom(constant)
        elif node.name in shapes:
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(shapes[node.name]).as_proto())
    folded = fold_static_shapes(graph_def)
    return replace(program, graph=folded.SerializeToString(deterministic=True))


def _needed(nodes: Sequence[Any], names: set[str]) -> list[Any]:
    """Return the nodes that compute `names`, and those before them, in their order."""
    kept = []
    for node in reversed(nodes):
        if names & set(node.output):
            kept.append(node)
            names = names | set(node.input)
    return kept[::-1]


def _describe(name: str, kind: Any, shape: Sequence[int]) -> Any:
    from onnx import helper

    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    return helper.make_tensor_value_info(name, element, list(shape))

"""TensorFlow graphs as data: import, extract, call, copy and change parts of them.

TensorFlow is imported at the first use, which takes seconds; types are therefore `Any`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

from live_nst.models.program import Program
from live_nst.runtime.tensorflow import import_tensorflow

Shape = tuple[int | None, ...]

SHAPE_OPS = frozenset({"Shape", "Size", "Rank"})
"""Operations that depend on the shape of their input and not on its values."""

_IDENTITIES = frozenset({"Identity", "StopGradient"})
_TRIAL_SIZES = ((16, 24), (25, 18))
"""Two different heights and widths, in units of `multiple`; see `InferredGraph`."""
_CONVOLUTION_OPERANDS = {
    "Conv2D": (0, 1),
    "DepthwiseConv2dNative": (0, 1),
    "Conv2DBackpropInput": (1, 2),
}
"""The positions of image and kernel among the inputs of a convolution."""


def import_graph(graph_def: Any) -> Any:
    """Return `graph_def` as a new graph."""
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    return graph


def fold_static_shapes(graph_def: Any) -> Any:
    """Return a copy of a graph in which every known shape is a constant."""
    tf = import_tensorflow()
    graph = import_graph(graph_def)
    folded = type(graph_def)()
    folded.CopyFrom(graph_def)
    for node in folded.node:
        if node.op not in SHAPE_OPS:
            continue
        operation = graph.get_operation_by_name(node.name)
        shape, output = operation.inputs[0].shape, operation.outputs[0]
        if not shape.is_fully_defined():
            continue
        values = {"Shape": shape.as_list(), "Size": shape.num_elements(), "Rank": shape.rank}
        constant = tf.make_tensor_proto(values[node.op], output.dtype, output.shape)
        node.op = "Const"
        del node.input[:]
        node.attr.clear()
        node.attr["dtype"].type = output.dtype.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(constant)
    return folded


def extract_program(graph: Any, inputs: list[Any], outputs: list[Any]) -> Program:
    """Return the part of `graph` between two lists of tensors as a program.

    Args:
        graph: A graph without variables.
        inputs: Tensors that become the placeholders of the program.
        outputs: Tensors that the program computes from them.
    """
    tf = import_tensorflow()
    placeholders = {tensor.name: f"input_{index}" for index, tensor in enumerate(inputs)}
    whole = graph.as_graph_def()
    graph_def = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    for tensor in inputs:
        node = graph_def.node.add(name=placeholders[tensor.name], op="Placeholder")
        node.attr["dtype"].type = tensor.dtype.as_datatype_enum
        node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
    needed = _ancestors(outputs, set(placeholders))
    for op in graph.get_operations():
        if op not in needed:
            continue
        node = graph_def.node.add()
        node.CopyFrom(op.node_def)
        # Control inputs are dropped: without variables, the order of execution does not matter.
        del node.input[:]
        node.input.extend(placeholders.get(t.name, t.name) for t in op.inputs)
    # Each output gets a node of its own, because an input can be an output as well.
    names = [f"output_{index}" for index in range(len(outputs))]
    for name, tensor in zip(names, outputs, strict=True):
        node = graph_def.node.add(name=name, op="Identity")
        node.input.append(placeholders.get(tensor.name, tensor.name))
        node.attr["T"].type = tensor.dtype.as_datatype_enum
    return Program(
        graph=graph_def.SerializeToString(deterministic=True),
        inputs=tuple(placeholders.values()),
        outputs=tuple(f"{name}:0" for name in names),
        input_shapes=tuple(tuple(t.shape.as_list()) for t in inputs),
        input_types=tuple(t.dtype.name for t in inputs),
        output_shapes=tuple(tuple(t.shape.as_list()) for t in outputs),
    )


def _ancestors(outputs: list[Any], stop: set[str]) -> set[Any]:
    """Return the operations that `outputs` need, without those before the tensors in `stop`."""
    seen: set[Any] = set()
    todo = [t.op for t in outputs if t.name not in stop]
    while todo:
        op = todo.pop()
        if op not in seen:
            seen.add(op)
            todo.extend(t.op for t in op.inputs if t.name not in stop)
    return seen


def serialize_graph(graph: Any, outputs: Sequence[str]) -> bytes:
    """Serialize the part of `graph` that the operations named `outputs` need."""
    tf = import_tensorflow()
    part = tf.compat.v1.graph_util.extract_sub_graph(graph.as_graph_def(), list(outputs))
    serialized: bytes = part.SerializeToString(deterministic=True)
    return serialized


def as_function(program: Program, scope: str = "") -> Callable[..., list[Any]]:
    """Return `program` as a function that adds it to the current graph.

    Args:
        program: The program; the function takes its inputs and returns its outputs.
        scope: A prefix for the names of its nodes.
    """
    tf = import_tensorflow()

    def call(*inputs: Any) -> list[Any]:
        mapping = dict(zip(program.inputs, inputs, strict=True))
        graph_def = tf.compat.v1.GraphDef()
        graph_def.CopyFrom(program.graph_def)
        del graph_def.node[:]  # all except the placeholders, which XLA cannot compile
        nodes = (node for node in program.graph_def.node if node.name not in program.inputs)
        graph_def.node.extend(nodes)
        outputs: list[Any] = tf.graph_util.import_graph_def(
            graph_def, input_map=mapping, return_elements=list(program.outputs), name=scope
        )
        return outputs

    return call


def skip_identities(tensor: Any) -> Any:
    """Return the tensor that `tensor` is a copy of; `tensor` itself if it is none."""
    while tensor.op.type in _IDENTITIES:
        tensor = tensor.op.inputs[0]
    return tensor


def cast_convolutions(program: Program, precision: Literal["float16", "bfloat16"]) -> Program:
    """Return `program` with every float32 convolution in half precision.

    Nearly all of the arithmetic is in the convolutions, and matrix units multiply in half
    precision while they add in float32. Everything else stays in float32, because a mean over a
    million pixels needs more than eleven bits. So do the program's inputs and outputs.
    """
    tf = import_tensorflow()
    half, full = tf.as_dtype(precision).as_datatype_enum, tf.float32.as_datatype_enum
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(program.graph_def)

    def cast(name: str, source: str, before: int, after: int) -> str:
        node = graph_def.node.add(name=name, op="Cast", input=[source])
        node.attr["SrcT"].type, node.attr["DstT"].type = before, after
        return name

    for node in program.graph_def.node:
        if node.op in _CONVOLUTION_OPERANDS and node.attr["T"].type == full:
            lower = graph_def.node.add()
            lower.CopyFrom(node)
            lower.name = f"{node.name}/{precision}"
            lower.attr["T"].type = half
            for index in _CONVOLUTION_OPERANDS[node.op]:
                name = f"{node.name}/{precision}_{index}"
                lower.input[index] = cast(name, node.input[index], full, half)
            original = next(each for each in graph_def.node if each.name == node.name)
            graph_def.node.remove(original)
            cast(node.name, lower.name, half, full)
    return replace(program, graph=graph_def.SerializeToString(deterministic=True))


class InferredGraph:
    """The graph of a frame program with the shapes that its tensors have at two frame sizes.

    With two sizes, a side that grows with the frame can be told from one that does not.

    Args:
        program: Its first input is the frame.
        multiple: Height and width of the frame are multiples of this. None for any program whose
            inputs have fixed shapes: these are then the only ones.
    """

    def __init__(self, program: Program, multiple: int | None) -> None:
        self._tf = import_tensorflow()
        self._program = program
        if multiple is None:
            self._graphs = [import_graph(program.graph_def)]
        else:
            self._graphs = [
                self._import([1, height * multiple, width * multiple, 3])
                for height, width in _TRIAL_SIZES
            ]

    @property
    def operations(self) -> list[Any]:
        """All operations, each after those that it depends on."""
        operations: list[Any] = self._graphs[0].get_operations()
        return operations

    def tensor(self, name: str) -> Any:
        """Return the tensor with this name."""
        return self._graphs[0].get_tensor_by_name(name)

    def shapes(self, tensor: Any) -> list[Shape]:
        """Return the shapes of `tensor`, one per size; None for a side that is not known."""
        shapes = [graph.get_tensor_by_name(tensor.name).shape for graph in self._graphs]
        return [(None,) if shape.rank is None else tuple(shape.as_list()) for shape in shapes]

    def constant(self, tensor: Any) -> Any:
        """Return the value of `tensor` as an array; None if it depends on an input."""
        return self._constants.get(tensor.name)

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """The values of all tensors that depend on no input, by name."""
        fixed: list[Any] = []
        known: set[Any] = set()
        for op in self.operations:
            is_stateless = op.type != "Placeholder" and not op.op_def.is_stateful
            if is_stateless and all(t.op in known for t in op.inputs):
                known.add(op)
                fixed += op.outputs
        values = run_on_cpu(self._graphs[0], fixed)
        return {tensor.name: value for tensor, value in zip(fixed, values, strict=True)}

    def add_functions(self) -> None:
        """Add the functions that the graph calls to the current graph."""
        library = self._program.graph_def.library
        whole = self._tf.compat.v1.GraphDef(library=library, versions=self._versions)
        self._tf.graph_util.import_graph_def(whole, name="")

    def copy(self, op: Any, inputs: Sequence[Any]) -> list[Any]:
        """Add a copy of `op` to the current graph, and return its outputs.

        The copy of a placeholder has the shape that the program gives it.
        """
        single = self._tf.compat.v1.GraphDef(versions=self._versions)
        copied = single.node.add()
        copied.CopyFrom(self._nodes[op.name])
        del copied.input[:]
        names = [f"into_{index}" for index in range(len(inputs))]
        copied.input.extend(names)
        outputs: list[Any] = self._tf.graph_util.import_graph_def(
            single,
            input_map=dict(zip(names, inputs, strict=True)),
            return_elements=[t.name for t in op.outputs],
            name="",
        )
        return outputs

    @property
    def _versions(self) -> Any:
        return self._program.graph_def.versions

    @cached_property
    def _nodes(self) -> dict[str, Any]:
        return {node.name: node for node in self._program.graph_def.node}

    def _import(self, frame_shape: list[int]) -> Any:
        """Return the graph with a fixed shape of the frame."""
        graph_def = self._tf.compat.v1.GraphDef()
        graph_def.CopyFrom(self._program.graph_def)
        for node in graph_def.node:
            if node.name == self._program.inputs[0]:
                node.attr["shape"].shape.CopyFrom(self._tf.TensorShape(frame_shape).as_proto())
        return import_graph(graph_def)


def run_on_cpu(graph: Any, tensors: list[Any], feeds: dict[str, Any] | None = None) -> list[Any]:
    """Evaluate tensors of `graph` on the CPU.

    Args:
        graph: The graph.
        tensors: What to evaluate.
        feeds: Arrays for the placeholders, by tensor name.
    """
    tf = import_tensorflow()
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    with tf.compat.v1.Session(graph=graph, config=config) as session:
        values: list[Any] = session.run(tensors, feeds)
    return values

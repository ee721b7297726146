"""What a TensorFlow graph is, seen from outside: shapes, constants, parts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

from live_nst.models.program import Program
from live_nst.runtime.tensorflow import import_tensorflow

Shape = tuple[int | None, ...]

_PROBES = ((16, 24), (25, 18))
"""Heights and widths, in multiples; two of them, so that what follows the size is told apart."""


class InferredGraph:
    """The graph of a frame program with the shapes that it has at several sizes of frame.

    Args:
        program: Its first input is the frame.
        multiple: Height and width are multiples of this.
    """

    def __init__(self, program: Program, multiple: int) -> None:
        self._tf = import_tensorflow()
        self._program = program
        self._graphs = [
            self._imported([1, height * multiple, width * multiple, 3]) for height, width in _PROBES
        ]

    @property
    def operations(self) -> list[Any]:
        """All operations, each after those that it needs."""
        operations: list[Any] = self._graphs[0].get_operations()
        return operations

    def tensor(self, name: str) -> Any:
        """A tensor by its name."""
        return self._graphs[0].get_tensor_by_name(name)

    def shapes(self, tensor: Any) -> list[Shape]:
        """The shapes that `tensor` has; None where a side, or all, is not known."""
        shapes = [graph.get_tensor_by_name(tensor.name).shape for graph in self._graphs]
        return [(None,) if shape.rank is None else tuple(shape.as_list()) for shape in shapes]

    def constant(self, tensor: Any) -> Any:
        """The value of `tensor` as an array; None if it depends on an input."""
        return self._constants.get(tensor.name)

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """All tensors that depend on no input, evaluated."""
        fixed: list[Any] = []
        known: set[Any] = set()
        for op in self.operations:
            stateless = op.type != "Placeholder" and not op.op_def.is_stateful
            if stateless and all(t.op in known for t in op.inputs):
                known.add(op)
                fixed += op.outputs
        with self._tf.compat.v1.Session(
            graph=self._graphs[0],
            config=self._tf.compat.v1.ConfigProto(device_count={"GPU": 0}),
        ) as session:
            values = session.run(fixed)
        return {tensor.name: value for tensor, value in zip(fixed, values, strict=True)}

    def add_functions(self) -> None:
        """Add the functions that the graph calls to the current one."""
        library = self._program.graph_def.library
        whole = self._tf.compat.v1.GraphDef(library=library, versions=self._versions)
        self._tf.graph_util.import_graph_def(whole, name="")

    def copy(self, op: Any, inputs: Sequence[Any]) -> list[Any]:
        """Add a copy of `op` to the current graph, and give its outputs.

        A placeholder gets its free sizes back.
        """
        node = self._nodes[op.name]
        single = self._tf.compat.v1.GraphDef(versions=self._versions)
        copied = single.node.add()
        copied.CopyFrom(node)
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

    def _imported(self, frame: list[int]) -> Any:
        """The graph with the frame's shape fixed."""
        graph_def = self._tf.compat.v1.GraphDef()
        graph_def.CopyFrom(self._program.graph_def)
        for node in graph_def.node:
            if node.name == self._program.inputs[0]:
                node.attr["shape"].shape.CopyFrom(self._tf.TensorShape(frame).as_proto())
        with self._tf.Graph().as_default() as graph:
            self._tf.graph_util.import_graph_def(graph_def, name="")
        return graph


def prune_graph(graph_def: Any, outputs: Sequence[str]) -> Any:
    """The part of a graph that the operations named `outputs` need."""
    tf = import_tensorflow()
    return tf.compat.v1.graph_util.extract_sub_graph(graph_def, list(outputs))


def as_function(program: Program, scope: str = "") -> Callable[..., list[Any]]:
    """`program` as a function of tensors, to be used while tracing.

    Args:
        program: What it computes.
        scope: Stands before the names of its nodes.
    """
    tf = import_tensorflow()

    def call(*inputs: Any) -> list[Any]:
        mapping = dict(zip(program.inputs, inputs, strict=True))
        graph_def = tf.compat.v1.GraphDef()
        graph_def.CopyFrom(program.graph_def)
        del graph_def.node[:]  # all but the inputs, which XLA knows no code for
        nodes = (node for node in program.graph_def.node if node.name not in program.inputs)
        graph_def.node.extend(nodes)
        outputs: list[Any] = tf.graph_util.import_graph_def(
            graph_def, input_map=mapping, return_elements=list(program.outputs), name=scope
        )
        return outputs

    return call


_OPERANDS = {"Conv2D": (0, 1), "DepthwiseConv2dNative": (0, 1), "Conv2DBackpropInput": (1, 2)}
"""Which inputs of a convolution are multiplied: frame and weights."""


def cast_convolutions(program: Program, precision: Literal["float16", "bfloat16"]) -> Program:
    """`program` with both operands and the result of every float32 convolution in `precision`.

    Inputs and outputs stay as they are.
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
        if node.op in _OPERANDS and node.attr["T"].type == full:
            lower = graph_def.node.add()
            lower.CopyFrom(node)
            lower.name = f"{node.name}/{precision}"
            lower.attr["T"].type = half
            for index in _OPERANDS[node.op]:
                name = f"{node.name}/{precision}_{index}"
                lower.input[index] = cast(name, node.input[index], full, half)
            original = next(each for each in graph_def.node if each.name == node.name)
            graph_def.node.remove(original)
            cast(node.name, lower.name, half, full)
    return replace(program, graph=graph_def.SerializeToString(deterministic=True))

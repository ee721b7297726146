"""A frame program whose convolutions compute in half precision, and everything else in float32.

Nearly all of the arithmetic is in the convolutions, and matrix units take their operands in half
precision while they add up in float32. Normalisation, residual sums and what makes levels of the
result stay in float32: means over a million pixels do not survive eleven bits.
"""

from dataclasses import replace
from typing import Literal

from live_nst.engines.runtime import tensorflow
from live_nst.models.program import Program

_OPERANDS = {"Conv2D": (0, 1), "DepthwiseConv2dNative": (0, 1), "Conv2DBackpropInput": (1, 2)}
"""Which inputs of a convolution are multiplied: frame and weights."""


def in_half(program: Program, precision: Literal["float16", "bfloat16"]) -> Program:
    """`program` with both operands and the result of every float32 convolution in `precision`.

    Inputs and outputs stay as they are.
    """
    tf = tensorflow()
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

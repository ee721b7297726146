"""From a SavedModel to the programs that engines run. It takes seconds: the result is kept."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

from live_nst.engines.runtime import tensorflow
from live_nst.models.freeze import freeze
from live_nst.models.graphs import as_function, pruned
from live_nst.models.program import Form, Program, SplitModel
from live_nst.models.rewrite import rewrite
from live_nst.models.split import split


def build_programs(folder: Path) -> SplitModel:
    """Flatten, cut, pack and rewrite the model in `folder`.

    Raises:
        ModelError: It is no model of two pictures, or cannot be cut.
    """
    model = pack(split(freeze(folder)))
    return replace(model, forms={form: rewrite(model.frame, form) for form in get_args(Form)})


def pack(model: SplitModel) -> SplitModel:
    """Join the style tensors, where all are float32, to one of shape `[1, 1, 1, n]`.

    An engine then hands over one tensor per frame instead of dozens.
    """
    shapes, types = model.frame.input_shapes[1:], model.frame.input_types[1:]
    if set(types) != {"float32"}:
        return model
    tf = tensorflow()
    with tf.Graph().as_default() as graph:
        inputs = _placeholders(model.expand)
        parts = as_function(model.expand, "expand")(*inputs)
        packed = tf.concat([tf.reshape(part, [1, 1, 1, -1]) for part in parts], axis=3)
        packed_shape = tuple(packed.shape.as_list())
        tf.identity(packed, name="output_0")
    expand = replace(
        model.expand,
        graph=_serialised(graph),
        outputs=("output_0:0",),
        output_shapes=(packed_shape,),
    )
    frame = replace(
        model.frame,
        inputs=(*model.frame.inputs[:1], "input_1"),
        input_shapes=(model.frame.input_shapes[0], packed_shape),
        input_types=(model.frame.input_types[0], "float32"),
    )
    with tf.Graph().as_default() as graph:
        content, style = _placeholders(frame)
        counts = [part.shape.num_elements() for part in parts]
        pieces = tf.split(style, counts, axis=3)
        shaped = [tf.reshape(p, s) for p, s in zip(pieces, shapes, strict=True)]
        (stylised,) = as_function(model.frame, "frame")(content, *shaped)
        tf.identity(stylised, name="output_0")
    return replace(
        model,
        expand=expand,
        frame=replace(frame, graph=_serialised(graph), outputs=("output_0:0",)),
    )


def _placeholders(program: Program) -> list[object]:
    """The inputs of a program, in the current graph."""
    tf = tensorflow()
    described = zip(program.inputs, program.input_types, program.input_shapes, strict=True)
    return [tf.compat.v1.placeholder(kind, shape, name) for name, kind, shape in described]


def _serialised(graph: object) -> bytes:
    """The part of `graph` that its node output_0 needs."""
    graph_def = pruned(graph.as_graph_def(), ["output_0"])  # type: ignore[attr-defined]
    serialised: bytes = graph_def.SerializeToString(deterministic=True)
    return serialised

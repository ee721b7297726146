"""Cut a module of two pictures into what runs once per style and what runs for every frame.

Only the graph is looked at, never its names. Every tensor that depends on the style and not on
the content belongs to the style part; where those tensors meet the content is the cut. The
frame program takes the content and the cut, so that for one style the cut is computed once.

Inside the style part lies the bottleneck: the tensor with the fewest numbers through which
every path from the style picture to the cut leads (a dominator in the flow graph). In Magenta's
networks gamma and beta of every normalization are affine in it (Ghiasi et al. 2017), so mixing
styles mixes bottlenecks.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from live_nst.errors import SplitError
from live_nst.models.graph.freeze import FrozenGraph, freeze_saved_model
from live_nst.models.graph.graph_def import as_function, prune_graph
from live_nst.models.graph.rewrite import rewrite
from live_nst.models.program import FrameVariant, Program, SplitModel
from live_nst.runtime.tensorflow import import_tensorflow

_SHAPE_OPS = {"Shape", "Size", "Rank"}


def split_model(module: FrozenGraph) -> SplitModel:
    """Cut `module`.

    Raises:
        SplitError: Nothing worth caching depends on the style alone.
    """
    graph = import_graph(_fold_static_shapes(module))
    content, style = (graph.get_operation_by_name(n) for n in (module.content, module.style))
    output = graph.get_tensor_by_name(module.output)
    with_style, with_content = _descendants([style]), _descendants([content])
    style_only, mixed = with_style - with_content, with_style & with_content
    if output.op not in mixed:
        raise SplitError("The model's output does not depend on both pictures.")
    cut = _tensors_between(style_only, mixed)
    _check_worth(cut, style.outputs[0])
    bottleneck = _narrowest(style.outputs[0], cut, style_only) or cut
    return SplitModel(
        encode=extract_program(graph, [style.outputs[0]], bottleneck),
        expand=extract_program(graph, bottleneck, cut),
        frame=extract_program(graph, [content.outputs[0], *cut], [output]),
    )


def import_graph(graph_def: Any) -> Any:
    """`graph_def` as a graph of its own."""
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    return graph


def _fold_static_shapes(module: FrozenGraph) -> Any:
    """The graph with every known shape a constant.

    Else the shape of the style picture, which never changes, would look like a second path
    from the picture around the bottleneck.
    """
    tf = import_tensorflow()
    graph = import_graph(module.graph_def)
    folded = type(module.graph_def)()
    folded.CopyFrom(module.graph_def)
    for node in folded.node:
        if node.op not in _SHAPE_OPS:
            continue
        operation = graph.get_operation_by_name(node.name)
        shape = operation.inputs[0].shape
        if not shape.is_fully_defined():
            continue
        value = {"Shape": shape.as_list(), "Size": shape.num_elements(), "Rank": shape.rank}[
            node.op
        ]
        dtype = operation.outputs[0].dtype
        node.op = "Const"
        del node.input[:]
        node.attr.clear()
        node.attr["dtype"].type = dtype.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(
            tf.make_tensor_proto(value, dtype, operation.outputs[0].shape)
        )
    return folded


def _descendants(operations: Iterable[Any]) -> set[Any]:
    """The operations given and all that take, directly or not, what they give."""
    seen, todo = set(operations), list(operations)
    while todo:
        for tensor in todo.pop().outputs:
            fresh = set(tensor.consumers()) - seen
            seen |= fresh
            todo.extend(fresh)
    return seen


def _tensors_between(before: set[Any], after: set[Any]) -> list[Any]:
    """The tensors made in `before` and used in `after`, in a stable order."""
    tensors = {t.name: t for op in after for t in op.inputs if t.op in before}
    return [tensors[name] for name in sorted(tensors)]


def _check_worth(cut: list[Any], style: Any) -> None:
    """Refuse a cut through which the style picture itself passes."""
    for tensor in cut:
        if _is_picture(tensor, style):
            raise SplitError(
                "The model mixes the style picture with the frame from the first layer on, "
                "so that no part of it could run once per style.",
                "use a model with a style bottleneck, such as --model mobile or --model hub",
            )
        if not tensor.shape.is_fully_defined():
            raise SplitError(f"The model's style tensor {tensor.name} has no fixed size.")


def _is_picture(tensor: Any, style: Any) -> bool:
    """Whether `tensor` is as large as the style picture, or a smaller picture in RGB."""
    if tensor.shape.rank != 4:
        return False
    pixels, channels = tensor.shape[1:3], tensor.shape[3]
    return bool(pixels == style.shape[1:3] or (channels == 3 and pixels.num_elements() != 1))


def _narrowest(style: Any, cut: list[Any], style_only: set[Any]) -> list[Any]:
    """[the smallest float tensor on every path from `style` to `cut`], or [] if none is narrow."""
    limit = sum(tensor.shape.num_elements() for tensor in cut)
    # Operations of a graph are numbered in topological order: imports add inputs first.
    order = {op: index for index, op in enumerate(style.graph.get_operations())}
    candidates = [
        tensor
        for op in style_only
        for tensor in op.outputs
        if tensor.dtype.is_floating
        and tensor.shape.is_fully_defined()
        and tensor.shape.num_elements() < min(limit, style.shape.num_elements())
    ]
    # Of tensors of one size the last: what follows it is closest to affine.
    candidates.sort(key=lambda t: (t.shape.num_elements(), -order[t.op]))
    for tensor in candidates:
        if _dominates(tensor, style, cut, style_only):
            return [tensor]
    return []


def _dominates(tensor: Any, style: Any, cut: list[Any], style_only: set[Any]) -> bool:
    """Whether no tensor of `cut` can be reached from `style` without passing `tensor`."""
    targets = {t.name for t in cut}
    seen, todo = {style.name}, [style]
    while todo:
        current = todo.pop()
        if current.name == tensor.name:
            continue
        if current.name in targets:
            return False
        for op in current.consumers():
            if op in style_only:
                fresh = [t for t in op.outputs if t.name not in seen]
                seen.update(t.name for t in fresh)
                todo.extend(fresh)
    return True


def extract_program(graph: Any, inputs: list[Any], outputs: list[Any]) -> Program:
    """The part of `graph` between `inputs` and `outputs`, the inputs being placeholders."""
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
        # Control inputs are left out: a graph without variables has no order to keep.
        del node.input[:]
        node.input.extend(placeholders.get(t.name, t.name) for t in op.inputs)
    # Outputs get nodes of their own: an input may be an output too, and so may what is used within.
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
    """The operations that `outputs` need, not looking behind the tensors named in `stop`."""
    seen: set[Any] = set()
    todo = [t.op for t in outputs if t.name not in stop]
    while todo:
        op = todo.pop()
        if op not in seen:
            seen.add(op)
            todo.extend(t.op for t in op.inputs if t.name not in stop)
    return seen


def build_programs(folder: Path) -> SplitModel:
    """Flatten, cut, pack and rewrite the model in `folder`.

    Raises:
        ModelError: It is no model of two pictures, or cannot be cut.
    """
    model = pack_style_tensors(split_model(freeze_saved_model(folder)))
    return replace(
        model, variants={form: rewrite(model.frame, form) for form in get_args(FrameVariant)}
    )


def pack_style_tensors(model: SplitModel) -> SplitModel:
    """Join the style tensors, where all are float32, to one of shape `[1, 1, 1, n]`.

    An engine then hands over one tensor per frame instead of dozens.
    """
    shapes, types = model.frame.input_shapes[1:], model.frame.input_types[1:]
    if set(types) != {"float32"}:
        return model
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        inputs = _placeholders(model.expand)
        parts = as_function(model.expand, "expand")(*inputs)
        packed = tf.concat([tf.reshape(part, [1, 1, 1, -1]) for part in parts], axis=3)
        packed_shape = tuple(packed.shape.as_list())
        tf.identity(packed, name="output_0")
    expand = replace(
        model.expand,
        graph=_serialized(graph),
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
        (stylized,) = as_function(model.frame, "frame")(content, *shaped)
        tf.identity(stylized, name="output_0")
    return replace(
        model,
        expand=expand,
        frame=replace(frame, graph=_serialized(graph), outputs=("output_0:0",)),
    )


def _placeholders(program: Program) -> list[object]:
    """The inputs of a program, in the current graph."""
    tf = import_tensorflow()
    described = zip(program.inputs, program.input_types, program.input_shapes, strict=True)
    return [tf.compat.v1.placeholder(kind, shape, name) for name, kind, shape in described]


def _serialized(graph: object) -> bytes:
    """The part of `graph` that its node output_0 needs."""
    graph_def = prune_graph(graph.as_graph_def(), ["output_0"])  # type: ignore[attr-defined]
    serialized: bytes = graph_def.SerializeToString(deterministic=True)
    return serialized

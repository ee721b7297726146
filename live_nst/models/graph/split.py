"""Split a model into the programs that run once per style and the one that runs per frame.

The split uses the graph alone, never the names in it. Every tensor that depends on the style and
not on the content belongs to the style part. The style tensors are those that the rest of the
graph takes from the style part; the frame program is that rest.

The bottleneck is the smallest tensor in the style part through which every path from the style
image to the style tensors leads (a dominator of the flow graph). In Magenta's networks gamma and
beta of every normalization are affine in it (Ghiasi et al. 2017): to mix styles, mix bottlenecks.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from live_nst.errors import ModelError, SplitError
from live_nst.models.graph.freeze import FrozenGraph, freeze_saved_model
from live_nst.models.graph.graph_def import (
    as_function,
    extract_program,
    fold_static_shapes,
    import_graph,
    serialize_graph,
)
from live_nst.models.graph.rewrite import rewrite
from live_nst.models.graph.tile_stages import split_into_stages
from live_nst.models.program import FrameVariant, Program, SplitModel
from live_nst.runtime.tensorflow import import_tensorflow


def build_split_model(folder: Path) -> SplitModel:
    """Build the programs of the SavedModel in `folder`, with all variants and the stages for tiles.

    This takes seconds.

    Raises:
        ModelError: The folder holds no model of two images.
        SplitError: The model cannot be split.
    """
    model = pack_style_tensors(split_model(freeze_saved_model(folder)))
    variants: dict[FrameVariant, Program] = {
        variant: rewrite(model.frame, variant) for variant in get_args(FrameVariant)
    }
    staged = None
    with contextlib.suppress(ModelError):  # most images need no tiles
        staged = split_into_stages(model.frame)
    return replace(model, variants=variants, staged_frame=staged)


def split_model(module: FrozenGraph) -> SplitModel:
    """Split a model in three programs: encode, expand and frame.

    Raises:
        SplitError: No part of the model depends on the style alone.
    """
    # Otherwise the shape of the style image, which never changes, would count as a path from the
    # image to the style tensors that does not lead through the bottleneck.
    graph = import_graph(fold_static_shapes(module.graph_def))
    content, style = (graph.get_operation_by_name(n) for n in (module.content, module.style))
    output = graph.get_tensor_by_name(module.output)
    with_style, with_content = _descendants([style]), _descendants([content])
    style_only, mixed = with_style - with_content, with_style & with_content
    if output.op not in mixed:
        raise SplitError("The model's output does not depend on both images.")
    style_tensors = _tensors_between(style_only, mixed)
    _check_style_tensors(style_tensors, style.outputs[0])
    bottleneck = _find_bottleneck(style.outputs[0], style_tensors, style_only) or style_tensors
    return SplitModel(
        encode=extract_program(graph, [style.outputs[0]], bottleneck),
        expand=extract_program(graph, bottleneck, style_tensors),
        frame=extract_program(graph, [content.outputs[0], *style_tensors], [output]),
    )


def _descendants(operations: Iterable[Any]) -> set[Any]:
    """Return the given operations and all that depend on them."""
    seen, todo = set(operations), list(operations)
    while todo:
        for tensor in todo.pop().outputs:
            fresh = set(tensor.consumers()) - seen
            seen |= fresh
            todo.extend(fresh)
    return seen


def _tensors_between(before: set[Any], after: set[Any]) -> list[Any]:
    """Return the tensors that `before` computes and `after` uses, in a fixed order."""
    tensors = {t.name: t for op in after for t in op.inputs if t.op in before}
    return [tensors[name] for name in sorted(tensors)]


def _check_style_tensors(tensors: list[Any], style: Any) -> None:
    """Raise an error if the style image itself is among the style tensors, or a copy of it."""
    for tensor in tensors:
        if _is_image(tensor, style):
            raise SplitError(
                "The model mixes the style image with the frame from the first layer on, "
                "so that no part of it could run once per style.",
                "use a model with a style bottleneck, such as --model mobile or --model hub",
            )
        if not tensor.shape.is_fully_defined():
            raise SplitError(f"The model's style tensor {tensor.name} has no fixed size.")


def _is_image(tensor: Any, style: Any) -> bool:
    """Return whether `tensor` is as large as the style image, or an RGB image of another size."""
    if tensor.shape.rank != 4:
        return False
    pixels, channels = tensor.shape[1:3], tensor.shape[3]
    # A height of one is that of a kernel 1x1, `[1, 1, channels, 3]`, not of a picture.
    return bool(pixels == style.shape[1:3] or (channels == 3 and 1 not in pixels.as_list()))


def _find_bottleneck(style: Any, style_tensors: list[Any], style_only: set[Any]) -> list[Any]:
    """Return [the bottleneck]; [] if no tensor is smaller than all style tensors together."""
    limit = sum(tensor.shape.num_elements() for tensor in style_tensors)
    # Imports add inputs first: the number of an operation gives its place in the flow.
    order = {op: index for index, op in enumerate(style.graph.get_operations())}
    candidates = [
        tensor
        for op in style_only
        for tensor in op.outputs
        if tensor.dtype.is_floating
        and tensor.shape.is_fully_defined()
        and tensor.shape.num_elements() < min(limit, style.shape.num_elements())
    ]
    # Among tensors of one size the last one is best: what follows it is closest to affine.
    candidates.sort(key=lambda t: (t.shape.num_elements(), -order[t.op]))
    for tensor in candidates:
        if _dominates(tensor, style, style_tensors, style_only):
            return [tensor]
    return []


def _dominates(tensor: Any, style: Any, style_tensors: list[Any], style_only: set[Any]) -> bool:
    """Return whether every path from `style` to a style tensor leads through `tensor`."""
    targets = {t.name for t in style_tensors}
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


def pack_style_tensors(model: SplitModel) -> SplitModel:
    """Join the style tensors to one of shape `[1, 1, 1, n]`, if all are float32.

    An engine then passes one tensor per frame instead of dozens.
    """
    shapes, types = model.frame.input_shapes[1:], model.frame.input_types[1:]
    if set(types) != {"float32"}:
        return model
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        parts = as_function(model.expand, "expand")(*_add_placeholders(model.expand))
        packed = tf.concat([tf.reshape(part, [1, 1, 1, -1]) for part in parts], axis=3)
        packed_shape = tuple(packed.shape.as_list())
        tf.identity(packed, name="output_0")
    expand = replace(
        model.expand,
        graph=serialize_graph(graph, ["output_0"]),
        outputs=("output_0:0",),
        output_shapes=(packed_shape,),
    )
    frame = replace(
        model.frame,
        inputs=(*model.frame.inputs[:1], "input_1"),
        input_shapes=(model.frame.input_shapes[0], packed_shape),
        input_types=(model.frame.input_types[0], "float32"),
        outputs=("output_0:0",),
    )
    with tf.Graph().as_default() as graph:
        content, style = _add_placeholders(frame)
        counts = [part.shape.num_elements() for part in parts]
        pieces = tf.split(style, counts, axis=3)
        shaped = [tf.reshape(p, s) for p, s in zip(pieces, shapes, strict=True)]
        (stylized,) = as_function(model.frame, "frame")(content, *shaped)
        tf.identity(stylized, name="output_0")
    frame = replace(frame, graph=serialize_graph(graph, ["output_0"]))
    return replace(model, expand=expand, frame=frame)


def _add_placeholders(program: Program) -> list[Any]:
    """Add the inputs of a program to the current graph."""
    tf = import_tensorflow()
    inputs = zip(program.inputs, program.input_types, program.input_shapes, strict=True)
    return [tf.compat.v1.placeholder(kind, shape, name) for name, kind, shape in inputs]

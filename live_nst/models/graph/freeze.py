"""A SavedModel of two pictures, as one flat graph without variables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.errors import ModelError
from live_nst.runtime.tensorflow import import_tensorflow, import_tensorflow_hub, quiet_stderr

STYLE_SIDE = 256  # pixels; what Magenta's networks were trained with
_PROBE = (160, 128)  # two different sides, so that the output tells which input it follows


@dataclass(frozen=True)
class FrozenGraph:
    """A graph from a content and a style picture to the stylized one.

    All pictures are float32 RGB 0..1 `[batch, height, width, 3]`.

    Attributes:
        graph_def: The graph; its only inputs are the two placeholders.
        content: Name of the content's placeholder, `[1, None, None, 3]`.
        style: Name of the style's placeholder; its shape is fixed.
        output: Name of the output tensor.
    """

    graph_def: Any
    content: str
    style: str
    output: str


def freeze_saved_model(folder: Path) -> FrozenGraph:
    """Load the SavedModel in `folder` and flatten it.

    The function may be the module's `__call__` (content first, as TF Hub's is called) or its
    default signature; there, the content is the input whose size the output has.

    Raises:
        ModelError: It cannot be loaded, or it is no function of two RGB pictures to one.
    """
    tf = import_tensorflow()
    try:
        with quiet_stderr():
            loaded = import_tensorflow_hub().load(str(folder))
    except Exception as exc:  # of damaged files TensorFlow makes any error, private ones too
        raise ModelError(
            f"{folder} cannot be loaded as a SavedModel: {_first_line(exc)}",
            "use a folder with saved_model.pb and variables/, or --model mobile",
        ) from exc
    try:
        function, specs = _image_function(tf, loaded)
        return _flatten(tf, function, specs)
    except (ValueError, TypeError, tf.errors.OpError) as exc:
        raise ModelError(
            f"{folder} is a SavedModel of another kind: {_first_line(exc)}",
            "live-nst needs a function of a content and a style picture, "
            "called as TF Hub's arbitrary-image-stylization-v1-256 is",
        ) from exc


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]


def _image_function(tf: Any, loaded: Any) -> tuple[Any, list[Any]]:
    """A function of (content, style) in `loaded`, and the specs of the two."""
    if callable(loaded):
        restored = loaded.__call__
        # A module exported with TensorFlow 1 is one concrete function; others hold several.
        for concrete in getattr(restored, "concrete_functions", [restored]):
            specs = _picture_specs(tf, concrete.inputs[: _own_inputs(concrete)])
            if specs:
                return lambda content, style: loaded(content, style), specs
    for signature in getattr(loaded, "signatures", {}).values():
        keywords = signature.structured_input_signature[1]
        specs = _picture_specs(tf, list(keywords.values()))
        if specs:
            return _in_order(tf, _by_keyword(signature, list(keywords)), specs)
    raise ValueError("it has no function of two RGB pictures")


def _own_inputs(concrete: Any) -> int:
    """How many inputs a concrete function has, those that it captured not counted."""
    return len(concrete.inputs) - len(concrete.captured_inputs)


def _by_keyword(signature: Any, names: list[str]) -> Any:
    return lambda *pictures: signature(**dict(zip(names, pictures, strict=True)))


def _picture_specs(tf: Any, inputs: list[Any]) -> list[Any]:
    """Specs of two RGB pictures (batch 1, free sizes kept); empty if `inputs` are not that."""
    if len(inputs) != 2:
        return []
    for tensor in inputs:
        shape = tensor.shape
        if tensor.dtype != tf.float32 or shape.rank != 4 or shape[3] not in (3, None):
            return []
    return [tf.TensorSpec([1, t.shape[1], t.shape[2], 3], tf.float32) for t in inputs]


def _in_order(tf: Any, function: Any, specs: list[Any]) -> tuple[Any, list[Any]]:
    """Content first: a signature's inputs have no order, but the output has the content's size."""
    if _follows_second(tf, function, specs):
        return lambda content, style: function(style, content), specs[::-1]
    return function, specs


def _follows_second(tf: Any, function: Any, specs: list[Any]) -> bool:
    """Whether the output has the size of the second input."""
    sides = [_PROBE, _PROBE[::-1]]
    shapes = [
        [1, spec.shape[1] or height, spec.shape[2] or width, 3]
        for spec, (height, width) in zip(specs, sides, strict=True)
    ]
    output = _picture(tf, function(*(tf.fill(shape, 0.5) for shape in shapes)))
    distances = [abs(output.shape[1] - s[1]) + abs(output.shape[2] - s[2]) for s in shapes]
    return bool(distances[1] < distances[0])


def _picture(tf: Any, result: Any) -> Any:
    """The one picture among what a module returns."""
    pictures = [t for t in tf.nest.flatten(result) if t.shape.rank == 4 and t.shape[3] in (3, None)]
    if len(pictures) != 1:
        raise ValueError(f"it returns {len(pictures)} pictures instead of one")
    return pictures[0]


def _flatten(tf: Any, function: Any, specs: list[Any]) -> FrozenGraph:
    """One graph with all functions inlined and all variables made constants."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    content, style = specs
    style_shape = [1, style.shape[1] or STYLE_SIDE, style.shape[2] or STYLE_SIDE, 3]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def whole(content_picture: Any, style_picture: Any) -> Any:
        return tf.identity(_picture(tf, function(content_picture, style_picture)))

    concrete = whole.get_concrete_function(content, tf.TensorSpec(style_shape, tf.float32))
    with quiet_stderr():
        frozen = convert_variables_to_constants_v2(
            concrete,
            lower_control_flow=False,  # loops stay single operations, which can be cut around
            aggressive_inlining=True,
        )
    content_input, style_input = frozen.inputs
    return FrozenGraph(
        graph_def=frozen.graph.as_graph_def(),
        content=content_input.op.name,
        style=style_input.op.name,
        output=frozen.outputs[0].name,
    )

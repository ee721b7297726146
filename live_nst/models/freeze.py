"""A SavedModel of two pictures, as one flat graph without variables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.engines.runtime import quiet_stderr, tensorflow, tensorflow_hub
from live_nst.errors import ModelError

STYLE_SIDE = 256  # pixels; what Magenta's networks were trained with
_PROBE = (160, 128)  # two different sides, so that the output tells which input it follows


@dataclass(frozen=True)
class FrozenModule:
    """A graph from a content and a style picture to the stylised one.

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


def freeze(folder: Path) -> FrozenModule:
    """Load the SavedModel in `folder` and flatten it.

    The function may be the module's `__call__` (content first, as TF Hub's is called) or its
    default signature; there, the content is the input whose size the output has.

    Raises:
        ModelError: It cannot be loaded, or it is no function of two RGB pictures to one.
    """
    tf = tensorflow()
    try:
        with quiet_stderr():
            loaded = tensorflow_hub().load(str(folder))
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as exc:
        raise ModelError(
            f"{folder} cannot be loaded as a SavedModel: {_first_line(exc)}",
            "use a folder with saved_model.pb and variables/, or --model mobile",
        ) from exc
    try:
        function, specs = _image_function(tf, loaded)
        if not callable(loaded) and _follows_second(tf, function, specs):
            function, specs = _swapped(function), specs[::-1]
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
    """The function of two pictures in `loaded`, called with two tensors, and their specs."""
    restored = getattr(loaded, "__call__", None) if callable(loaded) else None
    for concrete in getattr(restored, "concrete_functions", ()):
        specs = _image_specs(tf, concrete.structured_input_signature)
        if specs:
            # Through the restored function, not the concrete one: that one wants defaults too.
            return lambda first, second: restored(first, second), specs
    signatures = getattr(loaded, "signatures", {})
    for signature in signatures.values():
        names = list(signature.structured_input_signature[1])
        specs = _image_specs(tf, signature.structured_input_signature)
        if specs:
            return lambda first, second: signature(**dict(zip(names, (first, second), strict=True))), specs
    offered = [str(s.structured_input_signature) for s in signatures.values()] or ["none"]
    raise ValueError(f"no function of two RGB pictures among its signatures ({offered[0]:.200})")


def _image_specs(tf: Any, signature: Any) -> list[Any]:
    """The two picture specs of a signature (batch 1, free sizes kept), or an empty list."""
    positional, keywords = signature
    specs = [s for s in (*positional, *keywords.values()) if isinstance(s, tf.TensorSpec)]
    pictures = [
        s for s in specs if s.dtype == tf.float32 and s.shape.rank == 4 and s.shape[3] in (3, None)
    ]
    if len(specs) != 2 or len(pictures) != 2:
        return []
    return [tf.TensorSpec([1, s.shape[1], s.shape[2], 3], tf.float32) for s in pictures]


def _swapped(function: Any) -> Any:
    return lambda first, second: function(second, first)


def _follows_second(tf: Any, function: Any, specs: list[Any]) -> bool:
    """Whether the output has the size of the second input."""
    sides = [_PROBE, _PROBE[::-1]]
    shapes = [
        [1, spec.shape[1] or height, spec.shape[2] or width, 3]
        for spec, (height, width) in zip(specs, sides, strict=True)
    ]
    output = _picture(tf, function(*(tf.fill(shape, 0.5) for shape in shapes)))
    distances = [abs(output.shape[1] - s[1]) + abs(output.shape[2] - s[2]) for s in shapes]
    return distances[1] < distances[0]


def _picture(tf: Any, result: Any) -> Any:
    """The one picture among what a module returns."""
    pictures = [t for t in tf.nest.flatten(result) if t.shape.rank == 4 and t.shape[3] in (3, None)]
    if len(pictures) != 1:
        raise ValueError(f"it returns {len(pictures)} pictures instead of one")
    return pictures[0]


def _flatten(tf: Any, function: Any, specs: list[Any]) -> FrozenModule:
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
        frozen = convert_variables_to_constants_v2(concrete, aggressive_inlining=True)
    content_input, style_input = frozen.inputs
    return FrozenModule(
        graph_def=frozen.graph.as_graph_def(),
        content=content_input.op.name,
        style=style_input.op.name,
        output=frozen.outputs[0].name,
    )

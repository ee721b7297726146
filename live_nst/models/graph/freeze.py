"""Load a SavedModel and flatten it to one graph without functions and variables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.errors import ModelError
from live_nst.runtime.tensorflow import import_tensorflow, import_tensorflow_hub, quiet_stderr

STYLE_SIDE = 256  # pixels; Magenta's networks were trained with this size
_TRIAL_SIDES = (160, 128)  # two different sides tell which input the output has the size of


@dataclass(frozen=True)
class FrozenGraph:
    """A graph that computes the stylized image from a content and a style image.

    All images are float32 RGB 0..1 `[batch, height, width, 3]`.

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

    The model's `__call__` is used, which takes the content first as on TF Hub. A model without
    one has signatures, whose inputs have no order: there, the content is the input whose size
    the output has.

    Raises:
        ModelError: The folder cannot be loaded, or is no function of two RGB images to one.
    """
    tf = import_tensorflow()
    try:
        with quiet_stderr():
            loaded = import_tensorflow_hub().load(str(folder))
    except Exception as exc:  # damaged files make TensorFlow raise errors of any type
        raise ModelError(
            f"{folder} cannot be loaded as a SavedModel: {_first_line(exc)}",
            "use a folder with saved_model.pb and variables/, or --model mobile",
        ) from exc
    try:
        function, specs = _find_function(tf, loaded)
        return _flatten(tf, function, specs)
    except (ValueError, TypeError, tf.errors.OpError) as exc:
        raise ModelError(
            f"{folder} is a SavedModel of another kind: {_first_line(exc)}",
            "use a model with a function of a content and a style image, "
            "like TF Hub's arbitrary-image-stylization-v1-256",
        ) from exc


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]


def _find_function(tf: Any, loaded: Any) -> tuple[Any, list[Any]]:
    """Return a function of (content, style) in `loaded`, and the specs of the two."""
    if callable(loaded):
        restored = loaded.__call__
        # A module exported with TensorFlow 1 is one concrete function; others hold several.
        for concrete in getattr(restored, "concrete_functions", [restored]):
            own_inputs = len(concrete.inputs) - len(concrete.captured_inputs)
            specs = _image_specs(tf, concrete.inputs[:own_inputs])
            if specs:
                return lambda content, style: loaded(content, style), specs
    for signature in getattr(loaded, "signatures", {}).values():
        keywords = signature.structured_input_signature[1]
        specs = _image_specs(tf, list(keywords.values()))
        if specs:
            return _content_first(tf, _by_position(signature, list(keywords)), specs)
    raise ValueError("it has no function of two RGB images")


def _by_position(signature: Any, names: list[str]) -> Any:
    return lambda *images: signature(**dict(zip(names, images, strict=True)))


def _image_specs(tf: Any, inputs: list[Any]) -> list[Any]:
    """Return the specs of two RGB images with batch 1; [] if `inputs` are something else."""
    if len(inputs) != 2:
        return []
    for tensor in inputs:
        shape = tensor.shape
        if tensor.dtype != tf.float32 or shape.rank != 4 or shape[3] not in (3, None):
            return []
    return [tf.TensorSpec([1, t.shape[1], t.shape[2], 3], tf.float32) for t in inputs]


def _content_first(tf: Any, function: Any, specs: list[Any]) -> tuple[Any, list[Any]]:
    """Swap the inputs of `function` if the output has the size of the second one."""
    sides = [_TRIAL_SIDES, _TRIAL_SIDES[::-1]]
    shapes = [
        [1, spec.shape[1] or height, spec.shape[2] or width, 3]
        for spec, (height, width) in zip(specs, sides, strict=True)
    ]
    output = _only_image(tf, function(*(tf.fill(shape, 0.5) for shape in shapes)))
    distances = [abs(output.shape[1] - s[1]) + abs(output.shape[2] - s[2]) for s in shapes]
    if distances[1] < distances[0]:
        return lambda content, style: function(style, content), specs[::-1]
    return function, specs


def _only_image(tf: Any, result: Any) -> Any:
    """Return the image among what a model returns."""
    images = [t for t in tf.nest.flatten(result) if t.shape.rank == 4 and t.shape[3] in (3, None)]
    if len(images) != 1:
        raise ValueError(f"it returns {len(images)} images instead of one")
    return images[0]


def _flatten(tf: Any, function: Any, specs: list[Any]) -> FrozenGraph:
    """Inline all functions, and turn all variables into constants."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    content, style = specs
    style_shape = [1, style.shape[1] or STYLE_SIDE, style.shape[2] or STYLE_SIDE, 3]

    # The names of this function and its arguments become part of the stored programs.
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def whole(content_picture: Any, style_picture: Any) -> Any:
        return tf.identity(_only_image(tf, function(content_picture, style_picture)))

    concrete = whole.get_concrete_function(content, tf.TensorSpec(style_shape, tf.float32))
    with quiet_stderr():
        frozen = convert_variables_to_constants_v2(
            concrete,
            lower_control_flow=False,  # a loop stays one operation, so that it is never cut
            aggressive_inlining=True,
        )
    content_input, style_input = frozen.inputs
    return FrozenGraph(
        graph_def=frozen.graph.as_graph_def(),
        content=content_input.op.name,
        style=style_input.op.name,
        output=frozen.outputs[0].name,
    )

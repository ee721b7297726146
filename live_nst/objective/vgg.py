"""VGG's convolutions as a plain function of a picture and a table of weights.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition" (2015), configurations D (VGG16) and E (VGG19), without the dense layers on top.
Layers are named as Keras names them: `block3_conv4` is the paper's conv3_4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.types import Image

CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""How many convolutions each of the five blocks has."""

CHANNELS = (64, 128, 256, 512, 512)
"""Channels that every convolution of a block gives."""

CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
"""ImageNet's mean blue, green and red, in 0..255: subtracted before the first convolution."""

MIN_SIDE = 16
"""Pixels that a side needs so that block 5, after four poolings, sees anything."""

Tensor = Any
"""A TensorFlow tensor."""


@dataclass(frozen=True, slots=True)
class ConvWeights:
    """The weights of one layer.

    Attributes:
        kernel: `[3, 3, channels in, channels out]`; the first layer's input channels are BGR.
        bias: `[channels out]`.
    """

    kernel: NDArray[np.floating[Any]] | Tensor
    bias: NDArray[np.floating[Any]] | Tensor


@dataclass(frozen=True, slots=True)
class Vgg:
    """A network with its weights.

    Attributes:
        name: "vgg16" or "vgg19".
        layers: Each convolution by its name, in order.
    """

    name: str
    layers: Mapping[str, ConvWeights]


def layer_shapes(name: str) -> dict[str, tuple[int, int]]:
    """(channels in, channels out) of every convolution of the network `name`, in order."""
    shapes: dict[str, tuple[int, int]] = {}
    before = 3
    for block, (count, channels) in enumerate(zip(CONVOLUTIONS[name], CHANNELS, strict=True), 1):
        for number in range(1, count + 1):
            shapes[f"block{block}_conv{number}"] = before, channels
            before = channels
    return shapes


def block_ends(name: str) -> tuple[str, ...]:
    """The last convolution of each block: its activations are those before the pooling."""
    return tuple(f"block{b}_conv{count}" for b, count in enumerate(CONVOLUTIONS[name], 1))


def check_layers(name: str, layers: Iterable[str]) -> tuple[str, ...]:
    """Return `layers` if the network has them all.

    Raises:
        UsageError: It has not.
    """
    known = layer_shapes(name)
    wanted = tuple(layers)
    for layer in wanted:
        if layer not in known:
            raise UsageError(
                f"{name} has no layer {layer!r}.", f"its layers are {', '.join(known)}"
            )
    return wanted


def layer_stride(layer: str) -> int:
    """How many pixels of the picture one position of `layer` stands for, each way."""
    return 1 << (int(layer[len("block")]) - 1)


def receptive_margin(name: str, layers: Iterable[str]) -> int:
    """How many pixels away a pixel can change an activation of `layers`; a multiple of 16.

    A 3x3 convolution in a block of stride s reaches s pixels farther; a pooling of two aligned
    positions reaches no farther than its pair, of which the rounding up takes care.
    """
    wanted = set(layers)
    pixels = deepest = 0
    for layer in layer_shapes(name):
        pixels += layer_stride(layer)
        if layer in wanted:
            deepest = pixels + layer_stride(layer)
    return -(-deepest // MIN_SIDE) * MIN_SIDE


def preprocess(image: Image) -> NDArray[np.float32]:
    """Caffe's form of a picture, as VGG was trained: BGR, 0..255, the mean subtracted.

    Args:
        image: BGR uint8 `[height, width, 3]`.

    Returns:
        float32 `[height, width, 3]`.
    """
    return image.astype(np.float32) - CAFFE_MEAN


def deprocess(picture: NDArray[np.floating[Any]]) -> Image:
    """The picture, BGR uint8 `[height, width, 3]`, whose `preprocess` is nearest to `picture`."""
    image: Image = np.rint(np.clip(picture + CAFFE_MEAN, 0, 255)).astype(np.uint8)
    return image


def place_on_device(vgg: Vgg, device: str, dtype: str) -> Vgg:
    """The network with its weights as tensors on a device, so that no graph carries its own."""
    from live_nst.runtime.tensorflow import import_tensorflow

    tf = import_tensorflow()
    with tf.device(device):
        layers = {
            name: ConvWeights(tf.constant(layer.kernel, dtype), tf.constant(layer.bias, dtype))
            for name, layer in vgg.layers.items()
        }
    return Vgg(vgg.name, layers)


def extract_features(
    vgg: Vgg, picture: Tensor, layers: Iterable[str], pooling: str = "max"
) -> dict[str, Tensor]:
    """Activations, after the ReLU, of some layers.

    Args:
        vgg: The network, its weights in the picture's dtype.
        picture: `preprocess`ed, `[height, width, 3]`, float32 or float64; the sides of the
            activations of block b are the picture's divided by 2^(b-1), rounded down.
        layers: Which ones; nothing beyond the last of them is computed.
        pooling: "max", as VGG was trained, or "avg".

    Returns:
        `[height / stride, width / stride, channels]` for each of `layers`, in the picture's dtype.
    """
    from live_nst.runtime.tensorflow import import_tensorflow

    tf = import_tensorflow()
    pool = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}[pooling]
    wanted = set(layers)
    found: dict[str, Tensor] = {}
    values = picture[None]
    block = "block1"
    for name, layer in vgg.layers.items():
        if len(found) == len(wanted):
            break
        if not name.startswith(block):
            block = name.partition("_")[0]
            values = pool(values, 2, 2, "VALID")
        values = tf.nn.conv2d(values, layer.kernel, 1, "SAME")
        values = tf.nn.relu(tf.nn.bias_add(values, layer.bias))
        if name in wanted:
            found[name] = values[0]
    return found

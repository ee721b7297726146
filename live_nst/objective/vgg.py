"""The convolutions of VGG as a function of an image and a table of weights.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition" (2015), configurations D (VGG16) and E (VGG19), without the dense layers on top.
Layers have Keras' names: `block3_conv4` is the paper's conv3_4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import UsageError
from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.types import Image

CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""The number of convolutions in each of the five blocks."""

CHANNELS = (64, 128, 256, 512, 512)
"""The output channels of the convolutions of each block."""

CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
"""ImageNet's mean blue, green and red, in 0..255: subtracted before the first convolution."""

MIN_SIDE = 16
"""The smallest side of an image, in pixels: block 5 comes after four poolings."""

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
        layers: The weights of each convolution by its name, in order.
    """

    name: str
    layers: Mapping[str, ConvWeights]


def layer_shapes(name: str) -> dict[str, tuple[int, int]]:
    """Return (channels in, channels out) of every convolution of a network, in order."""
    shapes: dict[str, tuple[int, int]] = {}
    channels_in = 3
    for block, (count, channels) in enumerate(zip(CONVOLUTIONS[name], CHANNELS, strict=True), 1):
        for number in range(1, count + 1):
            shapes[f"block{block}_conv{number}"] = channels_in, channels
            channels_in = channels
    return shapes


def block_ends(name: str) -> tuple[str, ...]:
    """Return the last convolution of each block, whose activations the next block pools."""
    return tuple(f"block{b}_conv{count}" for b, count in enumerate(CONVOLUTIONS[name], 1))


def check_layers(name: str, layers: Iterable[str]) -> None:
    """Raise unless the network has all of `layers`.

    Raises:
        UsageError: A layer is missing.
    """
    known = layer_shapes(name)
    for layer in layers:
        if layer not in known:
            raise UsageError(f"{name} has no layer {layer!r}", f"its layers are {', '.join(known)}")


def layer_stride(layer: str) -> int:
    """Return the distance, in pixels of the image, between two positions of a layer."""
    return 1 << (int(layer[len("block")]) - 1)


def receptive_margin(name: str, layers: Iterable[str]) -> int:
    """Return how far away a pixel can change an activation of `layers`, in pixels.

    A 3x3 convolution in a block of stride s adds s pixels. A pooling adds no more than its second
    position, which the rounding up to a multiple of 16 covers.
    """
    wanted = set(layers)
    pixels = deepest = 0
    for layer in layer_shapes(name):
        pixels += layer_stride(layer)
        if layer in wanted:
            deepest = pixels + layer_stride(layer)
    return -(-deepest // MIN_SIDE) * MIN_SIDE


def preprocess(image: Image) -> NDArray[np.float32]:
    """Return an image in the form that VGG was trained with: BGR, 0..255, the mean subtracted.

    Args:
        image: BGR uint8 `[height, width, 3]`.

    Returns:
        float32 `[height, width, 3]`.
    """
    return image.astype(np.float32) - CAFFE_MEAN


def deprocess(values: NDArray[np.floating[Any]]) -> Image:
    """Return the nearest image, BGR uint8, to the inverse of `preprocess`."""
    image: Image = np.rint(np.clip(values + CAFFE_MEAN, 0, 255)).astype(np.uint8)
    return image


def place_on_device(vgg: Vgg, device: str, dtype: str) -> Vgg:
    """Return the network with its weights as tensors on a device, which all graphs share."""
    tf = import_tensorflow()
    with tf.device(device):
        layers = {
            name: ConvWeights(tf.constant(layer.kernel, dtype), tf.constant(layer.bias, dtype))
            for name, layer in vgg.layers.items()
        }
    return Vgg(vgg.name, layers)


def extract_features(
    vgg: Vgg, image: Tensor, layers: Iterable[str], pooling: str = "max"
) -> dict[str, Tensor]:
    """Return the activations of some layers, after the ReLU.

    Args:
        vgg: The network, its weights in the image's dtype.
        image: The result of `preprocess`, `[height, width, 3]`, float32 or float64. The sides of
            the activations of block b are those of the image divided by 2^(b-1), rounded down.
        layers: The layers; nothing beyond the last of them is computed.
        pooling: "max", as VGG was trained, or "avg".

    Returns:
        `[height / stride, width / stride, channels]` for each of `layers`, in the image's dtype.
    """
    tf = import_tensorflow()
    pool = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}[pooling]
    wanted = set(layers)
    features: dict[str, Tensor] = {}
    values = image[None]
    block = "block1"
    for name, layer in vgg.layers.items():
        if len(features) == len(wanted):
            break
        if not name.startswith(block):
            block = name.partition("_")[0]
            values = pool(values, 2, 2, "VALID")
        values = tf.nn.conv2d(values, layer.kernel, 1, "SAME")
        values = tf.nn.relu(tf.nn.bias_add(values, layer.bias))
        if name in wanted:
            features[name] = values[0]
    return features

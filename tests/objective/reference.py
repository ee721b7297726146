"""The loss and its gradient once more: NumPy, float64, written from the formulas, slow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.objective.loss_functions import LossConfig
from live_nst.objective.vgg import CHANNELS, ConvWeights, Vgg, layer_shapes

Array = NDArray[np.float64]


def random_vgg(name: str, seed: int = 0) -> Vgg:
    """A network whose random weights keep activations near one and half of them dead."""
    random = np.random.default_rng(seed)
    layers = {}
    for layer, (before, after) in layer_shapes(name).items():
        scale = np.sqrt(2 / (9 * before)) / (60 if before == 3 else 1)
        layers[layer] = ConvWeights(
            random.normal(0, scale, (3, 3, before, after)).astype(np.float32),
            random.normal(0, 0.1, after).astype(np.float32),
        )
    return Vgg(name, layers)


def windows(values: Array) -> Array:
    """Every 3x3 neighborhood, zeros beyond the border: `[height, width, 9 channels]`."""
    height, width, _ = values.shape
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    shifts = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.concatenate(shifts, axis=2)


def convolve(values: Array, layer: ConvWeights) -> Array:
    kernel = layer.kernel.astype(np.float64).reshape(-1, layer.kernel.shape[3])
    return windows(values) @ kernel + layer.bias.astype(np.float64)


def convolve_back(slope: Array, layer: ConvWeights) -> Array:
    """The gradient for a convolution's input: the convolution with the turned kernel."""
    turned = layer.kernel.astype(np.float64)[::-1, ::-1].transpose(0, 1, 3, 2)
    return windows(slope) @ turned.reshape(-1, turned.shape[3])


def cells(values: Array) -> Array:
    """The 2x2 cells that are pooled: `[height / 2, width / 2, 4, channels]`."""
    height, width = values.shape[0] // 2, values.shape[1] // 2
    cut = values[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    return cut.transpose(0, 2, 1, 3, 4).reshape(height, width, 4, -1)


def pool(values: Array, how: str) -> Array:
    return cells(values).max(axis=2) if how == "max" else cells(values).mean(axis=2)


def pool_back(slope: Array, values: Array, how: str) -> Array:
    four = cells(values)
    if how == "max":
        share = (np.arange(4)[:, None] == four.argmax(axis=2)[:, :, None]).astype(np.float64)
    else:
        share = np.full(four.shape, 0.25)
    spread = (share * slope[:, :, None]).reshape(*four.shape[:2], 2, 2, -1)
    height, width = 2 * four.shape[0], 2 * four.shape[1]
    result = np.zeros_like(values)
    result[:height, :width] = spread.transpose(0, 2, 1, 3, 4).reshape(height, width, -1)
    return result


def activations(vgg: Vgg, picture: Array, how: str = "max") -> dict[str, tuple[Array, Array]]:
    """Input and output, after the ReLU, of every convolution."""
    found = {}
    values = picture
    for name, layer in vgg.layers.items():
        if name.endswith("conv1") and name != "block1_conv1":
            values = pool(values, how)
        result = np.maximum(convolve(values, layer), 0)
        found[name] = values, result
        values = result
    return found


def gradient_of(vgg: Vgg, found: dict[str, Any], slopes: dict[str, Array], how: str) -> Array:
    """The gradient for the picture of a function with these slopes in the layers' outputs."""
    names = list(vgg.layers)
    slope = np.zeros_like(found[names[-1]][1])
    for index in range(len(names) - 1, -1, -1):
        name = names[index]
        _, result = found[name]
        slope = (slope + slopes.get(name, 0.0)) * (result > 0)
        slope = convolve_back(slope, vgg.layers[name])
        if index and name.endswith("conv1"):
            slope = pool_back(slope, found[names[index - 1]][1], how)
    return slope


def loss(
    vgg: Vgg,
    picture: Array,
    content: Array,
    styles: list[tuple[Array, float, Any]],
    config: LossConfig,
) -> tuple[float, dict[str, float], dict[str, float], Array]:
    """Total, content terms, style terms and the gradient; masks are given per layer."""
    found = activations(vgg, picture, config.pooling)
    wanted = activations(vgg, content, config.pooling)
    others = [activations(vgg, style, config.pooling) for style, _, _ in styles]
    slopes: dict[str, Array] = {}
    contents, style_terms = {}, {}
    for layer, weight in config.content_layers.items():
        difference = found[layer][1] - wanted[layer][1]
        scale = config.content_scale / (difference.size if config.content_mean else 1)
        contents[layer] = scale * float((difference**2).sum())
        slopes[layer] = config.alpha * weight * scale * 2 * difference
    for layer, weight in config.style_layers.items():
        style_terms[layer] = 0.0
        features = found[layer][1]
        channels = CHANNELS[int(layer[5]) - 1]
        for seen, (_, share, masks) in zip(others, styles, strict=True):
            other = seen[layer][1].reshape(-1, channels)
            mask = np.ones(features.shape[:2]) if masks is None else masks[layer]
            flat = features.reshape(-1, channels)
            each = mask.reshape(-1, 1) / mask.sum()
            difference = (each * flat).T @ flat - other.T @ other / len(other)
            scale = share * config.style_scale / channels**2
            style_terms[layer] += scale * float((difference**2).sum())
            slope = config.beta * weight * scale * 4 * each * flat @ difference
            slopes[layer] = slopes.get(layer, 0.0) + slope.reshape(features.shape)
    total = config.alpha * sum(w * contents[n] for n, w in config.content_layers.items())
    total += config.beta * sum(w * style_terms[n] for n, w in config.style_layers.items())
    return total, contents, style_terms, gradient_of(vgg, found, slopes, config.pooling)

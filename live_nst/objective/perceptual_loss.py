"""The loss of an image and its gradient, computed at once or tile by tile."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import StyleError, UsageError
from live_nst.objective.image_pyramid import (
    RegionMask,
    StyleTarget,
    find_regions,
    image_size,
    mask_at_layer,
)
from live_nst.objective.loss_functions import (
    LossConfig,
    LossTerms,
    VggImage,
    gram_sum,
    total_variation,
)
from live_nst.objective.tiling import ImageTile, split_into_tiles
from live_nst.objective.vgg import (
    MIN_SIDE,
    Tensor,
    Vgg,
    extract_features,
    layer_shapes,
    layer_stride,
    place_on_device,
    preprocess,
    receptive_margin,
)
from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.types import Image

_NO_TILES = 1 << 30  # pixels


class PerceptualLoss:
    """The loss of images of one size, compared with a content and with styles.

    Source: see `live_nst.objective.loss_functions`; for regions, Gatys et al., "Controlling
    Perceptual Factors in Neural Style Transfer" (2017), section 4: the Gram matrix of a region is
    the mean over the positions, weighted by the mask, which is area-averaged to the layer's size.

    Tiles: Gram matrices and content terms are sums over positions. A first pass adds up the sums of
    all tiles. A second pass computes each tile's share of the gradient, which is the gradient of
    <d style / d Gram, Gram of the tile>. The result is that of the whole image, up to rounding.

    Args:
        vgg: The network that `config` names.
        content: BGR uint8 `[height, width, 3]`, at least 16 pixels each way.
        styles: At least one.
        config: The loss.
        tile: The longest side of a tile's core in pixels; None to compute the image at once.
        device: TensorFlow's name of the device.
        dtype: "float32"; "float64" to verify formulas.

    Raises:
        StyleError: A style image is too small.
        UsageError: The content is too small, or a mask has another size or is black.
    """

    def __init__(
        self,
        vgg: Vgg,
        content: Image,
        styles: Sequence[StyleTarget],
        config: LossConfig,
        *,
        tile: int | None = None,
        device: str = "CPU:0",
        dtype: str = "float32",
    ) -> None:
        self.config = config
        self.shape = content.shape
        self._device, self._dtype = device, np.dtype(dtype)
        self._vgg = place_on_device(vgg, device, dtype)
        self._tile_side = tile or _NO_TILES
        self._margin = receptive_margin(vgg.name, config.layers)
        if min(content.shape[:2]) < MIN_SIDE:
            raise UsageError(*_too_small(content, "content"))
        masks, self._regions = find_regions(styles)
        self._masks = [None if mask is None else self._masks_by_layer(mask) for mask in masks]
        self._weights = [style.weight for style in styles]
        self._tiles = self._split(content)
        self._functions: dict[Any, Any] = {}
        self._grams = [self._style_grams(style.image) for style in styles]
        self._inputs = [self._tile_inputs(preprocess(content), tile) for tile in self._tiles]

    @property
    def tile_count(self) -> int:
        """The number of tiles; 1 if images are computed at once."""
        return len(self._tiles)

    def __call__(self, image: VggImage) -> tuple[LossTerms, VggImage]:
        """Return the loss of an image and the gradient of its total.

        Args:
            image: The result of `preprocess`, in the content's shape.

        Returns:
            The terms, and d total / d image in the image's shape.
        """
        values = image.astype(self._dtype, copy=False)
        compute = self._gradient_at_once if len(self._tiles) == 1 else self._gradient_by_tiles
        content, style, gradient = compute(values)
        variation, slope = total_variation(values)
        if self.config.gamma:
            gradient = gradient + self.config.gamma * slope
        return self._to_terms(content, style, variation), gradient

    def terms(self, image: VggImage) -> LossTerms:
        """Return the loss of an image without the gradient, in a third of the time."""
        values = image.astype(self._dtype, copy=False)
        content, sums = self._statistics(values)
        style = self._style_terms(sums).numpy()
        variation, _ = total_variation(values)
        return self._to_terms(content.tolist(), style.tolist(), variation)

    def _to_terms(
        self, content: Iterable[float], style: Iterable[float], variation: float
    ) -> LossTerms:
        return LossTerms(
            dict(zip(self.config.content_layers, content, strict=True)),
            dict(zip(self.config.style_layers, style, strict=True)),
            variation,
            self.config,
        )

    def _gradient_at_once(self, image: VggImage) -> tuple[list[float], list[float], VggImage]:
        tile = self._tiles[0]

        def run(values: Tensor, *inputs: Tensor) -> Any:
            tf = import_tensorflow()
            with tf.GradientTape() as tape:
                tape.watch(values)
                content, sums = self._tile_statistics(values, inputs, tile)
                style = self._style_terms(sums)
                total = self._weighted_content(content) + self._weighted_style(style)
            return content, style, tape.gradient(total, values)

        function = self._compile(("at once",), run, image, self._inputs[0])
        content, style, gradient = function(image, *self._inputs[0])
        return content.numpy().tolist(), style.numpy().tolist(), gradient.numpy()

    def _gradient_by_tiles(self, image: VggImage) -> tuple[list[float], list[float], VggImage]:
        tf = import_tensorflow()
        content, sums = self._statistics(image)
        with tf.GradientTape() as tape:
            tape.watch(sums)
            style = self._style_terms(sums)
            total = self._weighted_style(style)
        slopes = tape.gradient(total, sums)
        gradient = np.zeros_like(image)
        for tile, inputs in zip(self._tiles, self._inputs, strict=True):

            def run(values: Tensor, *rest: Tensor, tile: ImageTile = tile) -> Any:
                inputs, slopes_in = rest[: -len(slopes)], rest[-len(slopes) :]
                with tf.GradientTape() as tape:
                    tape.watch(values)
                    terms, grams = self._tile_statistics(values, inputs, tile)
                    share = self._weighted_content(terms)
                    for slope, gram in zip(slopes_in, grams, strict=True):
                        share += tf.reduce_sum(slope * gram)
                return tape.gradient(share, values)

            outer = image[tile.rows.outer, tile.columns.outer]
            function = self._compile(("gradient", tile.shape), run, outer, (*inputs, *slopes))
            part = function(outer, *inputs, *slopes).numpy()
            gradient[tile.rows.outer, tile.columns.outer] += part
        return content.tolist(), style.numpy().tolist(), gradient

    def _statistics(self, image: VggImage) -> tuple[NDArray[Any], list[Tensor]]:
        """Return content terms `[layers]`, and Gram sums `[regions, N, N]` by style layer."""
        content: Any = 0.0
        sums: list[Any] = []
        for tile, inputs in zip(self._tiles, self._inputs, strict=True):

            def run(values: Tensor, *inputs: Tensor, tile: ImageTile = tile) -> Any:
                return self._tile_statistics(values, inputs, tile)

            outer = image[tile.rows.outer, tile.columns.outer]
            function = self._compile(("statistics", tile.shape), run, outer, inputs)
            terms, grams = function(outer, *inputs)
            content = content + terms.numpy()
            sums = [a + b for a, b in zip(sums, grams, strict=True)] if sums else list(grams)
        return content, sums

    def _tile_statistics(
        self, values: Tensor, inputs: Sequence[Tensor], tile: ImageTile
    ) -> tuple[Tensor, list[Tensor]]:
        """Return a tile's share of the content terms and Gram sums; called in a graph."""
        tf = import_tensorflow()
        remaining = iter(inputs)
        features = extract_features(self._vgg, values, self.config.layers, self.config.pooling)
        terms = [
            self._content_factor(layer)
            * tf.reduce_sum((_core(features[layer], layer, tile) - next(remaining)) ** 2)
            for layer in self.config.content_layers
        ]
        grams = []
        for layer in self.config.style_layers:
            core = _core(features[layer], layer, tile)
            weights = [None if mask is None else next(remaining) for mask in self._masks]
            grams.append(tf.stack([gram_sum(core, weight) for weight in weights]))
        return tf.stack(terms) if terms else tf.zeros([0], values.dtype), grams

    def _style_terms(self, sums: Sequence[Tensor]) -> Tensor:
        """Return the style term of every layer from its Gram sums, `[style layers]`."""
        tf = import_tensorflow()
        terms = []
        for layer, gram in zip(self.config.style_layers, sums, strict=True):
            channels = layer_shapes(self._vgg.name)[layer][1]
            term = tf.zeros([], gram.dtype)
            for style, region in enumerate(self._regions):
                mean = gram[region] / self._positions(layer, region)
                difference = tf.reduce_sum((mean - self._grams[style][layer]) ** 2)
                term += self._weights[style] * self.config.style_scale / channels**2 * difference
            terms.append(term)
        return tf.stack(terms) if terms else tf.zeros([0], self._dtype)

    def _weighted_content(self, terms: Tensor) -> Tensor:
        weights = np.array([*self.config.content_layers.values()], self._dtype)
        return import_tensorflow().reduce_sum(terms * (self.config.alpha * weights))

    def _weighted_style(self, terms: Tensor) -> Tensor:
        weights = np.array([*self.config.style_layers.values()], self._dtype)
        return import_tensorflow().reduce_sum(terms * (self.config.beta * weights))

    def _content_factor(self, layer: str) -> float:
        channels = layer_shapes(self._vgg.name)[layer][1]
        number = channels * self._positions(layer, None) if self.config.content_mean else 1
        return self.config.content_scale / number

    def _positions(self, layer: str, region: int | None) -> float:
        """Return the number of positions of a layer, or the sum of a region's mask there."""
        masks = None if region is None else self._masks[region]
        if masks is None:
            return float(_count_positions(self.shape, layer))
        with import_tensorflow().init_scope():  # a number, also while a graph is traced
            return float(import_tensorflow().reduce_sum(masks[layer]))

    def _masks_by_layer(self, mask: RegionMask) -> dict[str, Tensor]:
        if mask.shape != self.shape[:2]:
            (height, width), (rows, columns) = self.shape[:2], mask.shape
            raise UsageError(
                f"Invalid mask size {columns}x{rows}: the image has {width}x{height} pixels",
                "use a mask of the same size",
            )
        tf = import_tensorflow()
        return {
            layer: tf.constant(mask_at_layer(mask, layer), self._dtype)
            for layer in self.config.style_layers
        }

    def _style_grams(self, image: Image) -> dict[str, NDArray[Any]]:
        """Return the mean Gram matrix of a style image in every style layer."""
        if min(image.shape[:2]) < MIN_SIDE:
            raise StyleError(*_too_small(image, "style"))
        values = preprocess(image).astype(self._dtype)
        grams: dict[str, Any] = {}
        for tile in self._split(image):
            for layer, core in self._features(values, self.config.style_layers, tile).items():
                gram = gram_sum(core, None) / _count_positions(image.shape, layer)
                grams[layer] = grams.get(layer, 0) + gram.numpy()
        return grams

    def _tile_inputs(self, content: VggImage, tile: ImageTile) -> list[Tensor]:
        """Return what a tile's loss depends on besides its pixels, in the order of its use."""
        values = content.astype(self._dtype)
        inputs = list(self._features(values, self.config.content_layers, tile).values())
        for layer in self.config.style_layers:
            rows, columns = (span.place(layer_stride(layer)) for span in (tile.rows, tile.columns))
            inputs += [mask[layer][rows, columns] for mask in self._masks if mask is not None]
        return inputs

    def _features(
        self, image: VggImage, layers: Mapping[str, float], tile: ImageTile
    ) -> dict[str, Tensor]:
        """Return the activations of a tile's core."""
        outer = image[tile.rows.outer, tile.columns.outer]

        def run(values: Tensor) -> Any:
            features = extract_features(self._vgg, values, layers, self.config.pooling)
            return {layer: _core(features[layer], layer, tile) for layer in layers}

        function = self._compile((tuple(layers), tile.shape), run, outer, ())
        features: dict[str, Tensor] = function(outer)
        return features

    def _compile(self, key: Any, run: Any, image: VggImage, rest: Sequence[Tensor]) -> Any:
        """Return `run` as a graph of fixed shapes on the device; it is traced once per key."""
        if key not in self._functions:
            tf = import_tensorflow()

            def placed(*inputs: Tensor) -> Any:
                with tf.device(self._device):
                    return run(*inputs)

            specs = [tf.TensorSpec(value.shape, self._dtype) for value in (image, *rest)]
            function = tf.function(placed, autograph=False)
            self._functions[key] = function.get_concrete_function(*specs)
        return self._functions[key]

    def _split(self, image: Image) -> list[ImageTile]:
        return split_into_tiles(image.shape[0], image.shape[1], self._tile_side, self._margin)


def _core(activations: Tensor, layer: str, tile: ImageTile) -> Tensor:
    stride = layer_stride(layer)
    return activations[tile.rows.core(stride), tile.columns.core(stride)]


def _count_positions(shape: Sequence[int], layer: str) -> int:
    stride = layer_stride(layer)
    return (shape[0] // stride) * (shape[1] // stride)


def _too_small(image: Image, kind: str) -> tuple[str, str]:
    width, height = image_size(image)
    return (
        f"Invalid {kind} image: {width}x{height} pixels are too small for VGG",
        f"use at least {MIN_SIDE} pixels each way, or a larger --size",
    )

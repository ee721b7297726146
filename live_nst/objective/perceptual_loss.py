"""The loss of a picture and its gradient; whole, or in tiles where memory is short."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import StyleError, UsageError
from live_nst.objective.image_pyramid import RegionMask, StyleTarget, find_regions, mask_at_layer
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

_WHOLE = 1 << 30


class PerceptualLoss:
    """The loss of pictures of one size against a content and its styles.

    Source: see `live_nst.objective.loss_functions`; for regions, Gatys et al., "Controlling Perceptual
    Factors in Neural Style Transfer" (2017), section 4: the Gram matrix of a region is the mean of
    the positions' outer products, weighted by its mask, area-averaged to the layer's size.

    A large picture can be taken in tiles: Gram matrices and content terms are sums over positions,
    so a first pass adds them up, and a second gives each tile's share of the gradient, which is
    that of <d style / d Gram, Gram of the tile>. The result is the whole picture's, up to rounding.

    Args:
        vgg: The network; its name is the form's.
        content: BGR uint8 `[height, width, 3]`, at least 16 pixels each way.
        styles: At least one.
        form: The loss.
        tile: The longest side of a tile's core in pixels; None to take pictures whole.
        device: TensorFlow's name of the device.
        dtype: "float32", or "float64" to check formulas with.

    Raises:
        StyleError: A style picture is too small.
        UsageError: The content is, or a mask has another size or is empty.
    """

    def __init__(
        self,
        vgg: Vgg,
        content: Image,
        styles: Sequence[StyleTarget],
        form: LossConfig,
        *,
        tile: int | None = None,
        device: str = "CPU:0",
        dtype: str = "float32",
    ) -> None:
        self.form = form
        self.shape = content.shape
        self._device, self._dtype = device, np.dtype(dtype)
        self._vgg = place_on_device(vgg, device, dtype)
        self._layers = (*form.content_layers, *form.style_layers)
        self._side = tile or _WHOLE
        self._halo = receptive_margin(vgg.name, self._layers)
        _check_size(content, "content")
        masks, self._regions = find_regions(styles)
        self._masks = [None if mask is None else self._layer_masks(mask) for mask in masks]
        self._weights = [style.weight for style in styles]
        self._tiles = split_into_tiles(content.shape[0], content.shape[1], self._side, self._halo)
        self._functions: dict[Any, Any] = {}
        self._grams = [self._gram_of(style.picture) for style in styles]
        self._inputs = [self._inputs_of(preprocess(content), tile) for tile in self._tiles]

    @property
    def tiles(self) -> int:
        """How many tiles a picture is taken in."""
        return len(self._tiles)

    def __call__(self, picture: VggImage) -> tuple[LossTerms, VggImage]:
        """The loss of a picture and the gradient of its total.

        Args:
            picture: `preprocess`ed, of the content's shape.

        Returns:
            The terms, and d total / d picture in the picture's shape.
        """
        values = picture.astype(self._dtype, copy=False)
        once = self._pass_whole if len(self._tiles) == 1 else self._pass_tiles
        content, style, gradient = once(values)
        variation, slope = total_variation(values)
        if self.form.gamma:
            gradient = gradient + self.form.gamma * slope
        losses = LossTerms(
            dict(zip(self.form.content_layers, content, strict=True)),
            dict(zip(self.form.style_layers, style, strict=True)),
            variation,
            self.form,
        )
        return losses, gradient

    def losses(self, picture: VggImage) -> LossTerms:
        """The terms alone: a third of the time."""
        values = picture.astype(self._dtype, copy=False)
        content, sums = self._statistics(values)
        style = self._style_terms(sums).numpy()
        variation, _ = total_variation(values)
        return LossTerms(
            dict(zip(self.form.content_layers, map(float, content), strict=True)),
            dict(zip(self.form.style_layers, map(float, style), strict=True)),
            variation,
            self.form,
        )

    def _pass_whole(self, picture: VggImage) -> tuple[list[float], list[float], VggImage]:
        tile = self._tiles[0]

        def run(values: Tensor, *inputs: Tensor) -> Any:
            tf = import_tensorflow()
            with tf.GradientTape() as tape:
                tape.watch(values)
                content, sums = self._tile_statistics(values, inputs, tile)
                style = self._style_terms(sums)
                total = self._weigh_content(content) + self._weigh_style(style)
            return content, style, tape.gradient(total, values)

        function = self._function(("whole",), run, picture, self._inputs[0])
        content, style, gradient = function(picture, *self._inputs[0])
        return content.numpy().tolist(), style.numpy().tolist(), gradient.numpy()

    def _pass_tiles(self, picture: VggImage) -> tuple[list[float], list[float], VggImage]:
        tf = import_tensorflow()
        content, sums = self._statistics(picture)
        with tf.GradientTape() as tape:
            tape.watch(sums)
            style = self._style_terms(sums)
            total = self._weigh_style(style)
        slopes = tape.gradient(total, sums)
        gradient = np.zeros_like(picture)
        for tile, own in zip(self._tiles, self._inputs, strict=True):

            def run(values: Tensor, *rest: Tensor, tile: ImageTile = tile) -> Any:
                inputs, given = rest[: -len(slopes)], rest[-len(slopes) :]
                with tf.GradientTape() as tape:
                    tape.watch(values)
                    terms, grams = self._tile_statistics(values, inputs, tile)
                    share = self._weigh_content(terms)
                    for slope, gram in zip(given, grams, strict=True):
                        share += tf.reduce_sum(slope * gram)
                return tape.gradient(share, values)

            outer = picture[tile.rows.outer, tile.columns.outer]
            function = self._function(("gradient", tile.kind), run, outer, (*own, *slopes))
            part = function(outer, *own, *slopes).numpy()
            gradient[tile.rows.outer, tile.columns.outer] += part
        return content.tolist(), style.numpy().tolist(), gradient

    def _statistics(self, picture: VggImage) -> tuple[NDArray[Any], list[Tensor]]:
        """Content terms `[content layers]`, and per style layer the Gram sums `[regions, N, N]`."""
        content: Any = 0.0
        sums: list[Any] = []
        for tile, own in zip(self._tiles, self._inputs, strict=True):

            def run(values: Tensor, *inputs: Tensor, tile: ImageTile = tile) -> Any:
                return self._tile_statistics(values, inputs, tile)

            outer = picture[tile.rows.outer, tile.columns.outer]
            function = self._function(("statistics", tile.kind), run, outer, own)
            terms, grams = function(outer, *own)
            content = content + terms.numpy()
            sums = [a + b for a, b in zip(sums, grams, strict=True)] if sums else list(grams)
        return content, sums

    def _tile_statistics(
        self, values: Tensor, inputs: Sequence[Tensor], tile: ImageTile
    ) -> tuple[Tensor, list[Tensor]]:
        """A tile's share of the content terms and Gram sums, in the graph."""
        given = iter(inputs)
        tf = import_tensorflow()
        found = extract_features(self._vgg, values, self._layers, self.form.pooling)
        terms = [
            self._content_factor(layer)
            * tf.reduce_sum((_core(found[layer], layer, tile) - next(given)) ** 2)
            for layer in self.form.content_layers
        ]
        grams = []
        for layer in self.form.style_layers:
            core = _core(found[layer], layer, tile)
            weights = [None if mask is None else next(given) for mask in self._masks]
            grams.append(tf.stack([gram_sum(core, weight) for weight in weights]))
        return tf.stack(terms) if terms else tf.zeros([0], values.dtype), grams

    def _style_terms(self, sums: Sequence[Tensor]) -> Tensor:
        """The style term of every layer from its Gram sums, `[style layers]`."""
        tf = import_tensorflow()
        terms = []
        for layer, gram in zip(self.form.style_layers, sums, strict=True):
            channels = layer_shapes(self._vgg.name)[layer][1]
            term = tf.zeros([], gram.dtype)
            for style, region in enumerate(self._regions):
                mean = gram[region] / self._positions(layer, region)
                difference = tf.reduce_sum((mean - self._grams[style][layer]) ** 2)
                term += self._weights[style] * self.form.style_scale / channels**2 * difference
            terms.append(term)
        return tf.stack(terms) if terms else tf.zeros([0], self._dtype)

    def _weigh_content(self, terms: Tensor) -> Tensor:
        weights = np.array([*self.form.content_layers.values()], self._dtype)
        return import_tensorflow().reduce_sum(terms * (self.form.alpha * weights))

    def _weigh_style(self, terms: Tensor) -> Tensor:
        weights = np.array([*self.form.style_layers.values()], self._dtype)
        return import_tensorflow().reduce_sum(terms * (self.form.beta * weights))

    def _content_factor(self, layer: str) -> float:
        channels = layer_shapes(self._vgg.name)[layer][1]
        number = channels * self._positions(layer, None) if self.form.content_mean else 1
        return self.form.content_scale / number

    def _positions(self, layer: str, region: int | None) -> float:
        """How many positions of a layer count: all of them, or the sum of a region's mask."""
        masks = None if region is None else self._masks[region]
        if masks is not None:
            with import_tensorflow().init_scope():  # also while a graph is traced: it is a number
                return float(import_tensorflow().reduce_sum(masks[layer]))
        return float(
            (self.shape[0] // layer_stride(layer)) * (self.shape[1] // layer_stride(layer))
        )

    def _layer_masks(self, mask: RegionMask) -> dict[str, Tensor]:
        """A mask at the size of every style layer."""
        (height, width), (rows, columns) = self.shape[:2], mask.shape
        if (height, width) != (rows, columns):
            raise UsageError(
                f"A mask has {columns}x{rows} pixels, the picture {width}x{height}.",
                "give a mask of the picture's size",
            )
        tf = import_tensorflow()
        return {
            layer: tf.constant(mask_at_layer(mask, layer), self._dtype)
            for layer in self.form.style_layers
        }

    def _gram_of(self, picture: Image) -> dict[str, NDArray[Any]]:
        """The mean Gram matrix of a style picture in every style layer."""
        _check_size(picture, "style")
        height, width = picture.shape[:2]
        values = preprocess(picture).astype(self._dtype)
        sums: dict[str, Any] = {}
        for tile in split_into_tiles(height, width, self._side, self._halo):
            found = self._features_of(values, self.form.style_layers, tile)
            for layer, core in found.items():
                positions = (height // layer_stride(layer)) * (width // layer_stride(layer))
                sums[layer] = sums.get(layer, 0) + (gram_sum(core, None) / positions).numpy()
        return sums

    def _inputs_of(self, content: VggImage, tile: ImageTile) -> list[Tensor]:
        """What a tile's loss is computed from besides its pixels, in the order it is used in."""
        values = content.astype(self._dtype)
        inputs = list(self._features_of(values, self.form.content_layers, tile).values())
        for layer in self.form.style_layers:
            rows, columns = (s.place(layer_stride(layer)) for s in (tile.rows, tile.columns))
            inputs += [mask[layer][rows, columns] for mask in self._masks if mask is not None]
        return inputs

    def _features_of(
        self, picture: VggImage, layers: Mapping[str, float], tile: ImageTile
    ) -> dict[str, Tensor]:
        """What the core of a tile looks like to `layers`."""
        outer = picture[tile.rows.outer, tile.columns.outer]

        def run(values: Tensor) -> Any:
            found = extract_features(self._vgg, values, layers, self.form.pooling)
            return {layer: _core(found[layer], layer, tile) for layer in layers}

        result: dict[str, Tensor] = self._function((tuple(layers), tile.kind), run, outer, ())(
            outer
        )
        return result

    def _function(self, key: Any, run: Any, picture: VggImage, rest: Sequence[Tensor]) -> Any:
        """`run` as a graph of fixed shapes on the device, traced once."""
        if key not in self._functions:
            tf = import_tensorflow()

            def placed(*inputs: Tensor) -> Any:
                with tf.device(self._device):
                    return run(*inputs)

            specs = [tf.TensorSpec(value.shape, self._dtype) for value in (picture, *rest)]
            function = tf.function(placed, autograph=False)
            self._functions[key] = function.get_concrete_function(*specs)
        return self._functions[key]


def _core(activations: Tensor, layer: str, tile: ImageTile) -> Tensor:
    step = layer_stride(layer)
    return activations[tile.rows.core(step), tile.columns.core(step)]


def _check_size(picture: Image, what: str) -> None:
    height, width = picture.shape[:2]
    if min(height, width) < MIN_SIDE:
        kind = StyleError if what == "style" else UsageError
        raise kind(
            f"The {what} picture has {width}x{height} pixels: VGG's five blocks see nothing of it.",
            f"use a picture of at least {MIN_SIDE} pixels each way, or a larger --size",
        )

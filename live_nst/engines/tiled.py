"""A picture in tiles: for one that as a whole would not fit in memory.

The frame program is cut in stages (`live_nst.models.graph.tile_stages`); each stage runs over all tiles before
the next one begins. A tile is computed with as much of its surroundings as the stage looks at, and
the statistics of its normalizations are those of the whole picture, so that nothing shows where
tiles meet: the result is that of the whole picture but for the rounding of float32.
"""

import math
import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import psutil

from live_nst.engines.base import Bottleneck, FrameRunner, StylizedFrame
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.engines.tiles import RunningMoments, TileWindow, cut_tiles, room
from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import as_function
from live_nst.models.graph.tile_stages import CONTENT_IMAGE, TileStage, split_into_stages
from live_nst.models.program import SplitModel
from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.types import Image, Precision, Size

TILE = 512
"""Longest side, in pixels, of a tile without its surroundings. Larger ones are no faster, and
TensorFlow's float32 statistics of a tile lose precision."""
MEMORY_SHARE = 0.5
"""How much of the free memory may be taken by what is carried from stage to stage."""
_TRIAL, _TRIAL_TILE = (192, 128), 48
"""Size of the picture, and longest side of its tiles, by which a model is tried."""


class TiledEngine:
    """Runs a split model over pictures of any size; see `live_nst.engines.base.Engine`.

    Args:
        model: The model's three programs.
        device: auto, cpu or gpu.

    Raises:
        DeviceError: A GPU was asked for and TensorFlow can use none.
        ModelError: The model cannot be run in tiles.
    """

    def __init__(self, model: SplitModel, device: str = "auto") -> None:
        self._whole = TensorFlowEngine(model, device)
        self.name = f"{self._whole.name}, in tiles"
        self.device = self._whole.device
        self.precision: Precision = "float32"
        self.style_size = self._whole.style_size
        self.bottleneck_size = self._whole.bottleneck_size
        self._staged = split_into_stages(model.frame)
        self._one_at_a_time = threading.Lock()
        self._functions = [self._function(stage) for stage in self._staged.stages]
        self._try()

    def encode(self, picture: Image) -> Bottleneck:
        """The bottleneck of a BGR uint8 picture of `style_size`, float32 `[n]`."""
        return self._whole.encode(picture)

    def expand(self, bottleneck: Bottleneck) -> tuple[Any, ...]:
        """Gamma, beta and whatever else the frame program takes, on the device."""
        return self._whole.expand(bottleneck)

    def prefetch(self, image: Image) -> None:
        """Nothing: a picture is brought to the device tile by tile."""

    def compile(self, camera: Size, size: Size, tile: int = TILE) -> FrameRunner:
        """The frame program for `camera`-sized frames at network size `size`.

        Raises:
            ModelError: The sides of `size` are no multiples of what the model reduces by.
        """
        multiple = self._staged.multiple
        if size[0] % multiple or size[1] % multiple:
            raise ModelError(
                f"The model cannot paint {size[0]}x{size[1]} in tiles, as the sides are no "
                f"multiples of {multiple}.",
                "choose a smaller --size",
            )
        tiles = list(cut_tiles(size, tile, multiple))

        def run(image: Image, style: Any) -> StylizedFrame:
            content = image
            if camera != size:
                content = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            with self._one_at_a_time:  # it takes all cores, and its share of the memory
                return StylizedFrame(content, self._run(content, style, tiles))

        return run

    def close(self) -> None:
        """Free the device's memory."""
        self._whole.close()

    def carried_bytes(self, size: Size) -> int:
        """The most memory, in bytes, that is taken by what stages of a picture hand on."""
        alive: dict[str, float] = {}
        most = 0.0
        for index, stage in enumerate(self._staged.stages[:-1]):
            for name in stage.outputs:
                alive[name] = 4 * self._staged.channels[name] / self._staged.scales[name] ** 2
            most = max(most, sum(alive.values()))
            self._forget(alive, index)
        return math.ceil(most * size[0] * size[1])

    def _run(self, content: Image, style: Sequence[Any], tiles: list[TileWindow]) -> Image:
        """The stylized picture of `content`."""
        size = (content.shape[1], content.shape[0])
        free = psutil.virtual_memory().available
        on_disk = self.carried_bytes(size) > MEMORY_SHARE * free
        carried: dict[str, Any] = {CONTENT_IMAGE: content}
        statistics: dict[tuple[str, bool], Any] = {}
        for index, stage in enumerate(self._staged.stages):
            made = self._make_room(stage, size, on_disk)
            moments = {name: RunningMoments() for name in stage.subjects}
            constants = [statistics[key] for key in stage.statistics]
            constants += [style[position] for position in stage.styles]
            margin = -(-stage.halo // self._staged.multiple) * self._staged.multiple
            for tile in tiles:
                outer = tile.grown(margin, size)
                pieces = [outer.of(carried[n], self._staged.scales[n]) for n in stage.pictures]
                corner = np.array(tile.inside(outer), np.int32)
                outputs, found = self._functions[index](corner, *pieces, *constants)
                for name, part in zip(stage.outputs, outputs, strict=True):
                    tile.of(made[name], self._staged.scales[name])[:] = part.numpy()
                for total, (mean, variance) in zip(moments.values(), found, strict=True):
                    total.add(tile.pixels, mean.numpy(), variance.numpy())
            for name, total in moments.items():
                statistics[name, False] = total.mean.astype(np.float32)
                statistics[name, True] = total.variance.astype(np.float32)
            carried |= made
            self._forget(carried, index)
        stylized: Image = made[self._staged.stages[-1].outputs[0]]
        return stylized

    def _make_room(self, stage: TileStage, size: Size, on_disk: bool) -> dict[str, Any]:
        """Arrays for what `prefetch` makes."""
        if stage is self._staged.stages[-1]:
            return {stage.outputs[0]: np.empty((size[1], size[0], 3), np.uint8)}
        shapes = {
            name: (
                size[1] // self._staged.scales[name],
                size[0] // self._staged.scales[name],
                self._staged.channels[name],
            )
            for name in stage.outputs
        }
        return {name: room(shape, on_disk=on_disk) for name, shape in shapes.items()}

    def _forget(self, carried: dict[str, Any], index: int) -> None:
        """Drop what no stage after that of number `index` looks at."""
        wanted = {name for stage in self._staged.stages[index + 1 :] for name in stage.pictures}
        for name in carried.keys() - wanted:
            del carried[name]

    def _function(self, stage: TileStage) -> Any:
        """`prefetch` as a function of a window, its pieces of pictures, statistics and style."""
        tf = import_tensorflow()
        body, shapes = as_function(stage.program), stage.program.input_shapes
        pictures = len(stage.pictures)
        styles = pictures + len(stage.statistics)
        last = stage is self._staged.stages[-1]

        def on_tile(window: Any, *inputs: Any) -> Any:
            pieces = [
                _as_content(tf, piece) if name == CONTENT_IMAGE else piece[None]
                for name, piece in zip(stage.pictures, inputs[:pictures], strict=True)
            ]
            means = [
                tf.reshape(each, [side or 1 for side in shape])
                for each, shape in zip(
                    inputs[pictures:styles], shapes[pictures:styles], strict=True
                )
            ]
            whole = dict(zip(stage.outputs, body(*pieces, *means, *inputs[styles:]), strict=True))
            parts = {
                name: TileWindow(*tf.unstack(window)).of(picture[0], self._staged.scales[name])
                for name, picture in whole.items()
            }
            moments = [tf.nn.moments(parts[name], [0, 1]) for name in stage.subjects]
            outputs = [_as_levels(tf, part) if last else part for part in parts.values()]
            return outputs, moments

        specs = [tf.TensorSpec([4], tf.int32)]
        for name, shape in zip(stage.pictures, shapes, strict=False):
            kind = tf.uint8 if name == CONTENT_IMAGE else tf.float32
            specs.append(tf.TensorSpec([None, None, shape[3]], kind))
        for shape in shapes[pictures:styles]:
            specs.append(tf.TensorSpec([math.prod(side or 1 for side in shape)], tf.float32))
        kinds = stage.program.input_types
        specs += [tf.TensorSpec(s, k) for s, k in zip(shapes[styles:], kinds[styles:], strict=True)]
        return self._whole.function(on_tile, specs)

    def _try(self) -> None:
        """Paint a small picture in tiles and as a whole: the two must be the same.

        Raises:
            ModelError: They are not.
        """
        random = np.random.default_rng(0)
        picture = random.integers(0, 256, (_TRIAL[1], _TRIAL[0], 3), np.uint8)
        style = self.expand(random.normal(0, 0.5, self.bottleneck_size).astype(np.float32))
        whole = self._whole.compile(_TRIAL, _TRIAL)(picture, style).stylized
        tiled = self.compile(_TRIAL, _TRIAL, _TRIAL_TILE)(picture, style).stylized
        if int(np.abs(whole.astype(np.int16) - tiled).max()) > 1:
            raise ModelError(
                "This model paints a picture in tiles otherwise than as a whole.",
                "choose a smaller --size, or --model mobile",
            )


def _as_content(tf: Any, piece: Any) -> Any:
    """A BGR uint8 piece as what the network takes: float32 RGB 0..1 `[1, height, width, 3]`."""
    return tf.cast(piece, tf.float32)[None, :, :, ::-1] * np.float32(1 / 255)


def _as_levels(tf: Any, picture: Any) -> Any:
    """Float RGB 0..1 as BGR uint8, rounded."""
    levels = picture[:, :, ::-1] * np.float32(255) + 0.5
    return tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)

"""Run a frame program in tiles, for images that would not fit in memory as a whole.

The program is cut into stages (see `live_nst.models.program.StagedProgram`). A stage runs on all
tiles before the next one begins, and every tile comes with as much of its surroundings as the
stage reads. The statistics of normalizations are those of the whole image. So no seams show: the
result is that of the whole image, except for the rounding of float32.
"""

import math
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Engine, FrameRunner, ProgramRunner, Shape, StylizedFrame
from live_nst.engines.tile_windows import TileWindow, cut_tiles
from live_nst.errors import ModelError
from live_nst.models.program import CONTENT_IMAGE, Program, SplitModel, StagedProgram, TileStage
from live_nst.runtime.machine import free_memory
from live_nst.types import Image, Size

TILE = 512
"""Longest side of a tile in pixels, without its surroundings. Larger ones are no faster."""
MEMORY_SHARE = 0.5
"""How much of the free memory the feature maps between stages may take."""
_MAX_CHANNELS = 64  # OpenCV supports 128 to 512, depending on its version
_TRIAL, _TRIAL_TILE = (192, 128), 48
"""Size of the image, and longest side of its tiles, with which a model is tried."""


class TiledNetwork:
    """Runs the frame program of a model in tiles, in float32, on any engine.

    Args:
        model: The model's programs.
        engine: Computes the tiles; stays open.

    Raises:
        ModelError: The model cannot run in tiles.
    """

    def __init__(self, model: SplitModel, engine: Engine) -> None:
        self._model = model
        self._engine = engine
        self._plan = model.staged_frame or _cut_now(model.frame)
        self._compiled: dict[int, tuple[Size, ProgramRunner]] = {}
        # An image takes all cores and its share of the memory, so only one runs at a time.
        self._lock = threading.Lock()
        self._check()

    def compile(self, camera: Size, size: Size, tile: int = TILE) -> FrameRunner:
        """Return the frame program for `camera`-sized images at network size `size`.

        Where its sides are no multiples of what the stages need, the image is extended at the right
        and at the bottom by reflection, and cropped at the end. Networks that need such sides do
        the same by themselves.
        """
        multiple = self._plan.multiple
        width, height = size
        right, bottom = -width % multiple, -height % multiple
        tiles = list(cut_tiles((width + right, height + bottom), tile, multiple))

        def run(image: Image, style: Sequence[Any]) -> StylizedFrame:
            content = image
            if camera != size:
                content = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            extended = content
            if right or bottom:
                border = cv2.BORDER_REFLECT_101
                extended = cv2.copyMakeBorder(content, 0, bottom, 0, right, border)  # type: ignore[assignment]
            with self._lock:
                stylized = self._run(extended, style, tiles)
            return StylizedFrame(content, np.ascontiguousarray(stylized[:height, :width]))

        return run

    def buffer_bytes(self, size: Size) -> int:
        """Return the most memory that the feature maps between stages take, in bytes."""
        alive: dict[str, float] = {}
        most = 0.0
        for index, stage in enumerate(self._plan.stages[:-1]):
            for name in stage.outputs:
                alive[name] = 4 * self._plan.channels[name] / self._plan.scales[name] ** 2
            most = max(most, sum(alive.values()))
            self._drop_unused(alive, index)
        return math.ceil(most * size[0] * size[1])

    def _run(self, content: Image, style: Sequence[Any], tiles: list[TileWindow]) -> Image:
        """Return the stylized image."""
        size = (content.shape[1], content.shape[0])
        on_disk = self.buffer_bytes(size) > MEMORY_SHARE * free_memory()
        feature_maps: dict[str, NDArray[Any]] = {CONTENT_IMAGE: content}
        statistics: dict[tuple[str, bool], NDArray[np.float64]] = {}
        *_, last = self._plan.stages
        for index, stage in enumerate(self._plan.stages):
            if stage is last:
                feature_maps[last.outputs[0]] = np.empty(content.shape, np.uint8)
            else:
                for name in stage.outputs:
                    feature_maps[name] = allocate(self._shape(name, size), on_disk=on_disk)
            constants = self._constants(stage, statistics, style)
            for name, moments in self._run_stage(index, tiles, feature_maps, constants).items():
                statistics[name, False], statistics[name, True] = moments.mean, moments.variance
            self._drop_unused(feature_maps, index)
        return feature_maps[last.outputs[0]]

    def _run_stage(
        self,
        index: int,
        tiles: list[TileWindow],
        feature_maps: dict[str, NDArray[Any]],
        constants: list[Any],
    ) -> "dict[str, RunningMoments]":
        """Run one stage on all tiles: fill its outputs, and return their statistics."""
        stage, multiple = self._plan.stages[index], self._plan.multiple
        size = (tiles[-1].right, tiles[-1].bottom)
        margin = math.ceil(stage.halo / multiple) * multiple
        # All tiles have one size, as an engine is fastest at a fixed one.
        width = min(size[0], max(tile.right - tile.left for tile in tiles) + 2 * margin)
        height = min(size[1], max(tile.bottom - tile.top for tile in tiles) + 2 * margin)
        run = self._runner(index, (width, height))
        moments = {name: RunningMoments() for name in stage.measured}
        for tile in tiles:
            outer = tile.surroundings(margin, (width, height), size)
            inner = tile.inside(outer)
            pieces = [
                _as_input(outer.of(feature_maps[name], self._plan.scales[name]))
                for name in stage.feature_maps
            ]
            for name, output in zip(stage.outputs, run(*pieces, *constants), strict=True):
                scale = self._plan.scales[name]
                part = inner.of(output[0], scale)
                target = tile.of(feature_maps[name], scale)
                target[:] = part if target.dtype == np.float32 else _to_uint8(part)
                if name in moments:
                    moments[name].add(part)
        return moments

    def _runner(self, index: int, size: Size) -> ProgramRunner:
        """Return a stage compiled for tiles of `size`; only the last size is kept."""
        if index not in self._compiled or self._compiled[index][0] != size:
            stage = self._plan.stages[index]
            shapes: list[Shape] = [(1, *self._shape(name, size)) for name in stage.feature_maps]
            shapes += map(_filled, stage.program.input_shapes[len(shapes) :])
            self._compiled[index] = size, self._engine.compile_program(stage.program, shapes)
        return self._compiled[index][1]

    def _constants(
        self, stage: TileStage, statistics: dict[tuple[str, bool], Any], style: Sequence[Any]
    ) -> list[Any]:
        """Return the inputs of a stage that are the same for all tiles."""
        shapes = stage.program.input_shapes[len(stage.feature_maps) :]
        means = [
            statistics[key].astype(np.float32).reshape(_filled(shape))
            for key, shape in zip(stage.statistics, shapes, strict=False)
        ]
        return [*means, *(style[position] for position in stage.styles)]

    def _shape(self, name: str, size: Size) -> tuple[int, int, int]:
        scale = self._plan.scales[name]
        return size[1] // scale, size[0] // scale, self._plan.channels.get(name, 3)

    def _drop_unused(self, feature_maps: dict[str, Any], index: int) -> None:
        """Drop the feature maps that no stage after number `index` needs."""
        last = len(self._plan.stages) - 1
        needed = {name for stage in self._plan.stages[index + 1 :] for name in stage.feature_maps}
        for name in feature_maps.keys() - needed if index < last else ():
            del feature_maps[name]

    def _check(self) -> None:
        """Stylize a small image in tiles and as a whole.

        Raises:
            ModelError: The results differ.
        """
        random = np.random.default_rng(0)
        image = random.integers(0, 256, (_TRIAL[1], _TRIAL[0], 3), np.uint8)
        bottleneck = random.normal(0, 0.5, self._engine.bottleneck_size).astype(np.float32)
        style = self._engine.expand(bottleneck)
        frame = self._model.frame
        shapes = [(1, *image.shape), *map(_filled, frame.input_shapes[1:])]
        run = self._engine.compile_program(frame, shapes)
        whole = _to_uint8(run(_as_input(image), *style)[0][0])
        tiled = self.compile(_TRIAL, _TRIAL, _TRIAL_TILE)(image, style).stylized
        if int(np.abs(whole.astype(np.int16) - tiled).max()) > 1:
            raise ModelError(
                "This model stylizes an image in tiles differently than as a whole.",
                "choose a smaller --size, or --model mobile",
            )


class RunningMoments:
    """Mean and variance per channel of an image that arrives in parts, in float64.

    Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for computing
    sample variances". They avoid the difference of two large sums, which would lose precision.

    Attributes:
        mean: Mean of the parts so far, `[channels]`.
        variance: Variance of the parts so far, divided by their count.
    """

    def __init__(self) -> None:
        self._count = 0
        self.mean: NDArray[np.float64] = np.zeros(())
        self.variance: NDArray[np.float64] = np.zeros(())

    def add(self, part: NDArray[np.float32]) -> None:
        """Add a part `[height, width, channels]`."""
        height, width, channels = part.shape
        groups = [part[..., c : c + _MAX_CHANNELS] for c in range(0, channels, _MAX_CHANNELS)]
        pairs = [cv2.meanStdDev(group) for group in groups]
        mean, deviation = (np.concatenate(each).ravel() for each in zip(*pairs, strict=True))
        share = height * width / (self._count + height * width)
        delta = mean - self.mean
        self.variance = (
            (1 - share) * self.variance + share * deviation**2 + share * (1 - share) * delta**2
        )
        self.mean = self.mean + share * delta
        self._count += height * width


def allocate(shape: tuple[int, ...], *, on_disk: bool) -> NDArray[np.float32]:
    """Return an uninitialized array, in memory or in a temporary file that is deleted with it.

    Raises:
        ModelError: There is not enough memory or disk space.
    """
    size = 4 * math.prod(shape)
    try:
        if not on_disk:
            return np.empty(shape, np.float32)
        with tempfile.TemporaryFile() as file:
            # A mapped file that meets a full disk later kills the process: reserve all of it now.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            elif shutil.disk_usage(tempfile.gettempdir()).free < size:
                raise OSError("the disk is full")
            return np.memmap(file, np.float32, "w+", shape=shape)
    except (OSError, MemoryError) as exc:
        place = f"disk space in {tempfile.gettempdir()}" if on_disk else "memory"
        raise ModelError(
            f"Not enough {place}: the picture needs {size / 1e9:.1f} GB.",
            "choose a smaller --size, or set TMPDIR to a folder with more space",
        ) from exc


def _cut_now(frame: Program) -> StagedProgram:
    """Cut a frame program that was stored without stages; this imports TensorFlow."""
    from live_nst.models.graph.tile_stages import split_into_stages

    return split_into_stages(frame)


def _filled(shape: tuple[int | None, ...]) -> Shape:
    """Return the shape of a statistic or style tensor: what is free in it is the batch, 1."""
    return tuple(side or 1 for side in shape)


def _as_input(piece: NDArray[Any]) -> NDArray[np.float32]:
    """Return `[1, height, width, channels]`; a BGR uint8 image becomes RGB 0..1."""
    if piece.dtype == np.uint8:
        piece = cv2.cvtColor(piece, cv2.COLOR_BGR2RGB).astype(np.float32) * np.float32(1 / 255)
    return np.ascontiguousarray(piece)[None]


def _to_uint8(rgb: NDArray[np.float32]) -> Image:
    """Return an RGB 0..1 image as BGR uint8, rounded."""
    scaled = rgb[..., ::-1] * np.float32(255) + np.float32(0.5)
    image: Image = np.clip(scaled, 0, 255).astype(np.uint8)
    return image

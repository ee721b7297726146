"""The network on pictures of their own: at their full size, in tiles where they are large."""

import threading
from collections.abc import Callable

import cv2
import numpy as np

from live_nst.engines.base import Bottleneck, Engine, FrameRunner, StylizedFrame
from live_nst.models.program import SplitModel
from live_nst.stylizer.sizes import SIZE_MULTIPLE
from live_nst.types import Image, Size

MAX_UNTILED_PIXELS = 4_000_000
"""Larger stills are run in tiles. As a whole they take 215 bytes a pixel, and TensorFlow's own
mean and variance lose precision: at 24 million pixels the variance is off by up to 5%."""


class StillNetwork:
    """Runs a model on pictures of any size; several threads may call it at once.

    Args:
        model: The model's programs.
        engine: Runs what is not too large.
        compile: The engine's frame program for a camera size and a network size.
        notify: Told when pictures first run in tiles, and on what.
    """

    def __init__(
        self,
        model: SplitModel,
        engine: Engine,
        compile: Callable[[Size, Size], FrameRunner],
        notify: Callable[[str], None],
    ) -> None:
        self._model = model
        self._engine = engine
        self._compile = compile
        self._notify = notify
        self._tiled: Engine | None = None
        self._lock = threading.Lock()

    def __call__(self, image: Image, bottleneck: Bottleneck, size: Size | None) -> StylizedFrame:
        """Run the network on one picture.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            bottleneck: The style.
            size: What the network sees, multiples of 4; None for the picture itself.

        Returns:
            Both of `size`, or of the picture's own.

        Raises:
            ModelError: The model cannot be run at that size, or not in tiles.
        """
        if size is not None:
            return self._run(image, bottleneck, size)
        # What the network rounds to is added at the edges, and taken off again.
        padded = _padded(image)
        painted = self._run(padded, bottleneck, (padded.shape[1], padded.shape[0]))
        height, width = image.shape[:2]
        return StylizedFrame(image, np.ascontiguousarray(painted.stylized[:height, :width]))

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        if self._tiled is not None:
            self._tiled.close()

    def _run(self, image: Image, bottleneck: Bottleneck, size: Size) -> StylizedFrame:
        camera = (image.shape[1], image.shape[0])
        if size[0] * size[1] <= MAX_UNTILED_PIXELS:
            engine, runner = self._engine, self._compile(camera, size)
        else:
            engine = self._in_tiles()
            runner = engine.compile(camera, size)
        return runner(np.ascontiguousarray(image), engine.expand(bottleneck))

    def _in_tiles(self) -> Engine:
        """The engine for pictures that are too large to be run as a whole, made when needed."""
        with self._lock:
            if self._tiled is None:
                from live_nst.engines.tiled import TiledEngine

                device = "cpu" if self._engine.device == "cpu" else "gpu"
                self._tiled = TiledEngine(self._model, device)
                self._notify(
                    f"Pictures of more than {MAX_UNTILED_PIXELS // 1_000_000} million pixels run on "
                    f"{self._tiled.name}, on {self._tiled.device}"
                )
            return self._tiled


def _padded(image: Image) -> Image:
    """`image` with sides that are multiples of what networks reduce by, mirrored at the edges."""
    bottom, right = (
        max(16, -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE) - side for side in image.shape[:2]
    )
    if not bottom and not right:
        return image
    return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT)  # type: ignore[return-value]

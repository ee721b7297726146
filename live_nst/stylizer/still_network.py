"""The network on still images: at their full size, in tiles if they are large."""

import threading
from collections.abc import Callable

import cv2
import numpy as np

from live_nst.engines.base import Bottleneck, Engine, FrameRunner, StylizedFrame
from live_nst.engines.tiling import TiledNetwork
from live_nst.models.program import SplitModel
from live_nst.stylizer.sizes import padded_size
from live_nst.types import Image, Notify, Size

MAX_UNTILED_PIXELS = 4_000_000
"""Larger images run in tiles. Untiled they take 215 bytes per pixel, and TensorFlow's own mean and
variance lose precision: at 24 million pixels the variance is wrong by up to 5%."""


class StillNetwork:
    """Runs a model on images of any size. Several threads may call it at once.

    Args:
        model: The model's programs.
        engine: Runs images that are not too large.
        get_runner: Returns the engine's frame program for a frame size and a network size.
        notify: Called when the first image runs in tiles.
    """

    def __init__(
        self,
        model: SplitModel,
        engine: Engine,
        get_runner: Callable[[Size, Size], FrameRunner],
        notify: Notify,
    ) -> None:
        self._model = model
        self._engine = engine
        self._get_runner = get_runner
        self._notify = notify
        self._tiled: TiledNetwork | None = None
        self._lock = threading.Lock()

    def __call__(self, image: Image, style: Bottleneck, size: Size | None) -> StylizedFrame:
        """Run the network on one image.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            style: The bottleneck of the style.
            size: Size that the network sees, multiples of 4; None for the image's own.

        Returns:
            The image before and after the network, of `size` or of the image's own size.

        Raises:
            ModelError: The model cannot run at that size, or not in tiles.
        """
        if size is not None:
            return self._run(image, style, size)
        padded = _pad(image)
        stylized = self._run(padded, style, (padded.shape[1], padded.shape[0]))
        height, width = image.shape[:2]
        return StylizedFrame(image, np.ascontiguousarray(stylized.stylized[:height, :width]))

    def _run(self, image: Image, style: Bottleneck, size: Size) -> StylizedFrame:
        image_size = (image.shape[1], image.shape[0])
        if size[0] * size[1] <= MAX_UNTILED_PIXELS:
            runner = self._get_runner(image_size, size)
        else:
            runner = self._tiled_network().compile(image_size, size)
        return runner(np.ascontiguousarray(image), self._engine.expand(style))

    def _tiled_network(self) -> TiledNetwork:
        """Return the network for large images, created at the first call."""
        with self._lock:
            if self._tiled is None:
                self._tiled = TiledNetwork(self._model, self._engine)
                self._notify(
                    f"Pictures of more than {MAX_UNTILED_PIXELS // 10**6} million pixels run in "
                    "tiles, in float32"
                )
            return self._tiled


def _pad(image: Image) -> Image:
    """Return the image with sides that the network can run, mirrored at the right and bottom."""
    height, width = image.shape[:2]
    padded_width, padded_height = padded_size((width, height))
    bottom, right = padded_height - height, padded_width - width
    if not bottom and not right:
        return image
    return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT)  # type: ignore[return-value]

"""The network on the frames of a video: at a size, in a style, for frames of any size."""

from typing import Any

import numpy as np

from live_nst.engines.base import Bottleneck, DeviceImage, Engine, StylizedFrame
from live_nst.engines.runner_cache import RunnerCache
from live_nst.styles.image import fast_center_crop
from live_nst.stylizer.sizes import check_size, network_size
from live_nst.types import Image, Size


class FrameNetwork:
    """Runs frames through an engine's programs. Several threads may call it at once.

    Args:
        engine: The engine; it stays open.
        runners: The engine's compiled frame programs.
        long_side: Longer side, in pixels, of the image that the network sees.
        style: The style of the first frame, most likely.
    """

    def __init__(
        self, engine: Engine, runners: RunnerCache, long_side: int, style: Bottleneck
    ) -> None:
        self._engine = engine
        self._runners = runners
        self._long_side = long_side
        # Replaced as a whole, never modified: other threads read it without a lock.
        self._expanded: tuple[Bottleneck, Any] = (style, engine.expand(style))

    @property
    def long_side(self) -> int:
        """Longer side, in pixels, of the image that the network sees."""
        return self._long_side

    def __call__(
        self, image: Image, style: Bottleneck, prefetched: DeviceImage | None = None
    ) -> StylizedFrame:
        """Return a frame before and after the network, at the network's size.

        Args:
            image: The frame, BGR uint8 `[height, width, 3]`.
            style: The bottleneck of the style.
            prefetched: The same frame as `Engine.prefetch` returned it.
        """
        frame_size = (image.shape[1], image.shape[0])
        runner = self._runners(frame_size, network_size(frame_size, self._long_side))
        bottleneck, tensors = self._expanded
        if style is not bottleneck:
            tensors = self._engine.expand(style)
            self._expanded = (style, tensors)
        return runner(np.ascontiguousarray(image) if prefetched is None else prefetched, tensors)

    def preview(self, image: Image, style: Bottleneck) -> Image:
        """Return a small image, BGR uint8, in a style beside the one that frames have."""
        own_size = (image.shape[1], image.shape[0])
        runner = self._runners(own_size, network_size(own_size, max(own_size)))
        return runner(np.ascontiguousarray(image), self._engine.expand(style)).stylized

    def encode(self, image: Image, time: float = 0.0) -> Bottleneck:
        """Return the content style of a frame; `time` has no influence."""
        return self._engine.encode(fast_center_crop(image, self._engine.style_size))

    def prepare(self, frame_size: Size, long_side: int) -> None:
        """Compile the program for frames of that size, which takes a moment."""
        self._runners(frame_size, network_size(frame_size, check_size(long_side)))

    def is_compiled(self, frame_size: Size, long_side: int) -> bool:
        """Return whether the program for frames of that size is compiled."""
        return self._runners.is_compiled(frame_size, network_size(frame_size, long_side))

    def resize(self, long_side: int) -> None:
        """Change the longer side of the image that the network sees."""
        self._long_side = check_size(long_side)

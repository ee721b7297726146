"""The frame network as a stylizer uses it: at a size, in a style, for a camera of any size."""

from typing import Any

import numpy as np

from live_nst.engines.base import Bottleneck, DeviceImage, Engine, StylizedFrame
from live_nst.engines.runner_cache import RunnerCache
from live_nst.styles.image import fast_center_crop
from live_nst.stylizer.sizes import check_size, network_size
from live_nst.types import Image, Size


class FrameNetwork:
    """Runs frames through an engine's programs; several threads may call it at once.

    Args:
        engine: Runs it; stays open.
        runners: The engine's frame programs.
        long_side: Of what the network sees, in pixels.
        first: The style of the first frame, most likely.
    """

    def __init__(
        self, engine: Engine, runners: RunnerCache, long_side: int, first: Bottleneck
    ) -> None:
        self._engine = engine
        self._runners = runners
        self._long_side = long_side
        # One attribute, replaced as a whole: threads may read it meanwhile.
        self._expanded: tuple[Bottleneck, Any] = (first, engine.expand(first))

    @property
    def long_side(self) -> int:
        """Of what the network sees, in pixels."""
        return self._long_side

    def __call__(
        self, image: Image, style: Bottleneck, prefetched: DeviceImage | None = None
    ) -> StylizedFrame:
        """What the network makes of a frame.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            style: What to paint it in.
            prefetched: The same frame as the engine staged it.
        """
        camera = (image.shape[1], image.shape[0])
        runner = self._runners(camera, network_size(camera, self._long_side))
        bottleneck, tensors = self._expanded
        if style is not bottleneck:
            tensors = self._engine.expand(style)
            self._expanded = (style, tensors)
        return runner(np.ascontiguousarray(image) if prefetched is None else prefetched, tensors)

    def encode(self, image: Image, time: float = 0.0) -> Bottleneck:
        """The style that a frame is in itself, whatever its time."""
        return self._engine.encode(fast_center_crop(image, self._engine.style_size))

    def prepare(self, camera: Size, size: int) -> None:
        """Get ready for frames of `camera` pixels at the long side `size`, which takes a moment."""
        self._runners(camera, network_size(camera, check_size(size)))

    def is_compiled(self, camera: Size, size: int) -> bool:
        """Whether frames of `camera` pixels can be run at the long side `size` at once."""
        return self._runners.is_compiled(camera, network_size(camera, size))

    def resize(self, size: int) -> None:
        """Change the long side of what the network sees, in pixels."""
        self._long_side = check_size(size)

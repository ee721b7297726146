"""The interface of a mask: where a frame is stylized."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image, Size

AlphaMask = NDArray[np.uint8]
"""uint8 `[height, width]`: 255 shows the stylized image, 0 the frame."""


class MaskProvider(Protocol):
    """Computes the mask of one frame after the other, from one thread at a time.

    Attributes:
        state: What is kept of the frames so far, None if nothing. It may be replaced.
    """

    state: NDArray[Any] | None

    def __call__(self, small: Image, size: Size) -> AlphaMask:
        """Return the mask of the next frame.

        Args:
            small: The frame at the network's size, BGR uint8 `[height, width, 3]`.
            size: (width, height) of the mask in pixels: the frame's own size.
        """
        ...

    def reset(self) -> None:
        """Forget the frames so far; the next one begins another video."""
        ...

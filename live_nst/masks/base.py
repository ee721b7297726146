"""What a mask owes the stylizer: how much of each pixel is painted."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image, Size

AlphaMask = NDArray[np.uint8]
"""One channel, uint8 `[height, width]`: 255 is painted, 0 is not."""


class MaskProvider(Protocol):
    """Gives the mask of one frame after the other.

    It is used from one thread at a time.

    Attributes:
        state: What is kept of the frames so far; None if that is nothing. It may be put back.
    """

    state: NDArray[Any] | None

    def __call__(self, small: Image, size: Size) -> AlphaMask:
        """The mask of the next frame.

        Args:
            small: The frame as the network sees it, BGR uint8 `[height, width, 3]`.
            size: (width, height) of the mask: the camera's.
        """
        ...

    def reset(self) -> None:
        """Forget the frames so far; the next one begins something new."""
        ...

"""The types that all packages share: images, frames, and what can be closed."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""BGR uint8 ``[height, width, 3]``: the format of every image that is passed around."""

Size = tuple[int, int]
"""(width, height) in pixels."""

Precision = Literal["float32", "bfloat16", "float16"]
"""Number format that a network computes in."""

Notify = Callable[[str], None]
"""Called with one sentence for the user."""

DownloadProgress = Callable[[int, int | None], None]
"""Called with the number of bytes done and in all; None if the total is not known."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a video.

    Attributes:
        image: BGR uint8 ``[height, width, 3]``. It must not be modified.
        index: Position in the source, from 0. It increases; a gap means that frames were lost.
        time: Seconds: `time.monotonic()` at the moment of capture for live sources, the
            presentation time for files.
    """

    image: Image
    index: int
    time: float

    @property
    def size(self) -> Size:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


def check_image(image: object) -> Image:
    """Return `image` if it is an image as all functions here take it.

    Raises:
        TypeError: It is not an array, or its dtype is not uint8.
        ValueError: Its shape is not ``[height, width, 3]`` with at least one pixel.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(f"expected a numpy array, got {type(image).__name__}")
    if image.dtype != np.uint8:
        raise TypeError(f"expected dtype uint8 (BGR, 0..255), got {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"expected shape [height, width, 3] (BGR), got {list(image.shape)}")
    return image


class Closeable(ABC):
    """Something that must be closed; a `with` block does it, also after an error."""

    @abstractmethod
    def close(self) -> None:
        """Free all resources. Calling it again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

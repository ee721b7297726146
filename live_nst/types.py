"""The unit that flows from source to sink: a picture, its index and its time."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""BGR uint8 ``[height, width, 3]``: the form of every image at every boundary."""

Size = tuple[int, int]
"""(width, height) in pixels."""

Precision = Literal["float32", "bfloat16", "float16"]
"""What a network computes in."""

Notify = Callable[[str], None]
"""Shows one sentence to the user."""

DownloadProgress = Callable[[int, int | None], None]
"""Takes the number of bytes done, and of bytes in all or None where that is not known."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stream.

    Attributes:
        image: BGR uint8 ``[height, width, 3]``. Nobody writes into it after it was handed on.
        index: Position in the source, from 0. It only grows; a gap means frames that were lost.
        time: Seconds. Live sources give `time.monotonic()` at the moment of capture; files give
            the presentation time.
    """

    image: Image
    index: int
    time: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


def check_image(image: object) -> Image:
    """Return `image` if it keeps the contract, else raise.

    Raises:
        TypeError: It is no array, or its dtype is not uint8.
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
    """Closed at the end of a `with` block, also after an error."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held. Calling it again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

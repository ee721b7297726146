"""Reuse the memory of images, so that a long video needs little more memory than a short one."""

import weakref

import numpy as np

from live_nst.types import Image, Size


class ImagePool:
    """Returns images whose memory is reused as soon as nothing refers to them. Thread-safe.

    Large blocks that one thread allocates and another frees leave gaps in the heap, which then
    grows for hours. Fresh memory from the system costs a millisecond an image.

    Args:
        size: (width, height) of the images.
    """

    def __init__(self, size: Size) -> None:
        self._shape = (size[1], size[0], 3)
        self._free: list[bytearray] = []  # its `append` and `pop` are atomic

    def __call__(self) -> Image:
        """Return an image to fill, BGR uint8 `[height, width, 3]`."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = bytearray(int(np.prod(self._shape)))
        # All views of it, and views of those, keep this array alive.
        owner = np.frombuffer(memory, np.uint8)
        weakref.finalize(owner, self._free.append, memory).atexit = False
        return owner.reshape(self._shape)

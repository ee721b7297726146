"""So that a long film takes little more memory than a short one."""

import weakref

import numpy as np

from live_nst.types import Image, Size


class ImagePool:
    """Gives pictures whose memory comes back by itself, when nothing refers to it any more.

    Megabytes that one thread asks for and another gives back leave holes in the heap, which then
    grows for hours; and what comes fresh from the system costs a millisecond a picture. Any thread
    may call it.

    Args:
        size: (width, height) of the pictures.
    """

    def __init__(self, size: Size) -> None:
        self._shape = (size[1], size[0], 3)
        self._free: list[bytearray] = []  # its `append` and `pop` are atomic

    def __call__(self) -> Image:
        """A picture to be filled, BGR uint8 `[height, width, 3]`."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = bytearray(int(np.prod(self._shape)))
        # Every view of it, and every view of those, keeps this array alive.
        whole = np.frombuffer(memory, np.uint8)
        weakref.finalize(whole, self._free.append, memory).atexit = False
        return whole.reshape(self._shape)

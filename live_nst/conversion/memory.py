"""So that a long film takes little more memory than a short one."""

import ctypes
import sys
import weakref
from functools import cache
from typing import Any

import numpy as np

from live_nst.engines.base import Size
from live_nst.frames import Image

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h


class PicturePool:
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


def give_back() -> None:
    """Give the memory that is free back to the system, where the C library is glibc.

    The heap of each thread grows by holes that none of its next blocks fits into. Called when next
    to nothing is in use, it leaves none of them.
    """
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def share_heap() -> None:
    """Let the threads to come share the heaps that there are, where the C library is glibc.

    Otherwise each gets one of its own, as high as the most that it ever held; together they grow
    for as long as a film lasts. It holds for the whole process, so it is the program's to call,
    early, and not the library's.
    """
    set_option = _of_glibc("mallopt")
    if set_option is not None:
        set_option(_ARENA_MAX, 1)


@cache
def _of_glibc(name: str) -> Any:
    """A function of the C library, None where that is not glibc."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None

"""The C library's heaps. Nothing is imported here that makes threads, which would make heaps."""

import ctypes
import sys
from functools import cache
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h


def share_heap() -> None:
    """Let all threads to come share the heaps that there are, where the C library is glibc.

    Otherwise each gets one of its own, as high as the most that it ever held; together they grow
    for as long as a film lasts. It holds for the whole process, so it is the program's to call and
    not the library's, and before NumPy, OpenCV and PyAV are imported: they make heaps that stay.
    """
    set_option = glibc_function("mallopt")
    if set_option is not None:
        set_option(_ARENA_MAX, 1)


@cache
def glibc_function(name: str) -> Any:
    """A function of the C library, None where that is not glibc."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None

"""Settings of the C library's memory allocator, where that is glibc; elsewhere nothing is done.

This module must import nothing that starts threads: every thread gets a heap of its own.
"""

import ctypes
import sys
from functools import cache
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h


def share_heap() -> None:
    """Let all threads that start from now on share the heaps that exist.

    Otherwise each thread gets its own heap, which stays as large as it ever was; in a long
    conversion their sum keeps growing. The setting holds for the whole process, so programs call
    this and the library does not. Call it before NumPy, OpenCV and PyAV are imported, because the
    heaps that these create remain.
    """
    set_option = glibc_function("mallopt")
    if set_option is not None:
        set_option(_ARENA_MAX, 1)


def trim_heap() -> None:
    """Return free memory to the system.

    The heaps grow by gaps that are too small for the next allocation. Called at a moment when
    little memory is in use, this removes the gaps.
    """
    trim = glibc_function("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def glibc_function(name: str) -> Any:
    """Return a function of the C library, or None where that is not glibc."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None

"""Memory for pictures that comes back by itself."""

import subprocess
import sys

import pytest

from live_nst.conversion.memory import PicturePool


def address(picture) -> int:
    return picture.__array_interface__["data"][0]


def test_memory_comes_back_when_nothing_refers_to_it() -> None:
    pool = PicturePool((6, 4))
    first = pool()
    assert first.shape == (4, 6, 3) and first.flags.writeable
    place = address(first)
    part = first[::2, 1:][:1]
    del first
    assert address(pool()) != place  # a view of a view is still in use
    del part
    assert address(pool()) == place


def test_no_two_pictures_share_memory() -> None:
    pool = PicturePool((6, 4))
    pictures = [pool() for _ in range(5)]
    for number, picture in enumerate(pictures):
        picture[:] = number
    assert [int(picture.max()) for picture in pictures] == [0, 1, 2, 3, 4]
    places = {address(picture) for picture in pictures}
    del picture
    pictures.clear()
    assert {address(picture) for picture in [pool() for _ in range(5)]} == places


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has several heaps")
def test_threads_share_the_heap() -> None:
    """In a process of its own, as it cannot be undone; glibc's own figures count the heaps."""
    program = """
import ctypes, threading
from live_nst.conversion.memory import share_heap
libc = ctypes.CDLL(None)
libc.free.argtypes, libc.malloc.argtypes = [ctypes.c_void_p], [ctypes.c_size_t]
libc.malloc.restype = ctypes.c_void_p
share_heap()
gate = threading.Barrier(4)
def work():
    block = libc.malloc(1000)
    gate.wait()
    libc.free(block)
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
stdout = ctypes.c_void_p.in_dll(libc, "stdout")
libc.malloc_info(0, stdout)
libc.fflush(stdout)
"""

    def heaps(source: str) -> int:
        done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=True)
        return done.stdout.count(b"<heap nr=")

    separate = heaps(program.replace("share_heap()\ngate", "gate"))
    if separate == 0:
        pytest.skip("the C library is not glibc")
    assert heaps(program) < separate

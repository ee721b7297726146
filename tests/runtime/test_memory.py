"""How many heaps the C library makes."""

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has several heaps")
def test_threads_share_the_heap() -> None:
    """In a process of its own, as it cannot be undone; glibc's own figures count the heaps."""
    program = """
import ctypes, threading
from live_nst.runtime.memory import share_heap
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


def test_a_conversion_asks_before_anything_makes_heaps() -> None:
    program = """
import sys
import live_nst.runtime.memory
live_nst.runtime.memory.share_heap = lambda: print(not {"numpy", "cv2", "av"} & set(sys.modules))
sys.argv = ["live-nst", "convert", "there-is-none.mp4", "out.mp4"]
import live_nst.cli
live_nst.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout.split() == ["True"], done

"""Test the counting of the network's processor time."""

import hashlib
import sys
import threading
import time
from collections import defaultdict

import pytest

from benchmarks.speed.cpu_time import NetworkCpuTime, find_busy_threads, thread_cpu_seconds

CALLER, WORKER, OTHER = 1, 2, 3


def test_network_cpu_time() -> None:
    used: dict[int, float] = defaultdict(float)

    def network(milliseconds: int) -> str:
        used[CALLER] += milliseconds
        used[WORKER] += milliseconds - 1
        used[OTHER] += 100  # the camera's thread, or a spinning one of OpenCV
        return "stylized"

    counter = NetworkCpuTime([WORKER], lambda: used[CALLER], lambda thread: used[thread])
    call = counter.wrap(network)
    assert call(5) == "stylized"
    used[CALLER] += 50  # composes
    used[WORKER] += 50  # waits for more work without sleeping
    call(7)
    assert counter.seconds == 5 + 4 + 7 + 6


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the time of threads")
def test_find_busy_threads() -> None:
    stop, ready = threading.Event(), threading.Event()
    data = bytes(1 << 20)

    def compute() -> None:
        while not stop.is_set():
            hashlib.sha256(data).digest()  # releases the GIL
            ready.set()

    computing, idle = threading.Thread(target=compute), threading.Thread(target=stop.wait)
    computing.start()
    idle.start()
    try:
        ready.wait(10)
        for _ in range(20):  # a busy machine may not run the thread for a while
            found = find_busy_threads(lambda: time.sleep(0.001), seconds=0.2)
            if computing.native_id in found:
                break
        assert computing.native_id in found and idle.native_id not in found
        assert threading.get_native_id() not in found
        assert computing.native_id and thread_cpu_seconds(computing.native_id) > 0
    finally:
        stop.set()
        computing.join()
        idle.join()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the time of threads")
def test_thread_cpu_seconds_of_ended_thread() -> None:
    assert thread_cpu_seconds(2**22 + 1) == 0.0  # more than Linux counts up to

"""The network's processor time is that of its own threads, during its calls."""

import hashlib
import sys
import threading
from collections import defaultdict

import pytest

from benchmarks.speed.cpu_time import NetworkTime, busy_threads, thread_seconds

CALLER, WORKER, OTHER = 1, 2, 3


def test_only_the_networks_threads_count_and_only_during_its_calls() -> None:
    used: dict[int, float] = defaultdict(float)

    def network(milliseconds: int) -> str:
        used[CALLER] += milliseconds
        used[WORKER] += milliseconds - 1
        used[OTHER] += 100  # the camera's, or one of OpenCV's that still spins
        return "painted"

    time = NetworkTime([WORKER], own=lambda: used[CALLER], other=lambda thread: used[thread])
    call = time.around(network)
    assert call(5) == "painted"
    used[CALLER] += 50  # composes
    used[WORKER] += 50  # waits for more work without sleeping
    call(7)
    assert time.seconds == 5 + 4 + 7 + 6


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of single threads")
def test_the_threads_that_compute_are_found() -> None:
    stop, ready = threading.Event(), threading.Event()
    data = bytes(1 << 20)

    def compute() -> None:
        while not stop.is_set():
            hashlib.sha256(data).digest()  # lets other threads run meanwhile
            ready.set()

    computing, idle = threading.Thread(target=compute), threading.Thread(target=stop.wait)
    computing.start()
    idle.start()
    try:
        ready.wait(10)
        found = busy_threads(lambda: ready.wait(0.001), seconds=0.2)
        assert computing.native_id in found and idle.native_id not in found
        assert threading.get_native_id() not in found
        assert computing.native_id and thread_seconds(computing.native_id) > 0
    finally:
        stop.set()
        computing.join()
        idle.join()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of single threads")
def test_a_thread_that_is_gone_takes_nothing() -> None:
    assert thread_seconds(2**22 + 1) == 0.0  # more than Linux counts up to

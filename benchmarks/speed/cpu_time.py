"""Measure the network's share of a session's processor time while the session runs.

Calling the network in a loop and subtracting its time would compare two large numbers from
different moments: if the machine becomes 5% faster in between, the difference changes by a third.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

_MIN_LOAD = 0.1
"""Share of a core from which a thread counts as computing."""


class NetworkCpuTime:
    """Count the processor time of a network.

    The time of the calling thread and of the network's own threads during its calls is counted.
    Other threads are not counted, nor is the time in which the network's threads spin between two
    calls.

    Args:
        workers: Native ids of the network's own threads.
        caller_time: Return the processor time of the calling thread in seconds.
        thread_time: Return the processor time of a thread by its native id.

    Attributes:
        seconds: Time counted so far.
    """

    def __init__(
        self,
        workers: Iterable[int],
        caller_time: Callable[[], float] = time.thread_time,
        thread_time: Callable[[int], float] | None = None,
    ) -> None:
        self._workers = tuple(workers)
        self._caller_time = caller_time
        self._thread_time = thread_time or thread_cpu_seconds
        self.seconds = 0.0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` with its time counted."""

        def counted(*args: Any) -> Any:
            before = self._now()
            result = call(*args)
            self.seconds += self._now() - before
            return result

        return counted

    def _now(self) -> float:
        return self._caller_time() + sum(map(self._thread_time, self._workers))


def count_openvino_time(network: Callable[[], object]) -> NetworkCpuTime | None:
    """Count the time of all OpenVINO frame programs in this process from now on.

    A program includes color conversion and rounding, but not resizing.

    Args:
        network: Call one of the programs; used to find the threads that compute.

    Returns:
        The counter; None if the system does not report the time of single threads.
    """
    if sys.platform != "linux":
        return None
    from live_nst.engines.openvino_frame import CompiledFrameProgram

    counted = NetworkCpuTime(find_busy_threads(network))
    CompiledFrameProgram.__call__ = counted.wrap(CompiledFrameProgram.__call__)  # type: ignore[method-assign]
    return counted


def find_busy_threads(call: Callable[[], object], seconds: float = 0.3) -> list[int]:
    """Return the ids of other threads that compute while `call` runs in a loop."""
    call()
    begin = time.perf_counter()
    before = {thread: thread_cpu_seconds(thread) for thread in _threads()}
    while time.perf_counter() - begin < seconds:
        call()
    least = _MIN_LOAD * (time.perf_counter() - begin)
    return [thread for thread, used in before.items() if thread_cpu_seconds(thread) - used > least]


def thread_cpu_seconds(thread: int) -> float:
    """Return the processor time of a thread of this process in seconds; 0 if it has ended."""
    try:  # the clock's id is computed as by Linux' pthread_getcpuclockid
        return time.clock_gettime((~thread << 3) | 6)
    except OSError:
        return 0.0


def _threads() -> list[int]:
    return [int(n) for n in os.listdir("/proc/self/task") if int(n) != threading.get_native_id()]

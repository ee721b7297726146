"""How much of a session's processor time its network takes, counted while the session runs.

The other way, to call the network in a loop and subtract what that takes, compares two large
numbers of different moments: a machine that gets faster by a twentieth in between changes the
difference by a third.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

_BUSY = 0.1
"""The share of a core from which a thread is one of those that compute."""


class NetworkTime:
    """Counts the processor time of a network, wherever it is called.

    That is what the calling thread and the network's own threads take during its calls. Neither
    what other threads do meanwhile belongs to it, nor what its threads do between two calls, when
    they wait for more work without sleeping.

    Args:
        workers: The network's own threads, by the system's numbers.
        own: Processor time of the calling thread, in seconds.
        other: That of a thread by its number.

    Attributes:
        seconds: Counted so far.
    """

    def __init__(
        self,
        workers: Iterable[int],
        own: Callable[[], float] = time.thread_time,
        other: Callable[[int], float] | None = None,
    ) -> None:
        self._workers = tuple(workers)
        self._own = own
        self._other = other or thread_seconds
        self.seconds = 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, counted."""

        def counted(*args: Any) -> Any:
            before = self._now()
            result = call(*args)
            self.seconds += self._now() - before
            return result

        return counted

    def _now(self) -> float:
        return self._own() + sum(map(self._other, self._workers))


def watch_openvino(network: Callable[[], object]) -> NetworkTime | None:
    """Count the time of all of OpenVINO's frame programs in this process, from now on.

    A program takes a frame of its own size and gives one: colors and rounding are in it, bringing
    frames to that size is not.

    Args:
        network: Calls one of them; it is run for a moment to see which threads compute.

    Returns:
        The count; None where the system does not tell of single threads.
    """
    if sys.platform != "linux":
        return None
    from live_nst.engines import openvino

    program = openvino._FrameNetwork
    counted = NetworkTime(busy_threads(network))
    program.__call__ = counted.around(program.__call__)  # type: ignore[method-assign]
    return counted


def busy_threads(call: Callable[[], object], seconds: float = 0.3) -> list[int]:
    """Which threads but the calling one compute while something is called, again and again."""
    call()
    begin = time.perf_counter()
    before = {thread: thread_seconds(thread) for thread in _threads()}
    while time.perf_counter() - begin < seconds:
        call()
    least = _BUSY * (time.perf_counter() - begin)
    return [thread for thread, used in before.items() if thread_seconds(thread) - used > least]


def thread_seconds(thread: int) -> float:
    """The processor time that a thread of this process has taken; 0 if it has ended.

    Linux has a clock for each, whose number is made of the thread's as in pthread_getcpuclockid.
    """
    try:
        return time.clock_gettime((~thread << 3) | 6)
    except OSError:
        return 0.0


def _threads() -> list[int]:
    return [int(n) for n in os.listdir("/proc/self/task") if int(n) != threading.get_native_id()]

"""Keep the last few compiled frame programs."""

import threading
from collections import OrderedDict
from concurrent.futures import Future

from live_nst.engines.base import Engine, FrameRunner
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.types import Size

MAX_RUNNERS = 6
"""Enough for the sizes between which the adaptive size changes."""


class RunnerCache:
    """Compiles each frame program once, even if several threads ask for it at the same time.

    Args:
        engine: Compiles the programs; stays open.
        clock: Measures how long that takes.

    Attributes:
        longest_compilation: Seconds that the longest compilation took so far. A program that the
            engine finds on the disk takes little.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self.longest_compilation = 0.0
        self._kept: OrderedDict[tuple[Size, Size], Future[FrameRunner]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, camera: Size, size: Size) -> FrameRunner:
        """Return the frame program for these sizes, compiled at the first call.

        Raises:
            ModelError: The model cannot run at that size.
        """
        key = (camera, size)
        with self._lock:  # never held while something compiles
            future = self._kept.pop(key, None)
            missing = future is None
            if future is None:
                future = Future()
            self._kept[key] = future  # last in order: most recently used
            while len(self._kept) > MAX_RUNNERS:
                self._kept.popitem(last=False)
        if missing:
            begin = self._clock.now()
            try:
                runner = self._engine.compile(camera, size)
                seconds = self._clock.now() - begin
                self.longest_compilation = max(self.longest_compilation, seconds)
                future.set_result(runner)
            except BaseException as exc:  # the threads that wait need it too
                with self._lock:
                    self._kept.pop(key, None)
                future.set_exception(exc)
        return future.result()

    def __len__(self) -> int:
        return len(self._kept)

    def is_compiled(self, camera: Size, size: Size) -> bool:
        """Return whether the program for these sizes is compiled."""
        future = self._kept.get((camera, size))
        return future is not None and future.done()

    def clear(self) -> None:
        """Drop all programs."""
        with self._lock:
            self._kept.clear()

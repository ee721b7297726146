"""The frame programs that are ready to run; the last few are kept."""

import threading
from collections import OrderedDict
from concurrent.futures import Future

from live_nst.engines.base import Engine, FrameRunner
from live_nst.types import Size

MAX_RUNNERS = 6  # what the adaptive size goes to and fro between


class RunnerCache:
    """Compiles each frame program once, however many threads ask for it.

    Args:
        engine: Compiles them; stays open.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: OrderedDict[tuple[Size, Size], Future[FrameRunner]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, camera: Size, size: Size) -> FrameRunner:
        """The frame program for these sizes; one that is new is compiled first.

        Raises:
            ModelError: The model cannot run at that size.
        """
        key = (camera, size)
        with self._lock:  # never held while something compiles
            future = self._kept.pop(key, None)
            missing = future is None
            if future is None:
                future = Future()
            self._kept[key] = future  # at the end: the one used last
            while len(self._kept) > MAX_RUNNERS:
                self._kept.popitem(last=False)
        if missing:
            try:
                future.set_result(self._engine.compile(camera, size))
            except BaseException as exc:  # also for those who wait for it
                with self._lock:
                    self._kept.pop(key, None)
                future.set_exception(exc)
        return future.result()

    def __len__(self) -> int:
        return len(self._kept)

    def is_compiled(self, camera: Size, size: Size) -> bool:
        """Whether the program for these sizes is there and compiled."""
        future = self._kept.get((camera, size))
        return future is not None and future.done()

    def clear(self) -> None:
        """Let go of all of them."""
        with self._lock:
            self._kept.clear()

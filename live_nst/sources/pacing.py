"""When the frames of a source without a clock of its own are due."""

import math

from live_nst.runtime.timing import Clock

# Of a frame. Rounding may put a time that is exactly due a little before its frame.
_ROUNDING = 1e-6


class FrameSchedule:
    """Frame k is due k / fps seconds after the start; frames that are already late are left out.

    Args:
        fps: Frames per second.
        clock: Gives the time and waits.
    """

    def __init__(self, fps: float, clock: Clock) -> None:
        self._fps = fps
        self._clock = clock
        self._next = 0
        self._start = clock.now()

    def wait(self) -> int:
        """Wait until the next frame is due and return its index; at once if one is due already."""
        now = self._clock.now()
        newest = math.floor((now - self._start) * self._fps + _ROUNDING)
        index = max(self._next, newest)
        self._clock.sleep(self._start + index / self._fps - now)
        self._next = index + 1
        return index

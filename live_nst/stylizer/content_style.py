"""The style that a frame is in itself, which looks of the blend "styles" mix with the painter's."""

from collections.abc import Callable

import numpy as np

from live_nst.engines.base import Bottleneck
from live_nst.stylizer.transition import Transition, interpolate_bottlenecks
from live_nst.types import Image


class ContentStyle:
    """Gives the bottleneck of one frame after the other.

    Args:
        encode: Computes a frame's, given its time, too. It takes about as long as painting it at
            384 pixels.
        hold: Seconds for which one frame's holds for those that follow; it then goes over to the
            next one's in as long. Frames are given in their order, from one thread. With 0 every
            frame has its own, in any order and from any threads.
    """

    def __init__(
        self, encode: Callable[[Image, float], Bottleneck], content_style_seconds: float
    ) -> None:
        self._encode = encode
        self._hold = content_style_seconds
        self._taken = -np.inf
        self._course: Transition[Bottleneck] | None = None

    def __call__(self, image: Image, time: float) -> Bottleneck:
        """The style of a frame, BGR uint8 `[height, width, 3]`, at its time in seconds."""
        if not self._hold:
            return self._encode(image, time)
        since = time - self._taken
        if self._course is None or since < 0:  # a stream that begins anew
            self._course, self._taken = (
                Transition(self._encode(image, time), interpolate_bottlenecks),
                time,
            )
        elif since >= self._hold:
            course = Transition(self._course.at(time), interpolate_bottlenecks)
            course.to(self._encode(image, time), self._hold, time)
            self._course, self._taken = course, time
        return self._course.at(time)

    def reset(self) -> None:
        """Forget the frames so far."""
        self._course = None

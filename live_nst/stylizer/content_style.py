"""The content style: the bottleneck of the frame itself, which looks can mix with the style."""

from collections.abc import Callable

from live_nst.engines.base import Bottleneck
from live_nst.styles.bottlenecks import interpolate_bottlenecks
from live_nst.stylizer.transition import Transition
from live_nst.types import Image


class ContentStyle:
    """Computes the content style of one frame after the other.

    Args:
        encode: Computes the bottleneck of a frame, given its time, too. It takes about as long as
            stylizing the frame at 384 pixels.
        seconds: For how long one bottleneck is used for the frames after it; it then changes to the
            next one in the same time. Frames must be given in order, from one thread. With 0 every
            frame has its own, in any order and from any threads.
    """

    def __init__(self, encode: Callable[[Image, float], Bottleneck], seconds: float) -> None:
        self._encode = encode
        self._seconds = seconds
        self._encoded_at = float("-inf")
        self._transition: Transition[Bottleneck] | None = None

    def __call__(self, image: Image, time: float) -> Bottleneck:
        """Return the content style of a frame.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The frame's time in seconds.
        """
        if not self._seconds:
            return self._encode(image, time)
        elapsed = time - self._encoded_at
        if self._transition is None or elapsed < 0:  # another video begins
            self._transition = Transition(self._encode(image, time), interpolate_bottlenecks)
            self._encoded_at = time
        elif elapsed >= self._seconds:
            transition = Transition(self._transition.at(time), interpolate_bottlenecks)
            transition.to(self._encode(image, time), self._seconds, time)
            self._transition, self._encoded_at = transition, time
        return self._transition.at(time)

    def reset(self) -> None:
        """Forget the frames so far."""
        self._transition = None

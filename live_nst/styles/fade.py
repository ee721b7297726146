"""The cross-fade from one style to the next, in bottleneck space."""

from typing import NamedTuple

import numpy as np

from live_nst.engines.base import Bottleneck


class _Course(NamedTuple):
    origin: Bottleneck
    target: Bottleneck
    start: float
    seconds: float


class StyleFade:
    """Which bottleneck to paint with at a moment.

    Args:
        bottleneck: The first style.
    """

    def __init__(self, bottleneck: Bottleneck) -> None:
        # One attribute, replaced as a whole: one thread may read while another writes.
        self._course = _Course(bottleneck, bottleneck, 0.0, 0.0)

    def to(self, bottleneck: Bottleneck, seconds: float, now: float) -> None:
        """Fade to another style over `seconds`, starting from what shows at `now`."""
        self._course = _Course(self.at(now), bottleneck, now, seconds)

    def at(self, now: float) -> Bottleneck:
        """The bottleneck at `now`; the same array as long as nothing changes."""
        course = self._course
        if course.seconds <= 0 or now >= course.start + course.seconds:
            return course.target
        share = _smoothstep(max(0.0, now - course.start) / course.seconds)
        return (course.origin + np.float32(share) * (course.target - course.origin)).astype(
            np.float32
        )


def _smoothstep(x: float) -> float:
    """3x^2 - 2x^3: starts and ends without a jerk."""
    return x * x * (3 - 2 * x)

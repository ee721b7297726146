"""A value that fades into others over time: the style's bottleneck, the look."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from live_nst.engines.base import Bottleneck

T = TypeVar("T")


class _Course(NamedTuple, Generic[T]):
    origin: T
    target: T
    start: float
    seconds: float


class Transition(Generic[T]):
    """What holds at a moment. It is a function of time alone, whatever was asked for before.

    Changes may lie ahead: asked for in the order of their times, they are a timetable.

    Args:
        value: What holds at first.
        mix: `mix(a, b, share)` lies between a (share 0) and b (share 1).
    """

    def __init__(self, value: T, mix: Callable[[T, T, float], T]) -> None:
        self._mix = mix
        # One attribute, replaced as a whole: one thread may read while another writes.
        self._courses: tuple[_Course[T], ...] = (_Course(value, value, -np.inf, 0.0),)

    def to(self, value: T, seconds: float, now: float) -> None:
        """Fade to `value` over `seconds`, starting at `now` from what holds then.

        Changes that were to begin later are given up.
        """
        earlier = tuple(course for course in self._courses if course.start < now)
        self._courses = (*earlier, _Course(self.at(now), value, now, seconds))

    def at(self, now: float) -> T:
        """What holds at `now`; the same object as long as nothing changes."""
        courses = self._courses
        course = next((each for each in reversed(courses) if each.start <= now), courses[0])
        if course.seconds <= 0 or now >= course.start + course.seconds:
            return course.target
        share = _smoothstep(max(0.0, now - course.start) / course.seconds)
        return self._mix(course.origin, course.target, share)

    @property
    def last(self) -> T:
        """What holds in the end."""
        return self._courses[-1].target


def interpolate_bottlenecks(first: Bottleneck, second: Bottleneck, share: float) -> Bottleneck:
    """The style `share` of the way from one to the other; gamma and beta are affine in it."""
    return (first + np.float32(share) * (second - first)).astype(np.float32)


def bottleneck_distance(one: Bottleneck, other: Bottleneck) -> float:
    """How different two styles are: 0 for the same, about 1 for two with nothing in common."""
    if one is other:
        return 0.0
    size = float(np.linalg.norm(one) + np.linalg.norm(other)) / 2
    return float(np.linalg.norm(one - other)) / size if size > 0 else 0.0


def _smoothstep(x: float) -> float:
    """3x^2 - 2x^3: starts and ends without a jerk."""
    return x * x * (3 - 2 * x)

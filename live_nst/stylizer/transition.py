"""A value that changes over time with cross-fades: the style's bottleneck, the look."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Change(NamedTuple, Generic[T]):
    origin: T
    target: T
    start: float
    seconds: float


class Transition(Generic[T]):
    """A value as a function of time alone, whatever was asked for before.

    Changes may be given in advance, in the order of their times. One thread may read while another
    one adds a change.

    Args:
        value: The value at first.
        interpolate: `interpolate(a, b, share)` lies between a (share 0) and b (share 1).
    """

    def __init__(self, value: T, interpolate: Callable[[T, T, float], T]) -> None:
        self._interpolate = interpolate
        # Replaced as a whole, never modified, so that no lock is needed.
        self._changes: tuple[_Change[T], ...] = (_Change(value, value, float("-inf"), 0.0),)

    def to(self, value: T, seconds: float, start: float) -> None:
        """Change to `value` from `start` on, in `seconds`. Changes that begin later are dropped."""
        earlier = tuple(change for change in self._changes if change.start < start)
        self._changes = (*earlier, _Change(self.at(start), value, start, seconds))

    def at(self, time: float) -> T:
        """Return the value at a time; the same object as long as nothing changes."""
        changes = self._changes
        change = next((each for each in reversed(changes) if each.start <= time), changes[0])
        if change.seconds <= 0 or time >= change.start + change.seconds:
            return change.target
        share = _smoothstep(max(0.0, time - change.start) / change.seconds)
        return self._interpolate(change.origin, change.target, share)

    @property
    def last(self) -> T:
        """The value after all changes."""
        return self._changes[-1].target


def _smoothstep(x: float) -> float:
    """Return 3x^2 - 2x^3, which starts and ends with a slope of 0."""
    return x * x * (3 - 2 * x)

"""A queue of limited length between two threads, which a third can break off."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class BrokenOff(Exception):
    """The channel is of no use any more: whoever works on it stops."""


class Channel(Generic[T]):
    """Hands items on in order; both ends wait, and neither waits for ever.

    Args:
        capacity: How many items may wait.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._broken = False

    def put(self, item: T) -> None:
        """Hand on an item, waiting for room.

        Raises:
            BrokenOff: `break_off` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._broken or len(self._items) < self._capacity)
            if self._broken:
                raise BrokenOff
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> T | None:
        """The next item, waiting for it; None when there will be none.

        Raises:
            BrokenOff: `break_off` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._ended or self._items)
            if self._broken:
                raise BrokenOff
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self) -> None:
        """Say that nothing follows."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def break_off(self) -> None:
        """Wake both ends with `BrokenOff`; what waited is let go."""
        with self._changed:
            self._broken = True
            self._items.clear()
            self._changed.notify_all()

"""One place for the newest thing: what makes live video live."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Holds the newest item until it is taken; a newer one replaces it. `put` never blocks.

    Attributes:
        replaced: How many items were replaced before anybody took them.
    """

    def __init__(self) -> None:
        self._item: T | None = None
        self._changed = threading.Condition()
        self.replaced = 0

    def put(self, item: T) -> None:
        """Offer an item."""
        with self._changed:
            if self._item is not None:
                self.replaced += 1
            self._item = item
            self._changed.notify()

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return self._item is None

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for an item, and leave it there; whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: self._item is not None, timeout)

    def take(self, timeout: float, patience: Callable[[T], float] | None = None) -> T | None:
        """The newest item, waiting up to `timeout` seconds for one; None if none came.

        Args:
            timeout: Seconds.
            patience: For how many seconds a newer item is worth waiting for, given the one there.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None, timeout)
            item = self._item
            if item is not None and patience is not None and (seconds := patience(item)) > 0:
                self._changed.wait_for(lambda: self._item is not item, seconds)
            item, self._item = self._item, None
            return item

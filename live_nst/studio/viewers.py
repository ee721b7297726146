"""Hand messages from any thread to viewers in the event loop, none of whom can hold back another.

Each viewer has a queue of its own. When it is full, the viewer loses messages; when a viewer takes
nothing for `STALL_SECONDS`, its connection is dropped.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar

from live_nst.studio.requests import RequestError

STALL_SECONDS = 10.0

T = TypeVar("T")


class Viewer(Generic[T]):
    """The messages that wait for one viewer. Only the event loop uses it.

    Args:
        limit: How many messages may wait.

    Attributes:
        lost: How many messages were lost.
    """

    def __init__(self, limit: int) -> None:
        self._messages: deque[T] = deque()
        self._limit = limit
        self._changed = asyncio.Event()
        self._ended = False
        self.lost = 0

    def put(self, message: T) -> None:
        """Add a message; if there are too many, all that wait are lost. After the end, nothing."""
        if self._ended:
            return
        if len(self._messages) >= self._limit:
            self.clear()
        self._messages.append(message)
        self._changed.set()

    def clear(self) -> None:
        """Drop all messages that wait."""
        self.lost += len(self._messages)
        self._messages.clear()

    @property
    def full(self) -> bool:
        """Whether the next message would be one too many."""
        return len(self._messages) >= self._limit

    def end(self) -> None:
        """Let the viewer go: `get` returns None after the messages that wait."""
        self._ended = True
        self._changed.set()

    async def get(self) -> T | None:
        """Return the next message; wait for it. None after the end."""
        while not self._messages:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._messages.popleft()


class Viewers(Generic[T]):
    """All viewers of one kind.

    `bind` is called in the event loop before anything else. `post` may be called from any thread;
    everything else from the event loop only.

    Args:
        what: What they see, for messages.
        most: How many there may be.
    """

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: tuple[Viewer[T], ...] = ()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use an event loop."""
        self._loop = loop

    def __len__(self) -> int:
        return len(self._viewers)

    def __iter__(self) -> Iterator[Viewer[T]]:
        return iter(self._viewers)

    def add(self, viewer: Viewer[T]) -> None:
        """Add a viewer.

        Raises:
            RequestError: There are too many.
        """
        if len(self._viewers) >= self._most:
            raise RequestError(
                503, f"{self._most} viewers see {self._what} already.", "close another page"
            )
        self._viewers = (*self._viewers, viewer)

    def remove(self, viewer: Viewer[T]) -> None:
        """Remove a viewer, if it is there."""
        self._viewers = tuple(other for other in self._viewers if other is not viewer)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the event loop soon, from any thread; after its end, not at all."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop has ended
            self._loop = None

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after some seconds; in the event loop."""
        if self._loop is not None:
            self._loop.call_later(seconds, function)

    def post(self, message: T) -> None:
        """Give all viewers a message; from any thread."""
        if self._viewers:
            self.call(lambda: self._put(message))

    def _put(self, message: T) -> None:
        for viewer in self._viewers:
            viewer.put(message)

    def end(self) -> None:
        """Let all viewers go."""
        for viewer in self._viewers:
            viewer.clear()
            viewer.end()


async def send_all(viewer: Viewer[T], send: Callable[[T], Awaitable[None]]) -> None:
    """Send a viewer its messages, one after the other, until its end.

    Raises:
        TimeoutError: It took none for `STALL_SECONDS`.
    """
    while (message := await viewer.get()) is not None:
        async with asyncio.timeout(STALL_SECONDS):
            await send(message)

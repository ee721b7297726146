"""Tell pages what changed: the state after each change and a few times a second, and sentences."""

import asyncio
import contextlib
import json
from collections.abc import Callable

from live_nst.live.session import LiveSession
from live_nst.studio.models import State
from live_nst.studio.viewers import Viewer, Viewers
from live_nst.types import Closeable

INTERVAL = 0.25  # seconds between two states
MOST_VIEWERS = 64
_QUEUE = 50  # messages
_GAP = 0.04  # seconds: several changes at once give one state


class EventViewer(Viewer[str]):
    """A page that is told what happens.

    Args:
        secure: Whether browsers allow it cameras; see `State.secure`.
    """

    def __init__(self, secure: bool) -> None:
        super().__init__(_QUEUE)
        self.secure = secure


class EventHub:
    """Sends states and sentences to all pages. `run` runs in the event loop.

    Args:
        state: Returns the state; called in a thread.
    """

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self.viewers: Viewers[str] = Viewers("the events", MOST_VIEWERS)
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Send the state soon; from any thread."""
        self.viewers.call(self._changed.set)

    def message(self, sentence: str) -> None:
        """Send a sentence; from any thread."""
        self.viewers.post(json.dumps({"type": "message", "text": sentence}))
        self.changed()

    def attach(self, session: LiveSession) -> Closeable:
        """Send what a session has to say, until the result is closed."""
        return _Ear(session, self)

    async def first(self, secure: bool) -> str:
        """Return the state as a message for a page that has just come."""
        return encode_state(await asyncio.to_thread(self._state), secure)

    async def run(self) -> None:
        """Send states until it is cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), INTERVAL)
            self._changed.clear()
            if len(self.viewers):
                state = await asyncio.to_thread(self._state)
                texts: dict[bool, str] = {}
                for viewer in self.viewers:
                    assert isinstance(viewer, EventViewer)
                    if viewer.secure not in texts:
                        texts[viewer.secure] = encode_state(state, viewer.secure)
                    viewer.put(texts[viewer.secure])
            await asyncio.sleep(_GAP)


class _Ear(Closeable):
    """Listens to a session."""

    def __init__(self, session: LiveSession, hub: EventHub) -> None:
        self._hub: EventHub | None = hub
        session.listen(self._hear)

    def _hear(self, sentence: str) -> None:
        if self._hub is not None:
            self._hub.message(sentence)

    def close(self) -> None:
        """Listen no more. Calling it again does nothing."""
        self._hub = None


def encode_state(state: State, secure: bool) -> str:
    """Return a state as a message for pages."""
    body = state.model_copy(update={"secure": secure}).model_dump_json()
    return f'{{"type":"state","state":{body}}}'

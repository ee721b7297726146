"""A host of a session that someone else runs, as `--control` has it."""

import time

from live_nst.live.options import LiveOptions, ViewState
from live_nst.live.session import LiveSession
from live_nst.studio.host import key_handler, press_key
from live_nst.studio.requests import RequestError


class AttachedSession:
    """A host of a session that someone else runs: it cannot be started or ended from here.

    Args:
        session: The session.
    """

    def __init__(self, session: LiveSession) -> None:
        self.session: LiveSession | None = session
        self.options = session.options
        self.view = ViewState()
        self.starting = False
        self.problem = ""
        self.started = time.monotonic()
        self._keys = key_handler(session)

    def start(self, options: LiveOptions) -> None:
        """Refuse it."""
        raise RequestError(
            409, "This session cannot be started again from here.", "use `live-nst studio`"
        )

    def stop(self) -> None:
        """End the session, and so the program."""
        if self.session is not None:
            self.session.stop()

    def press(self, key: str) -> None:
        """See `Host.press`."""
        press_key(self._keys, key)

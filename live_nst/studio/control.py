"""`--control`: the studio's requests for a session that runs without the studio, and no page."""

import os
import secrets
import socket
import sys
from contextlib import ExitStack

from live_nst.live.session import LiveSession
from live_nst.remote.addresses import LOOPBACK, ListenAddress, listen_error
from live_nst.remote.endpoints import (
    Endpoint,
    find_endpoints,
    remove_endpoint,
    socket_path,
    write_endpoint,
)
from live_nst.studio.app import create_app
from live_nst.studio.assemble import attached_parts
from live_nst.studio.security import Access, own_names
from live_nst.studio.server import Server, listen_at
from live_nst.studio.styles import StyleShelf
from live_nst.types import Closeable, Notify

_BACKLOG = 16


class ControlServer(Closeable):
    """Lets `live-nst ctl` and other programs control one session.

    It listens on a Unix socket that only the user can open; or, with a port and on Windows, on this
    computer with a token that only the user can read.

    Args:
        address: A port of this computer; None for a socket where there are such.
        notify: Called with sentences for the terminal, from any thread.

    Raises:
        LiveNstError: It cannot listen there.
    """

    def __init__(self, address: ListenAddress | None, notify: Notify) -> None:
        self._notify = notify
        self._stack = ExitStack()
        find_endpoints()  # removes what crashed sessions left
        if address is None and sys.platform != "win32":
            path = socket_path()
            path.unlink(missing_ok=True)  # of a crashed process with the same number
            self._socket = listen_at(path)
            self._token = ""
            self._endpoint = Endpoint(pid=os.getpid(), socket=str(path))
        else:
            self._socket = _listen(address or ListenAddress(LOOPBACK, 0))
            port = self._socket.getsockname()[1]
            self._token = secrets.token_urlsafe(24)
            self._endpoint = Endpoint(
                pid=os.getpid(), url=f"http://{LOOPBACK}:{port}", token=self._token
            )
        self._stack.callback(self._socket.close)
        # Already now: who asks while the session starts is answered as soon as it has.
        self._stack.callback(remove_endpoint, os.getpid())
        write_endpoint(self._endpoint)

    def describe(self) -> str:
        """Return a sentence that says how the session is controlled."""
        where = self._endpoint.url or "a socket"
        return f"`live-nst ctl` controls this session, through {where}"

    def attach(self, session: LiveSession) -> Closeable:
        """Serve a session until the result is closed; this is an `Attach`."""
        with ExitStack() as stack:
            shelf = stack.enter_context(StyleShelf(session.control.styles))
            access = Access(own_names(LOOPBACK), token=self._token)
            parts = attached_parts(session, shelf, access, self._notify)
            for attach in parts.hubs.attach:
                stack.enter_context(attach(session))
            stack.enter_context(Server(create_app(parts), [self._socket]))
            stack.callback(parts.hubs.end)
            return _Attached(stack.pop_all())

    def close(self) -> None:
        """Listen no more. Calling it again does nothing."""
        self._stack.close()


class _Attached(Closeable):
    """What serves a session."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def close(self) -> None:
        """Serve it no more."""
        self._stack.close()


def _listen(address: ListenAddress) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address.host, address.port))
        opened.listen(_BACKLOG)
    except OSError as exc:
        opened.close()
        raise listen_error(address, "--control", exc) from exc
    return opened

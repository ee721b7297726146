"""A web server in a thread of its own."""

import asyncio
import errno
import logging
import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from live_nst.errors import ServerError
from live_nst.studio.security import AsgiApp
from live_nst.studio.sockets import MAX_MESSAGE
from live_nst.studio.tls import Certificate
from live_nst.types import Closeable

_BACKLOG = 128
_MOST_CONNECTIONS = 400
_HEADER_SECONDS = 15.0  # until the header of a request has arrived
_END_SECONDS = 3  # for answers that are being sent
_STALL_MILLISECONDS = 20_000


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address and a port; port 0 takes a free one.

    Raises:
        ServerError: That cannot be done.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as exc:
        raise ServerError(
            f"There is no address {host}.", "use an address of this machine, such as 0.0.0.0"
        ) from exc
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError as exc:
        opened.close()
        raise _listen_error(host, port, exc) from exc
    _drop_stalled(opened)
    return opened


def listen_at(path: Path) -> socket.socket:
    """Return a Unix socket that listens at a path, for the user alone.

    Raises:
        ServerError: That cannot be done.
    """
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        opened.bind(str(path))
        opened.listen(_BACKLOG)
    except OSError as exc:
        opened.close()
        raise ServerError(
            f"Nothing can listen at {path}: {exc.strerror or exc}.",
            "set XDG_RUNTIME_DIR to another folder, or give --control a port",
        ) from exc
    finally:
        os.umask(before)
    return opened


def _drop_stalled(listening: socket.socket) -> None:
    """Let the system drop connections whose other side takes nothing any more.

    Accepted connections inherit it. Otherwise a viewer that is frozen would keep its connection,
    with the data that wait in it, forever.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, _STALL_MILLISECONDS)


def _listen_error(host: str, port: int, exc: OSError) -> ServerError:
    if exc.errno == errno.EADDRINUSE:
        return ServerError(f"Port {port} is in use.", "use --port 0 for a free one")
    if exc.errno == errno.EACCES:
        return ServerError(f"Port {port} may not be used.", "use a port from 1024 up")
    if exc.errno == errno.EADDRNOTAVAIL:
        return ServerError(
            f"{host} is no address of this machine.", "use 127.0.0.1, or 0.0.0.0 for all of them"
        )
    return ServerError(f"Nothing can listen on {host}:{port}: {exc.strerror}.", "choose another")


class _ImpatientProtocol(H11Protocol):
    """HTTP/1.1, but a connection whose request does not arrive in time is closed.

    Otherwise some hundred connections that never ask for anything would keep all others out.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        if self._patience is None:
            self._wait_for_request()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _wait_for_request(self) -> None:
        self._patience = self.loop.call_later(_HEADER_SECONDS, self._check)

    def _check(self) -> None:
        self._patience = None
        idle = self.cycle is None or self.cycle.response_complete
        # A WebSocket has another protocol by now.
        if idle and self.transport.get_protocol() is self:
            self.transport.abort()


class Server(Closeable):
    """Serves an application until it is closed.

    Args:
        app: The application.
        sockets: Listen already; closed at the end.
        certificate: For https; None for http.

    Raises:
        ServerError: It does not start.
    """

    def __init__(
        self,
        app: AsgiApp,
        sockets: Sequence[socket.socket],
        certificate: Certificate | None = None,
    ) -> None:
        self._sockets = list(sockets)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level=logging.DEBUG if os.environ.get("LIVE_NST_DEBUG") else logging.CRITICAL,
            access_log=False,  # it would show tokens
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            http=_ImpatientProtocol,
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,  # video is compressed already
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_END_SECONDS,
            ssl_certfile=certificate.certificate if certificate is not None else None,
            ssl_keyfile=certificate.key if certificate is not None else None,
        )
        self._server = uvicorn.Server(config)
        self._failure: BaseException | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-nst server", daemon=True)
        self._thread.start()
        while not self._server.started:
            if self._ended.wait(0.01):
                raise ServerError("The server does not start.") from self._failure

    @property
    def port(self) -> int:
        """The port of the first socket."""
        return int(self._sockets[0].getsockname()[1])

    def _run(self) -> None:
        try:
            self._server.run(self._sockets)
        except BaseException as exc:  # kept for the caller; a server that breaks says nothing else
            self._failure = exc
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether it serves no more."""
        return self._ended.is_set()

    def close(self) -> None:
        """Finish what is being answered, for a few seconds at most, and end."""
        self._server.should_exit = True
        self._thread.join(_END_SECONDS + 2)
        for each in self._sockets:
            each.close()

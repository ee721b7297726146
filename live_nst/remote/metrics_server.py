"""Serve `/metrics` on this computer, for Prometheus."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from live_nst.remote.addresses import ListenAddress, listen_error
from live_nst.remote.metrics import GetSession, make_registry
from live_nst.types import Closeable

DEFAULT_PORT = 9478
_REQUEST_SECONDS = 10.0
_OWN_NAMES = {"127.0.0.1", "localhost", "[::1]"}

_Start = Callable[[str, list[tuple[str, str]]], Any]


class MetricsServer(Closeable):
    """Answers `GET /metrics` in threads of its own. It never waits for the session's threads.

    Args:
        address: Where it listens.
        get_session: Called for every request.

    Raises:
        UsageError: It cannot listen there.
        DeviceError: prometheus-client is not installed.
    """

    def __init__(self, address: ListenAddress, get_session: GetSession) -> None:
        self._registry = make_registry(get_session)
        try:
            self._server = _Server((address.host, address.port), _Handler)
        except OSError as exc:
            raise listen_error(address, "--metrics", exc) from exc
        self._server.set_app(self._answer)
        self.address = ListenAddress(address.host, self._server.server_port)
        serve = partial(self._server.serve_forever, poll_interval=0.2)
        self._thread = threading.Thread(target=serve, name="live-nst metrics", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the figures are."""
        return f"http://{self.address}/metrics"

    def close(self) -> None:
        """Stop answering. Calling it again does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        from prometheus_client import make_wsgi_app

        host = environ.get("HTTP_HOST", "")
        name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
        if (
            name not in _OWN_NAMES
        ):  # a page of another site that has renamed itself to this computer
            return _refuse(start, "403 Forbidden", "Wrong host.")
        if environ.get("PATH_INFO") != "/metrics":
            return _refuse(start, "404 Not Found", "The figures are at /metrics.")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _refuse(start, "405 Method Not Allowed", "Use GET.")
        answer: Iterable[bytes] = make_wsgi_app(self._registry)(environ, start)
        return answer


def _refuse(start: _Start, status: str, sentence: str) -> Iterable[bytes]:
    body = f"{sentence}\n".encode()
    start(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False  # a client that sends nothing would hold the end up

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

"""Ask a running session over HTTP, through its socket or its port.

This module imports nothing heavy: `live-nst ctl` is to answer at once.
"""

import hashlib
import hmac
import json
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit

from live_nst.errors import ControlError
from live_nst.remote.endpoints import Endpoint, find_endpoints

_SECONDS = 90.0  # a session that starts again loads its model
_START_HINT = "start one with `live-nst --control`, or `live-nst studio`"


def choose_endpoint(pid: int | None = None) -> Endpoint:
    """Return the session that runs.

    Args:
        pid: Its process; needed only if several run.

    Raises:
        ControlError: None runs, or several do.
    """
    found = find_endpoints()
    if pid is not None:
        for endpoint in found:
            if endpoint.pid == pid:
                return endpoint
        raise ControlError(f"There is no session {pid}", _names(found) or _START_HINT)
    if not found:
        raise ControlError("No session runs that can be controlled", _START_HINT)
    if len(found) > 1:
        raise ControlError(
            f"Several sessions run: {', '.join(map(str, found))}",
            f"choose one with --session, such as --session {found[-1].pid}",
        )
    return found[0]


def _name(endpoint: Endpoint) -> str:
    return str(endpoint) if endpoint.pid else f"at {endpoint.url}"


def _names(endpoints: list[Endpoint]) -> str:
    return f"these run: {', '.join(map(str, endpoints))}" if endpoints else ""


def read_link(link: str, token: str = "") -> Endpoint:
    """Return the session at an address; the link that the studio has printed is one.

    Args:
        link: The address, perhaps with the token.
        token: What requests must show; it wins over that of the link.
    """
    url, _, query = link.partition("?")
    token = token or parse_qs(query).get("token", [""])[0]
    scheme, separator, rest = url.partition("://")
    url = f"{scheme}{separator}{rest.rpartition('@')[2]}"  # messages show it
    return Endpoint(pid=0, kind="studio", url=url.rstrip("/"), token=token)


class SessionClient:
    """Sends requests to one session.

    Args:
        endpoint: How to reach it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return the JSON of its answer; None if there is none.

        Raises:
            ControlError: The session cannot be reached, or refuses.
        """
        data = self.read(method, path, body)
        try:
            return json.loads(data) if data else None
        except ValueError as exc:
            raise ControlError(
                f"What answers at {self._endpoint.url or 'the socket'} is no session", _START_HINT
            ) from exc

    def read(self, method: str, path: str, body: Any = None) -> bytes:
        """Send a request and return the bytes of its answer.

        Args:
            method: "GET", "PUT", ...
            path: The path, with its query.
            body: Sent as JSON; None for no body.

        Raises:
            ControlError: The session cannot be reached, or refuses.
        """
        headers = {"Accept": "*/*"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        if self._endpoint.token:
            headers["Authorization"] = f"Bearer {self._endpoint.token}"
        connection = _connection(self._endpoint)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            content: bytes = answer.read()
        except (OSError, HTTPException) as exc:
            raise ControlError(
                f"The session {_name(self._endpoint)} does not answer: {_reason(exc)}",
                "it may have ended, or hang",
            ) from exc
        finally:
            connection.close()
        if answer.status >= 400:
            raise _refusal(answer.status, content)
        return content


def _connection(endpoint: Endpoint) -> HTTPConnection:
    if endpoint.socket:
        return _SocketConnection(endpoint.socket)
    url = urlsplit(endpoint.url)
    if not url.hostname or url.scheme not in ("http", "https"):
        raise ControlError(f"{endpoint.url!r} is no address of a session", _START_HINT)
    try:
        port = url.port
    except ValueError as exc:
        raise ControlError(f"{endpoint.url!r} is no address of a session", _START_HINT) from exc
    if url.scheme == "https":
        return _PinnedConnection(url.hostname, port, endpoint.fingerprint)
    return HTTPConnection(url.hostname, port, timeout=_SECONDS)


class _SocketConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _PinnedConnection(HTTPSConnection):
    """HTTPS to a certificate that is known by its fingerprint, as the studio makes its own.

    Without a fingerprint the certificate is verified as usual.
    """

    def __init__(self, host: str, port: int | None, fingerprint: str) -> None:
        context = ssl.create_default_context()
        if fingerprint:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=_SECONDS, context=context)
        self._fingerprint = fingerprint.replace(":", "").lower()

    def connect(self) -> None:
        """Connect, and check the certificate before anything is sent."""
        super().connect()
        if self._fingerprint:
            certificate = self.sock.getpeercert(binary_form=True) or b""
            found = hashlib.sha256(certificate).hexdigest()
            if not hmac.compare_digest(found, self._fingerprint):
                raise ssl.SSLError("it shows another certificate")


def _reason(exc: Exception) -> str:
    if isinstance(exc, TimeoutError):
        return "it takes too long"
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError) and exc.reason:
        return f"it speaks no https: {exc.reason.replace('_', ' ').lower()}"
    reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return (reason or type(exc).__name__).lower()


def _refusal(status: int, content: bytes) -> ControlError:
    """Return the error that an answer describes."""
    try:
        answer = json.loads(content)
        return ControlError(str(answer["error"]).rstrip("."), str(answer.get("hint") or ""))
    except (ValueError, TypeError, KeyError):
        return ControlError(f"The session refuses with status {status}", "see its terminal")

"""Who may ask: the checks of Host, Origin and token, and the headers of every answer.

A page of another site can make a browser send requests to this machine (cross-site requests), or
let its own name point to it (DNS rebinding). The first have a foreign Origin, the second a foreign
Host. Both are refused, for HTTP and WebSockets alike.
"""

import hmac
import ipaddress
import json
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
SHORTEST_TOKEN = 12  # letters
_TOKEN_LETTERS = re.compile(r"[A-Za-z0-9._~-]+")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(self), display-capture=(self), microphone=(), geolocation=()"),
)
_HTTP_VERSIONS = ("1.0", "1.1", "2")


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes:
        hosts: Names that the server has, in lower case. An address of numbers is always one of
            them where `any_address` says so: a page cannot let it point elsewhere.
        any_address: Whether the server is open to more than this machine.
        token: What every request must show; empty for none.
        cookie: Name of the cookie that stands for the token.
        tls: Whether the server is reached by https.
    """

    hosts: frozenset[str]
    any_address: bool = False
    token: str = ""
    cookie: str = "live-nst"
    tls: bool = False
    _session: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def is_own_host(self, header: str) -> bool:
        """Return whether a Host header names this server."""
        name = host_name(header)
        if name is None:
            return False
        if name in self.hosts:
            return True
        try:
            return self.any_address and bool(ipaddress.ip_address(name))
        except ValueError:
            return False

    def shows_token(self, token: str) -> bool:
        """Return whether a token is the right one; it takes as long if it is not."""
        return bool(self.token) and hmac.compare_digest(token.encode(), self.token.encode())

    def is_allowed(self, headers: "Headers") -> bool:
        """Return whether a request shows the token, or the cookie that stands for it."""
        if not self.token:
            return True
        scheme, _, token = headers.get("authorization").partition(" ")
        if scheme.lower() == "bearer" and self.shows_token(token.strip()):
            return True
        try:
            morsel = SimpleCookie(headers.get("cookie")).get(self.cookie)
        except CookieError:
            return False
        value = morsel.value if morsel is not None else ""
        return hmac.compare_digest(value.encode(), self._session.encode())

    def cookie_header(self) -> str:
        """Return the Set-Cookie header for someone who has shown the token."""
        secure = "; Secure" if self.tls else ""
        return f"{self.cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict{secure}"


def own_names(host: str, further: Iterable[str] = ()) -> frozenset[str]:
    """Return the names by which a server that listens on `host` may be reached."""
    names = {*LOOPBACK_NAMES, *(name.lower() for name in further)}
    if not is_loopback(host):
        machine = socket.gethostname().lower()
        names |= {host.lower(), machine, f"{machine}.local", socket.getfqdn().lower()}
    return frozenset(names)


def is_loopback(host: str) -> bool:
    """Return whether an address of this machine is reached by nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_usable_token(token: str) -> bool:
    """Return whether a token is long enough, and can be a part of an address as it is."""
    return len(token) >= SHORTEST_TOKEN and _TOKEN_LETTERS.fullmatch(token) is not None


def host_name(header: str) -> str | None:
    """Return the name in a Host header in lower case, without its port; None if it is damaged."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", header)
    return match[1].strip("[]").lower() if match is not None else None


class Headers:
    """The headers of a request; a header that comes twice is joined by commas."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self._values[key] = f"{self._values[key]}, {text}" if key in self._values else text

    def get(self, name: str) -> str:
        """Return a header; empty if it is missing."""
        return self._values.get(name, "")


class SecurityMiddleware:
    """Refuses what is not allowed, and adds the headers to every answer.

    Args:
        app: What is protected.
        access: Who may ask.
    """

    def __init__(self, app: AsgiApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope["headers"])
        send = _with_headers(send, scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refuse(scope, receive, send, *refusal)
        elif self._brings_token(scope):
            await self._answer_token(scope, receive, send)
        elif not self._access.is_allowed(headers):
            await refuse(
                scope,
                receive,
                send,
                401,
                "This studio needs its token.",
                "open the link that `live-nst studio` has printed, or use `live-nst ctl`",
            )
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        """Return status, sentence and hint if a request is none, or comes from somewhere else."""
        if scope.get("http_version", "1.1") not in _HTTP_VERSIONS:  # ASGI: optional
            return 400, "The request cannot be understood.", "use HTTP/1.1"
        host = headers.get("host")
        if not self._access.is_own_host(host):
            return 403, "The studio does not have this name.", "use --allow-host NAME to allow it"
        origin = headers.get("origin")
        if origin and origin.partition("://")[2].lower() != host.lower():
            return 403, "Pages of other sites may not use the studio.", ""
        # Pictures and navigations have no Origin. Browsers say for those where they come from.
        site = headers.get("sec-fetch-site")
        opens_page = headers.get("sec-fetch-mode") == "navigate" and scope["path"] == "/"
        if site in ("cross-site", "same-site") and not opens_page:
            return 403, "Pages of other sites may not use the studio.", ""
        return None

    def _brings_token(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and scope["path"] == "/"
            and bool(self._access.token)
            and b"token=" in scope.get("query_string", b"")
        )

    async def _answer_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange the token in the address for a cookie."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if not self._access.shows_token(query.get("token", [""])[0]):
            hint = "open the link that `live-nst studio` has printed"
            await refuse(scope, receive, send, 401, "This is not the token.", hint)
            return
        headers = [(b"location", b"/"), (b"set-cookie", self._access.cookie_header().encode())]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _with_headers(send: Send, scope: Scope) -> Send:
    """Return a `send` that adds `HEADERS` to an answer."""
    added = [(name.encode(), value.encode()) for name, value in HEADERS]
    # The files of the page are asked for again each time: after an update all are of one version.
    static = scope["path"].startswith("/static/")
    added.append((b"cache-control", b"no-cache" if static else b"no-store"))

    async def send_with_headers(message: AsgiMessage) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return send_with_headers


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, error: str, hint: str
) -> None:
    """Answer a request or a WebSocket's handshake with an error."""
    body = json.dumps({"error": error, "hint": hint}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http.response"
    else:
        kind = "http.response"
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})

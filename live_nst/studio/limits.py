"""Bound the bodies of requests: in bytes, in time, and in memory for all of them together."""

import asyncio

from live_nst.studio.security import AsgiApp, AsgiMessage, Receive, Scope, Send, refuse

MAX_BODY = 64 * 1024
MAX_PICTURE = 32 * 1024 * 1024
MAX_ALL = 128 * 1024 * 1024
BODY_SECONDS = 10.0
PICTURE_SECONDS = 60.0
PICTURE_PATH = "/api/styles"
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")


class _TooLarge(Exception):
    """A body is larger than allowed."""


class _Busy(Exception):
    """All bodies together are larger than allowed."""


class BodyLimitMiddleware:
    """Reads the whole body of a request before anything acts on it, or refuses it.

    Args:
        app: Gets requests whose body has arrived.
        seconds: The longest time that a body may take.
        picture_seconds: The same for a picture.
    """

    def __init__(
        self,
        app: AsgiApp,
        seconds: float = BODY_SECONDS,
        picture_seconds: float = PICTURE_SECONDS,
    ) -> None:
        self._app = app
        self._seconds = seconds
        self._picture_seconds = picture_seconds
        self._bytes = 0  # of all bodies that are being read or used

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        picture = scope["method"] == "POST" and scope["path"] == PICTURE_PATH
        limit = MAX_PICTURE if picture else MAX_BODY
        if scope["method"] in _WITHOUT_BODY:
            limit = 0
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(self._picture_seconds if picture else self._seconds):
                    complete = await self._read(scope, receive, body, limit)
            except TimeoutError:
                await refuse(scope, receive, send, 408, "The request took too long to arrive.", "")
                return
            except _TooLarge:
                hint = f"send at most {limit // 1024} KiB" if limit else "send no body"
                await refuse(scope, receive, send, 413, "The request is too large.", hint)
                return
            except _Busy:
                hint = "try again in a moment"
                await refuse(scope, receive, send, 503, "Too much is being uploaded.", hint)
                return
            if complete:
                await self._app(scope, _replay(bytes(body), receive), send)
        finally:
            self._bytes -= len(body)

    async def _read(self, scope: Scope, receive: Receive, body: bytearray, limit: int) -> bool:
        """Read the body; return whether the client stayed until its end."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length[:15]) > limit:
            raise _TooLarge
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            chunk = message.get("body", b"")
            if len(body) + len(chunk) > limit:
                raise _TooLarge
            if self._bytes + len(chunk) > MAX_ALL:
                raise _Busy
            body += chunk
            self._bytes += len(chunk)
            if not message.get("more_body", False):
                return True


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once, then what really comes: the disconnection."""
    given = False

    async def replay() -> AsgiMessage:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay

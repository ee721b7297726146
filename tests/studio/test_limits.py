"""Bodies of requests: too large, too slow, too many."""

import asyncio
from typing import Any

import pytest

from live_nst.studio import limits
from live_nst.studio.limits import MAX_BODY, MAX_PICTURE, BodyLimitMiddleware


class Application:
    """Keeps the bodies that reach it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert not message["more_body"]
        self.bodies.append(message["body"])
        if self.gate is not None:
            await self.gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def ask(
    app: Any, chunks: list[bytes], method: str = "PUT", path: str = "/api/x", **headers: str
) -> int:
    """Send a request whose body comes in chunks; the last one never comes if it is b"?"."""
    statuses = []
    pending = list(chunks)

    async def receive() -> Any:
        if not pending:
            return {"type": "http.disconnect"}
        chunk = pending.pop(0)
        if chunk == b"?":
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": chunk, "more_body": bool(pending)}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    await app(scope, receive, send)
    return statuses[0] if statuses else 0


def test_bodies_that_fit() -> None:
    inner = Application()
    app = BodyLimitMiddleware(inner)
    assert asyncio.run(ask(app, [b"ab", b"", b"c"])) == 200
    assert asyncio.run(ask(app, [b"x" * MAX_BODY])) == 200
    assert asyncio.run(ask(app, [b""], "GET")) == 200
    assert inner.bodies[0] == b"abc" and len(inner.bodies[1]) == MAX_BODY
    assert app._bytes == 0


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_too_large(method: str) -> None:
    inner = Application()
    app = BodyLimitMiddleware(inner)
    assert asyncio.run(ask(app, [b"x" * MAX_BODY, b"y"], method)) == 413
    assert asyncio.run(ask(app, [b""], method, content_length=str(MAX_BODY + 1))) == 413
    assert asyncio.run(ask(app, [b""], method, content_length="9" * 60)) == 413
    assert inner.bodies == [] and app._bytes == 0


def test_body_of_a_request_that_has_none() -> None:
    assert asyncio.run(ask(BodyLimitMiddleware(Application()), [b"x"], "GET")) == 413


def test_only_pictures_may_be_large() -> None:
    inner = Application()
    app = BodyLimitMiddleware(inner)
    large = [b"x" * (MAX_BODY + 1)]
    assert asyncio.run(ask(app, large, "POST", "/api/styles")) == 200
    assert asyncio.run(ask(app, large, "POST", "/api/styles/x")) == 413
    assert asyncio.run(ask(app, large, "PUT", "/api/styles")) == 413
    assert asyncio.run(ask(app, [b"x" * (MAX_PICTURE + 1)], "POST", "/api/styles")) == 413


def test_too_slow() -> None:
    app = BodyLimitMiddleware(Application(), seconds=0.01, picture_seconds=0.02)
    assert asyncio.run(ask(app, [b"a", b"?"])) == 408
    assert asyncio.run(ask(app, [b"a", b"?"], "POST", "/api/styles")) == 408
    assert app._bytes == 0


def test_client_that_leaves() -> None:
    inner = Application()
    app = BodyLimitMiddleware(inner)
    assert asyncio.run(ask(app, [])) == 0
    assert inner.bodies == [] and app._bytes == 0


def test_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ALL", 100)
    inner = Application()
    app = BodyLimitMiddleware(inner)

    async def run() -> list[int]:
        inner.gate = asyncio.Event()
        first = asyncio.create_task(ask(app, [b"x" * 80]))
        while not inner.bodies:
            await asyncio.sleep(0)
        second = await ask(app, [b"y" * 30])
        inner.gate.set()
        third = await ask(app, [b"z" * 100])
        return [await first, second, third]

    assert asyncio.run(run()) in ([200, 503, 200], [200, 503, 503])
    assert app._bytes == 0

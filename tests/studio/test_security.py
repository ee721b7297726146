"""Who may ask: Host, Origin, token and cookie, for HTTP and WebSockets alike."""

from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from live_nst.studio.security import (
    Access,
    SecurityMiddleware,
    host_name,
    is_loopback,
    is_usable_token,
    own_names,
)

TOKEN = "correct-horse-battery"


async def secret(scope: Any, receive: Any, send: Any) -> None:
    """An application that tells everybody who reaches it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "secret"})
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"secret"})


def client_of(access: Access) -> TestClient:
    app: Any = SecurityMiddleware(secret, access)
    return TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)


LOCAL = Access(own_names("127.0.0.1"))
OPEN = Access(own_names("0.0.0.0", ["Box.example"]), any_address=True, token=TOKEN)


def get(client: TestClient, path: str = "/api/state", **headers: str) -> int:
    answer = client.get(path, headers={key.replace("_", "-"): v for key, v in headers.items()})
    assert (answer.content == b"secret") == (answer.status_code == 200)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    return answer.status_code


def connect(client: TestClient, **headers: str) -> int:
    """Return the status of a WebSocket's handshake."""
    named = {"host": "127.0.0.1:8000", **headers}
    try:
        with client.websocket_connect("/api/video", headers=named) as socket:
            assert socket.receive_text() == "secret"
            return 101
    except WebSocketDenialResponse as denial:
        return denial.status_code


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "localhost", "localhost:9000", "LOCALHOST", "[::1]:8000", "[::1]"],
)
def test_own_hosts(host: str) -> None:
    client = client_of(LOCAL)
    assert get(client, host=host) == 200
    assert connect(client, host=host) == 101


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "127.0.0.2.nip.io:8000", "192.168.1.5:8000", "",
        "localhost@evil.example", "[::2]", "localhost:80:80", "localhost/", "::1", "box.example",
        "xn--lcalhost-01a", "127.1", "0.0.0.0:8000", "localhost\x00", "localhost, evil.example",
    ],
)  # fmt: skip
def test_foreign_hosts(host: str) -> None:
    client = client_of(LOCAL)
    assert get(client, host=host) == 403
    assert connect(client, host=host) == 403


def test_hosts_of_an_open_server() -> None:
    client = client_of(OPEN)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for host in ("192.168.1.5:8000", "box.example", "[fe80::1]:8000", "localhost:1"):
        assert get(client, host=host, **bearer) == 200
    for host in ("evil.example", "box.example.evil.example"):
        assert get(client, host=host, **bearer) == 403
        assert connect(client, host=host, **bearer) == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("https://127.0.0.1:8000", 200),  # a proxy that adds TLS
        ("http://127.0.0.1:8001", 403),
        ("http://localhost:8000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:8000.evil.example", 403),
        ("file://", 403),
    ],
)
def test_origin(origin: str, status: int) -> None:
    client = client_of(LOCAL)
    assert get(client, origin=origin) == status
    assert connect(client, origin=origin) == (101 if status == 200 else status)


def test_requests_without_origin_from_another_site() -> None:
    client = client_of(LOCAL)
    for site in ("cross-site", "same-site"):
        assert get(client, "/stream.mjpeg", sec_fetch_site=site, sec_fetch_mode="no-cors") == 403
        assert get(client, "/", sec_fetch_site=site, sec_fetch_mode="navigate") == 200  # a link
        assert get(client, "/api/state", sec_fetch_site=site, sec_fetch_mode="navigate") == 403
    for site in ("same-origin", "none"):
        assert get(client, sec_fetch_site=site) == 200


def test_token() -> None:
    client = client_of(OPEN)
    assert get(client) == connect(client) == 401
    for wrong in ("wrong", TOKEN[:-1], TOKEN + "x", "", "é", TOKEN.upper()):
        headers = {"authorization": f"Bearer {wrong}".encode("latin-1")}
        assert client.get("/api/state", headers=headers).status_code == 401  # type: ignore[arg-type]
    assert get(client, authorization=f"Basic {TOKEN}") == 401
    assert get(client, f"/api/state?token={TOKEN}") == 401  # not in any other address
    assert get(client, authorization=f"Bearer {TOKEN}") == 200
    assert connect(client, authorization=f"bearer {TOKEN}") == 101


def test_cookie_in_exchange_for_the_token() -> None:
    client = client_of(OPEN)
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/?token=").status_code == 401
    assert "set-cookie" not in client.get("/?token=wrong").headers
    answer = client.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    assert "Secure" not in cookie
    assert get(client) == 200  # the client keeps the cookie
    assert connect(client, cookie=cookie.partition(";")[0]) == 101
    assert get(client, origin="http://evil.example") == 403
    client.cookies.clear()
    assert get(client, cookie="live-nst=wrong") == 401
    assert get(client, cookie="live-nst=") == 401
    assert get(client, cookie=";;;=\x7f") == 401


def test_cookie_over_tls_is_secure() -> None:
    access = Access(own_names("0.0.0.0"), token=TOKEN, tls=True)
    assert "; Secure" in access.cookie_header()


def test_names() -> None:
    assert host_name("[::1]:8000") == "::1" and host_name("Box:80") == "box"
    assert host_name("a b") is None and host_name("a:b") is None and host_name("[x]") is None
    assert is_loopback("127.5.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("box") and not is_loopback("::")
    assert is_usable_token(TOKEN) and not is_usable_token("short")
    assert not is_usable_token("has spaces in it") and not is_usable_token("question?mark&more")

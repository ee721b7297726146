"""The server as it listens: raw requests, viewers that stall, ports, certificates, signals."""

import contextlib
import http.client
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from live_nst.errors import ServerError, UsageError
from live_nst.studio.options import StudioOptions
from live_nst.studio.run import page_address
from live_nst.studio.security import Access, own_names
from live_nst.studio.server import Server, listen, listen_at
from live_nst.studio.tls import given_certificate, own_certificate
from tests.studio.conftest import StudioHarness


def raw(studio: StudioHarness, request: bytes) -> bytes:
    """Send bytes as they are; return the beginning of the answer."""
    host, port = studio.address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request.replace(b"HOST", studio.address.encode()))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if len(answer) > 100_000:
                break
        return answer


@pytest.mark.parametrize(
    "path",
    [
        b"/static/../app.py", b"/static/..%2fapp.py", b"/static/%2e%2e/%2e%2e/cli/app.py",
        b"/static//etc/passwd", b"/static/..\\app.py", b"/static/%00", b"/../../etc/passwd",
        b"/api/recordings/..%2f..%2fsecret.mp4", b"/api/recordings/%2fetc%2fpasswd",
        b"/api/styles/..%2f..%2f..%2fetc%2fpasswd/picture", b"//evil.example/", b"http://evil/",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(studio: StudioHarness, path: bytes) -> None:
    (studio.folder / "secret.mp4").write_bytes(b"secret")
    answer = raw(studio, b"GET " + path + b" HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ")[1] in (b"404", b"422", b"400", b"405"), answer
    assert b"secret" not in answer and b"import" not in answer and b"root:" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"", b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: HOST\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"POST /api/keys HTTP/1.1\r\nHost: HOST\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/keys HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_requests_that_are_none(studio: StudioHarness, request_: bytes) -> None:
    host, port = studio.address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request_.replace(b"HOST", studio.address.encode()))
        try:
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except OSError:  # it was closed already
            answer = b""
    assert b"Traceback" not in answer
    assert not answer or answer.split(b" ")[1][:1] == b"4", answer
    assert studio.client.get("/api/state").status_code == 200


def test_connection_that_asks_for_nothing_is_closed(
    studio: StudioHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live_nst.studio.server._HEADER_SECONDS", 0.3)
    host, port = studio.address.split(":")
    for beginning in (b"", b"GET / HTTP/1.1\r\nHost: "):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(beginning)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(10) == b""
    studio.start()
    with studio.connect("/api/video") as viewer:  # those that have asked are not
        end = time.monotonic() + 1
        while time.monotonic() < end:
            viewer.receive_bytes()


def test_stalled_viewer_holds_nothing_back(studio: StudioHarness) -> None:
    studio.start()
    host, port = studio.address.split(":")
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect((host, int(port)))
    stalled.sendall(f"GET /stream.mjpeg HTTP/1.1\r\nHost: {studio.address}\r\n\r\n".encode())
    with studio.connect("/api/video") as viewer:
        before = studio.state()["figures"]["frames"]
        for _ in range(60):
            viewer.receive_bytes()
        assert studio.state()["figures"]["frames"] > before + 30
    stalled.close()
    studio.wait(lambda: studio.state()["viewers"] == 0)


def test_pictures_for_obs(studio: StudioHarness) -> None:
    studio.start()
    with studio.client.stream("GET", "/stream.mjpeg?width=32&fps=60") as answer:
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace;boundary=")
        data = b""
        for chunk in answer.iter_raw():
            data += chunk
            if data.count(b"\xff\xd8\xff") >= 3:
                break
    parts = data.split(b"--live-nst-frame\r\n")
    assert parts[0] == b"" and parts[1].startswith(b"Content-Type: image/jpeg\r\n")
    assert parts[1].endswith(b"\xff\xd9\r\n")
    studio.wait(lambda: studio.state()["viewers"] == 0)


def test_port_in_use() -> None:
    first = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(ServerError, match=f"Port {port} is in use"):
        listen("127.0.0.1", port)
    first.close()


def test_addresses_that_are_none() -> None:
    for host in ("no.such.host.invalid", "203.0.113.7", "a" * 300, "1.2.3"):
        with pytest.raises(ServerError):
            listen(host, 0).close()


def test_unix_socket_is_for_the_user_alone(tmp_path: Path) -> None:
    opened = listen_at(tmp_path / "s")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    with pytest.raises(ServerError):
        listen_at(tmp_path / "s")
    opened.close()


def test_own_certificate(tmp_path: Path) -> None:
    names = ["localhost", "127.0.0.1", "::1", "box.local"]
    made = own_certificate(names, tmp_path)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert len(made.fingerprint.split(":")) == 32
    assert own_certificate(names, tmp_path) == made  # browsers ask only once
    assert own_certificate([*names, "other"], tmp_path).fingerprint != made.fingerprint
    made.key.write_text("damaged")
    assert own_certificate(names, tmp_path).fingerprint != made.fingerprint


def test_https(tmp_path: Path) -> None:
    made = own_certificate(["localhost", "127.0.0.1"], tmp_path)

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": message["type"] + ".complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["scheme"].encode()})

    context = ssl.create_default_context(cafile=str(made.certificate))
    with Server(app, [listen("127.0.0.1", 0)], made) as server:
        answer = httpx.get(f"https://127.0.0.1:{server.port}/", verify=context)
        assert answer.content == b"https"


def test_given_certificate(tmp_path: Path) -> None:
    one = own_certificate(["localhost"], tmp_path / "one")
    other = own_certificate(["localhost"], tmp_path / "other")
    assert given_certificate(one.certificate, one.key) == one
    with pytest.raises(ServerError, match="is not that of the certificate"):
        given_certificate(one.certificate, other.key)
    (tmp_path / "text").write_text("no certificate")
    for certificate, key in (
        (tmp_path / "text", one.key), (one.certificate, tmp_path / "text"),
        (tmp_path / "missing", one.key), (one.certificate, tmp_path),
    ):  # fmt: skip
        with pytest.raises(ServerError) as caught:
            given_certificate(certificate, key)
        assert caught.value.hint


@pytest.mark.parametrize(
    "options",
    [
        {"port": 70000}, {"port": -1}, {"token": "short"}, {"token": "x y z x y z x y z"},
        {"tls_cert": Path("a.pem")}, {"tls_key": Path("a.pem")},
        {"allow_hosts": ("https://studio.example",)}, {"allow_hosts": ("studio.example:443",)},
    ],
    ids=str,
)  # fmt: skip
def test_invalid_options(options: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        StudioOptions(**options).check()  # type: ignore[arg-type]
    assert caught.value.hint


def test_address_of_the_page() -> None:
    local = StudioOptions()
    assert page_address(local, Access(own_names("127.0.0.1")), 8000) == "http://127.0.0.1:8000/"
    public = StudioOptions(host="0.0.0.0", tls=True)
    access = Access(frozenset({"localhost", "box", "0.0.0.0"}), token="secret-secret")
    assert page_address(public, access, 81) == "https://box:81/?token=secret-secret"
    six = StudioOptions(host="::1")
    assert page_address(six, Access(own_names("::1")), 81) == "http://[::1]:81/"


STUDIO = """
import sys
from pathlib import Path
from live_nst.cli import main
from live_nst.live import session
from tests.studio.conftest import FakeModel
session.StylizerCore = FakeModel
sys.argv = ["live-nst", "studio", "--source", "demo", "--port", "0", *sys.argv[1:]]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_finishes_the_recording(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", STUDIO, "--folder", str(tmp_path), "--camera-size", "64x48"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().split()[1].removeprefix("http://").strip("/")
        connection = http.client.HTTPConnection(address, timeout=20)
        deadline = time.monotonic() + 30
        while True:
            connection.request("PUT", "/api/recording", '{"on":true}',
                               {"content-type": "application/json"})  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(number)
        errors = process.stderr.read()
        assert process.wait(20) == 0
    assert "Traceback" not in errors
    (recording,) = tmp_path.glob("*.mp4")
    import av

    with av.open(str(recording)) as container:
        assert len(list(container.decode(video=0))) > 2

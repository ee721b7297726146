"""Real servers that streams are sent to, each on a port of its own."""

import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np
import pytest

from live_nst.sinks.encoder import VideoEncoder
from live_nst.types import Frame, Image

NGINX_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s: {what}")
        time.sleep(0.01)


class Nginx:
    """nginx with its RTMP module, which records what it gets into `folder`."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("nginx") is None or not NGINX_MODULE.exists():
            pytest.skip("nginx with its RTMP module is not installed")
        self.folder = folder
        self.port = free_port()
        self.url = f"rtmp://127.0.0.1:{self.port}/live/s3cr3t-key"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "recorded").mkdir(parents=True)
        (folder / "recorded").chmod(0o777)
        folder.chmod(0o777)
        for parent in folder.parents:
            if parent.name.startswith("pytest-of"):
                break
            parent.chmod(parent.stat().st_mode | 0o011)
        paths = "".join(
            f"{name}_temp_path {folder}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"load_module {NGINX_MODULE}; daemon off; master_process off; "
            f"pid {folder}/pid; error_log {folder}/error.log; "
            f"events {{}} http {{ access_log off; {paths} }} "
            f"rtmp {{ access_log off; server {{ listen 127.0.0.1:{self.port}; application live {{ "
            f"live on; record all; record_path {folder}/recorded; record_unique on; }} }} }}"
        )

    def start(self) -> "Nginx":
        self._process = subprocess.Popen(
            ["nginx", "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]
        )
        wait_until(lambda: is_open(self.port), "nginx listens")
        return self

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def recordings(self) -> list[Path]:
        return sorted((self.folder / "recorded").iterdir(), key=lambda path: path.stat().st_ctime)

    @property
    def bytes_recorded(self) -> int:
        return sum(path.stat().st_size for path in self.recordings)


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def silent_listener(port: int = 0) -> Iterator[int]:
    """A server that accepts connections and never answers; gives its port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(20)
        yield server.getsockname()[1]


@contextmanager
def tls_proxy(port: int, folder: Path, name: str = "localhost") -> Iterator[int]:
    """Passes TLS connections on to a port without TLS; gives its own port.

    Its certificate is for `name`, and is its own authority: `folder/cert.pem`.
    """
    command = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as client,
                socket.create_connection(("127.0.0.1", port)) as server,
            ):
                threading.Thread(target=copy, args=(server, client), daemon=True).start()
                copy(client, server)

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class Show:
    """Writes frames to an encoder at a steady rate, as a pipeline does.

    Attributes:
        times: When each frame was written, in seconds of `time.monotonic()`.
    """

    def __init__(
        self, encoder: VideoEncoder, picture: Callable[[int], Image], fps: float = 30.0
    ) -> None:
        self.times: list[float] = []
        self._encoder, self._picture, self._fps = encoder, picture, fps
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Show":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        start, index = time.monotonic(), 0
        while not self._stop.wait(start + index / self._fps - time.monotonic()):
            now = time.monotonic()
            self._encoder.write(Frame(self._picture(index), index, now))
            self.times.append(now)
            index += 1


def checks(index: int) -> Image:
    """A picture with a red left half; the right half changes from frame to frame."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = (30, 40, 200)
    picture[:, 32:] = (20 * index) % 256
    return picture


def read_back(path: Path | str, **options: str) -> tuple[list[av.VideoFrame], int]:
    """The pictures of a file, and the number of its packets of sound."""
    pictures, sounds = [], 0
    with av.open(str(path), options=options) as container:
        for packet in container.demux():
            if packet.stream.type == "video":
                pictures += packet.decode()
            elif packet.size:
                sounds += 1
    return pictures, sounds

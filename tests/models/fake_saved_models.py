"""SavedModel folders with fake content, their archives, and a local server for them."""

import io
import tarfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

FILES = {
    "saved_model.pb": b"\x08\x01\x12\x03abc",
    "variables/variables.index": b"index",
    "variables/variables.data-00000-of-00002": b"first shard " * 5000,
    "variables/variables.data-00001-of-00002": b"second shard",
    "assets/words.txt": b"word",
}
"""Name and content of each file. The names are real, the content is not."""

Answer = Callable[["Request"], None]


def write_module(folder: Path) -> Path:
    """Write `FILES` under `folder`."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read_module(folder: Path) -> dict[str, bytes]:
    """Return the files under `folder` in the form of `FILES`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def archive(files: dict[str, bytes] = FILES, prefix: str = "./", mode: str = "w:gz") -> bytes:
    """Return a tar archive of `files`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Request(BaseHTTPRequestHandler):
    """Calls the answer for the path of each GET."""

    server: "_Server"

    def do_GET(self) -> None:
        self.server.requested.append(self.path)
        self.server.answers[urlsplit(self.path).path](self)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""

    def send(self, body: bytes, *, status: int = 200, length: int | None = None, **headers: str):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def hang(self) -> None:
        """Send nothing more until the server closes."""
        self.server.closing.wait(timeout=30)

    def trickle(self, count: int, every: float) -> None:
        """Send `count` bytes, one every `every` seconds, while the client is connected."""
        try:
            for _ in range(count):
                self.wfile.write(b"x")
                time.sleep(every)
        except OSError:
            return


class _Server(ThreadingHTTPServer):
    answers: dict[str, Answer]
    requested: list[str]
    closing: threading.Event


class ModuleServer:
    """A server on 127.0.0.1 with one answer per path; `requested` lists the requests."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.answers = {}
        self._server.requested = []
        self._server.closing = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def requested(self) -> list[str]:
        return self._server.requested

    def answer(self, path: str, answer: Answer) -> str:
        """Set the answer for `path`, and return its URL."""
        self._server.answers[path] = answer
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

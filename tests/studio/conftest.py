"""A studio with a fake source and a fake model."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from live_nst.errors import LiveNstError
from live_nst.files.secrets import hide_login
from live_nst.live import session as session_module
from live_nst.live.options import LiveOptions
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.studio.app import AppParts, create_app
from live_nst.studio.assemble import studio_parts
from live_nst.studio.host import SessionHost
from live_nst.studio.security import Access, own_names
from live_nst.studio.server import Server, listen
from live_nst.studio.styles import StyleShelf
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Frame, Image
from tests.live.fakes import INFO, FakeSource, FakeStylizer, picture

PATIENCE = 20.0
FRAMES = 1_000_000
"""How many frames a source has."""


class FakeModel(FakeStylizer):
    """A stylizer that needs no model.

    Attributes:
        made: All that were made, in order.
        failure: Raised when one is made.
    """

    made: "list[FakeModel]" = []  # noqa: RUF012
    failure: LiveNstError | None = None
    model_name, engine, device, style_computations = "fake", "nothing 1.0", "cpu", 1
    precision: Any = "float32"

    def __init__(self, options: StylizerOptions, **_: Any) -> None:
        if FakeModel.failure is not None:
            raise FakeModel.failure
        super().__init__((label_of(options.styles[0]),))
        self.options = options
        self.size = options.size or 384
        self.look, self.stroke = options.look, options.stroke
        self.closed = False
        self.previews: list[str] = []
        FakeModel.made.append(self)

    def select(self, style: Any, **options: Any) -> None:
        self.styles = (*self.styles, label_of(style))
        super().select(style, **options)

    def preview(self, image: Image, style: Any) -> Image:
        self.previews.append(label_of(style))
        return image.copy()

    def close(self) -> None:
        self.closed = True


def label_of(style: Any) -> str:
    return style if isinstance(style, str) else str(style.label)


@dataclass
class StudioHarness:
    """A studio whose source and model are fakes.

    Attributes:
        parts: The parts of its application.
        host: Runs its sessions.
        client: Sends it requests.
        address: Where it listens.
        folder: Where recordings land.
        notes: What it said at the terminal.
        names: The sources that were opened.
        refused: Sources that cannot be opened, by name.
    """

    parts: AppParts
    host: SessionHost
    client: httpx.Client
    address: str
    folder: Path
    notes: list[str]
    names: list[str] = field(default_factory=list)
    refused: dict[str, LiveNstError] = field(default_factory=dict)

    def start(self) -> None:
        self.host.start(self.host.options)
        self.wait(lambda: self.state()["figures"]["frames"] > 0)

    def connect(self, path: str, **headers: str) -> "Socket":
        """Open a WebSocket."""
        return Socket(f"ws://{self.address}{path}", headers)

    def state(self) -> Any:
        return self.client.get("/api/state").json()

    @staticmethod
    def wait(condition: Callable[[], object], what: str = "it did not happen") -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.01)


class Socket:
    """A WebSocket as a page opens it."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self._connecting = connect(
            address, additional_headers=headers, max_size=None, compression=None, close_timeout=1
        )

    def __enter__(self) -> Self:
        self.connection = self._connecting.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, message: str | bytes) -> None:
        self.connection.send(message)

    def send_json(self, **message: Any) -> None:
        self.send(json.dumps(message))

    def receive(self) -> str | bytes:
        return self.connection.recv(PATIENCE)

    def receive_json(self) -> Any:
        """Return the next text."""
        while not isinstance(message := self.receive(), str):
            pass
        return json.loads(message)

    def receive_bytes(self) -> bytes:
        """Return the next binary message."""
        while not isinstance(message := self.receive(), bytes):
            pass
        return message

    def closing_code(self) -> int:
        """Read until the server closes; return the code."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 0


@pytest.fixture
def token() -> str:
    """The token that requests must show; tests may override it."""
    return ""


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str) -> Iterator[StudioHarness]:
    notes: list[str] = []
    names: list[str] = []
    refused: dict[str, LiveNstError] = {}

    def open_source(spec: str, request: SourceRequest) -> FakeSource:
        names.append(spec)
        if spec in refused:
            raise refused[spec]
        return FakeSource(frames(), replace(INFO, name=f"fake {hide_login(spec)}"))

    monkeypatch.setattr("live_nst.studio.assemble.open_source", open_source)
    monkeypatch.setattr(session_module, "StylizerCore", FakeModel)
    monkeypatch.setattr("live_nst.studio.assemble.SourceList", lambda given: KnownSources(given))
    monkeypatch.setattr("live_nst.studio.assemble.installed_virtual_cameras", lambda: [])
    FakeModel.made.clear()  # other tests than those of the studio make some, too
    options = LiveOptions(window=False, source="demo", folder=tmp_path)
    access = Access(own_names("127.0.0.1"), token=token)
    with ExitStack() as stack:
        shelf = stack.enter_context(StyleShelf())
        host, parts = studio_parts(options, shelf, access, notes.append, lambda *_: None)
        stack.callback(host.close)
        server = stack.enter_context(Server(create_app(parts), [listen("127.0.0.1", 0)]))
        stack.callback(parts.hubs.end)
        address = f"127.0.0.1:{server.port}"
        # Without `verify` each client would load all certificates of the system.
        client = stack.enter_context(
            httpx.Client(base_url=f"http://{address}", timeout=PATIENCE, verify=False)
        )
        yield StudioHarness(parts, host, client, address, tmp_path, notes, names, refused)
    FakeModel.failure = None
    assert all(model.closed for model in FakeModel.made)
    FakeModel.made.clear()


def frames() -> Iterator[Any]:
    for number in range(FRAMES):
        time.sleep(0.01)
        yield Frame(picture(number), number, time.monotonic())
    yield None


class KnownSources:
    """A list of sources without a camera of this machine."""

    def __init__(self, given: str) -> None:
        from live_nst.sources.devices import CameraDevice
        from live_nst.studio.sources import SourceList

        cameras = [CameraDevice(0, name="Fake"), CameraDevice(1, name="Other")]
        self._list = SourceList(given, cameras=lambda: cameras, screens=list)
        self.entries, self.add = self._list.entries, self._list.add
        self.id_of, self.find = self._list.id_of, self._list.find


def jpeg(side: int = 64, color: str = "orange") -> bytes:
    """A picture as JPEG."""
    import io

    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.new("RGB", (side, side), color).save(buffer, "JPEG")
    return buffer.getvalue()


__all__ = ["PATIENCE", "FakeModel", "Socket", "SourceInfo", "StudioHarness", "jpeg"]

"""A studio with a fake source and a fake model."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from live_nst.errors import LiveNstError
from live_nst.live import session as session_module
from live_nst.live.options import LiveOptions
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.studio.app import AppParts, create_app
from live_nst.studio.assemble import studio_parts
from live_nst.studio.host import SessionHost
from live_nst.studio.security import Access, own_names
from live_nst.studio.styles import StyleShelf
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Frame, Image
from tests.live.fakes import INFO, FakeSource, FakeStylizer, picture

HOST = "127.0.0.1:8000"
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
        folder: Where recordings land.
        notes: What it said at the terminal.
        names: The sources that were opened.
        refused: Sources that cannot be opened, by name.
    """

    parts: AppParts
    host: SessionHost
    client: TestClient
    folder: Path
    notes: list[str]
    names: list[str] = field(default_factory=list)
    refused: dict[str, LiveNstError] = field(default_factory=dict)

    def start(self) -> None:
        self.host.start(self.host.options)
        self.wait(lambda: self.state()["figures"]["frames"] > 0)

    def state(self) -> Any:
        return self.client.get("/api/state").json()

    @staticmethod
    def wait(condition: Callable[[], object], what: str = "it did not happen") -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.01)


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
        return FakeSource(frames(), replace(INFO, name=f"fake {spec}"))

    monkeypatch.setattr("live_nst.studio.assemble.open_source", open_source)
    monkeypatch.setattr(session_module, "StylizerCore", FakeModel)
    monkeypatch.setattr("live_nst.studio.assemble.SourceList", lambda given: KnownSources(given))
    monkeypatch.setattr("live_nst.studio.assemble.installed_virtual_cameras", lambda: [])
    options = LiveOptions(window=False, source="demo", folder=tmp_path)
    access = Access(own_names("127.0.0.1"), token=token)
    with StyleShelf() as shelf:
        host, parts = studio_parts(options, shelf, access, notes.append, lambda *_: None)
        app: Any = create_app(parts)
        with TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False) as client:
            yield StudioHarness(parts, host, client, tmp_path, notes, names, refused)
            parts.hubs.end()
        host.close()
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
        self._list = SourceList(given, cameras=lambda: cameras)
        self.entries, self.knows = self._list.entries, self._list.knows


def jpeg(side: int = 64, color: str = "orange") -> bytes:
    """A picture as JPEG."""
    import io

    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.new("RGB", (side, side), color).save(buffer, "JPEG")
    return buffer.getvalue()


__all__ = ["HOST", "PATIENCE", "FakeModel", "SourceInfo", "StudioHarness", "jpeg"]

from pathlib import Path
from typing import Any

import pytest

from live_nst.errors import SourceError
from live_nst.sources import camera, screen, stream
from live_nst.sources.base import SourceRequest
from live_nst.sources.factory import open_source
from tests.sources.fakes import write_video

REQUEST = SourceRequest(320, 240, 25.0)


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was opened instead of a camera or stream: its kind, and what it was given."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(camera, "CameraSource", lambda *given: calls.append(("camera", *given)))
    monkeypatch.setattr(stream, "StreamSource", lambda *given: calls.append(("stream", *given)))
    return calls


@pytest.mark.parametrize(
    ("spec", "which"),
    [
        ("0", 0),
        ("12", 12),
        ("/dev/video2", "/dev/video2"),
        ("/dev/v4l/by-id/usb-cam", "/dev/v4l/by-id/usb-cam"),
        ("HD Webcam", "HD Webcam"),
        ("Logitech C920", "Logitech C920"),
        ("Cam v1.2", "Cam v1.2"),
    ],
)
def test_camera(opened: list[tuple[Any, ...]], spec: str, which: int | str) -> None:
    open_source(spec, REQUEST)
    assert opened == [("camera", which, REQUEST)]


@pytest.mark.parametrize(
    "spec",
    [
        "rtsp://10.0.0.5/live",
        "http://10.0.0.5:8080/video",
        "udp://0.0.0.0:5000",
        "file:///tmp/clip.mp4",
        "gone.mp4",
        "GONE.MOV",
        "folder/gone",
        "./0",
    ],
)
def test_stream_or_file(opened: list[tuple[Any, ...]], spec: str) -> None:
    open_source(spec, REQUEST)
    assert opened == [("stream", spec)]


def test_existing_file_with_any_name(
    opened: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("holiday", "0"):
        Path(name).touch()
    Path("OBS").mkdir()
    open_source("holiday", REQUEST)
    open_source("0", REQUEST)
    open_source("OBS", REQUEST)
    assert opened == [("stream", "holiday"), ("camera", 0, REQUEST), ("camera", "OBS", REQUEST)]


def test_demo() -> None:
    with open_source("demo", REQUEST) as source:
        assert (source.info.width, source.info.height) == (320, 240)


def test_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(screen, "ScreenSource", lambda *given: made.append(given))
    open_source("screen:2", REQUEST)
    ((which, request, _),) = made
    assert (which, request) == (screen.ScreenRegion(2), REQUEST)
    with pytest.raises(SourceError, match="names no screen"):
        open_source("screen:left", REQUEST)


@pytest.mark.parametrize("spec", ["", "  "])
def test_empty_source(spec: str) -> None:
    with pytest.raises(SourceError, match="no source"):
        open_source(spec, REQUEST)


def test_real_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    path = tmp_path / "clip.mkv"
    write_video(str(path), [0.0, 0.1])
    with open_source(str(path), REQUEST) as source:
        frame = source.read()
    assert frame is not None and frame.size == (64, 48)
    with pytest.raises(SourceError, match="there is no file"):
        open_source(str(tmp_path / "gone.mkv"), REQUEST)

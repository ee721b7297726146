"""What the tests of all sinks share."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import pyvirtualcam

from live_nst.sinks.recorder import Recorder
from live_nst.types import Frame, Image


def plain(size: tuple[int, int], color: tuple[int, int, int] = (40, 80, 160)) -> Image:
    """A picture of one color, BGR."""
    return np.full((size[1], size[0], 3), color, np.uint8)


def frames(count: int, size: tuple[int, int] = (64, 48), fps: float = 25.0) -> list[Frame]:
    """Frames of a steady rate on a clock that began long ago."""
    return [Frame(plain(size, (i % 256, 80, 160)), i, 1000 + i / fps) for i in range(count)]


def record(path: Path, given: list[Frame], fps_hint: float = 30.0) -> None:
    recorder = Recorder(path, fps_hint)
    for frame in given:
        recorder.write(frame)
    recorder.close()


def times(path: Path) -> list[float]:
    """Presentation times of all frames that can be decoded, in seconds."""
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0) if frame.time is not None]


class FakeBackend:
    """A backend of pyvirtualcam that keeps what it is sent."""

    opened: "list[FakeBackend]" = []  # noqa: RUF012

    def __init__(
        self, *, width: int, height: int, fps: float, fourcc: int, device: str | None
    ) -> None:
        if device == "broken":
            raise RuntimeError("Device broken is not a video output device.")
        self.size, self.fps, self.fourcc = (width, height), fps, fourcc
        self.asked = device
        self.sent: list[np.ndarray] = []
        self.closings = 0
        FakeBackend.opened.append(self)

    def send(self, frame: np.ndarray) -> None:
        if self.asked == "unplugged":
            raise RuntimeError("No such device")
        self.sent.append(frame.reshape(self.size[1], self.size[0], 3).copy())

    def close(self) -> None:
        self.closings += 1

    def device(self) -> str:
        return self.asked or "/dev/video7"

    def native_fourcc(self) -> None:
        return None


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeBackend]]:
    """The fake as pyvirtualcam's only backend."""
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    pyvirtualcam.register_backend("fake", FakeBackend)
    yield FakeBackend
    FakeBackend.opened.clear()

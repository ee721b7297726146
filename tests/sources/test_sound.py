"""Sound from files and devices."""

import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from live_nst.errors import SourceError, SourceLostError
from live_nst.sources import sound as module
from live_nst.sources.sound import SoundDevice, SoundFile, open_sound


def write_sound(path: Path, seconds: float = 1.0, *, video_from: float | None = None) -> Path:
    """A sine of 440 Hz; the pictures begin at `video_from`."""
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=44_100)
        video = container.add_stream("mpeg4", rate=25) if video_from is not None else None
        if video is not None and video_from is not None:
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
            for number in range(5):
                picture = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), "yuv420p")
                picture.pts = round(video_from * 25) + number
                container.mux(video.encode(picture))
            container.mux(video.encode(None))
        times = np.arange(round(seconds * 44_100)) / 44_100
        samples = np.sin(2 * np.pi * 440 * times).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([samples] * 2), "fltp", "stereo")
        frame.sample_rate = 44_100
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def read_all(source: SoundFile) -> list[tuple[float, int]]:
    found = []
    while (block := source.read()) is not None:
        found.append((block.time, block.frame.samples))
    return found


def test_file(tmp_path: Path) -> None:
    source = open_sound(str(write_sound(tmp_path / "sound.m4a")))
    assert isinstance(source, SoundFile)
    assert (source.name, source.live) == ("sound file sound.m4a", False)
    blocks = read_all(source)
    assert blocks[0][0] == pytest.approx(0, abs=0.03)
    ends = [start + count / 44_100 for start, count in blocks]
    np.testing.assert_allclose([start for start, _ in blocks[1:]], ends[:-1], atol=1e-4)
    assert ends[-1] == pytest.approx(1.0, abs=0.05)
    source.close()
    source.close()


def test_file_begins_with_its_first_picture(tmp_path: Path) -> None:
    with SoundFile(write_sound(tmp_path / "film.mkv", video_from=0.4)) as source:
        assert read_all(source)[0][0] == pytest.approx(-0.4, abs=0.05)


def test_wrong_files(tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("no sound")
    with pytest.raises(SourceError, match=r"text\.mp3 cannot be read") as caught:
        open_sound(str(tmp_path / "text.mp3"))
    assert caught.value.hint
    silent = tmp_path / "silent.mp4"
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), "yuv420p")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match="holds no sound"):
        open_sound(str(silent))
    for name in (str(tmp_path / "missing.mp3"), "missing.mp4", "missing.WAV"):
        with pytest.raises(SourceError, match="no sound file"):
            open_sound(name)
    with pytest.raises(SourceError, match="is a folder"):
        open_sound(str(tmp_path))
    with pytest.raises(SourceError, match="no sound is given"):
        open_sound("")


class FakeLibrary:
    """The package sounddevice with one microphone."""

    class PortAudioError(Exception):
        pass

    def __init__(self, channels: int = 2) -> None:
        self.asked: list[Any] = []
        self.channels = channels
        self.closed = 0

    def query_devices(self, device: Any = None, kind: str | None = None) -> Any:
        info = {
            "name": "USB Mic",
            "index": 3,
            "max_input_channels": self.channels,
            "default_samplerate": 44_100.0,
        }
        if kind is None:
            return [info, {"name": "Speaker", "max_input_channels": 0}]
        self.asked.append(device)
        if device not in (None, 3, "USB"):
            raise ValueError(f"No input device matching {device!r}")
        return info

    def InputStream(self, **options: Any) -> Any:
        self.options = options
        return SimpleNamespace(start=lambda: None, close=self._close)

    def _close(self) -> None:
        self.closed += 1

    def give(self, samples: np.ndarray, age: float) -> None:
        times = SimpleNamespace(currentTime=50.0, inputBufferAdcTime=50.0 - age)
        self.options["callback"](samples, len(samples), times, None)


@pytest.mark.parametrize("name", ["default", "3", "USB"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_device(name: str, channels: int) -> None:
    library = FakeLibrary(channels)
    source = SoundDevice(name, library)
    assert (library.options["device"], library.options["samplerate"]) == (3, 44_100)
    given = np.arange(200 * min(channels, 2), dtype=np.int16).reshape(200, -1)
    before = time.monotonic()
    library.give(given, age=0.03)
    after = time.monotonic()
    block = source.read()
    assert block is not None
    assert before - 0.03 <= block.time <= after - 0.03
    assert (block.frame.samples, block.frame.sample_rate) == (200, 44_100)
    np.testing.assert_array_equal(block.frame.to_ndarray()[0], given.ravel())
    source.close()
    assert library.closed == 1


@pytest.mark.parametrize("age", [-1.0, 40.0])
def test_device_that_does_not_tell_its_delay(age: float) -> None:
    library = FakeLibrary()
    source = SoundDevice("default", library)
    before = time.monotonic()
    library.give(np.zeros((4410, 2), np.int16), age)
    after = time.monotonic()
    block = source.read()
    assert block is not None
    assert before - 0.1 <= block.time <= after - 0.1


def test_device_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.01)
    with pytest.raises(SourceLostError, match="sound device USB gives no sound"):
        SoundDevice("USB", FakeLibrary()).read()


def test_missing_device() -> None:
    with pytest.raises(SourceError, match="sound device Webcam cannot be opened") as caught:
        SoundDevice("Webcam", FakeLibrary())
    assert caught.value.hint == "use a file, or one of these inputs: USB Mic"


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SourceError, match="need the package sounddevice") as caught:
        open_sound("default")
    assert "live-nst[sound]" in caught.value.hint


def test_queue_is_bounded() -> None:
    library = FakeLibrary()
    source = SoundDevice("default", library)
    for _ in range(1000):
        library.give(np.zeros((1, 2), np.int16), 0.0)  # never blocks PortAudio's thread
    assert source.read() is not None
    assert threading.active_count() < 50

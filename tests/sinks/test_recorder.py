import json
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from live_nst.errors import RecordingError
from live_nst.files.names import max_name_bytes
from live_nst.sinks.recorder import Recorder
from live_nst.types import Frame
from tests.sinks.conftest import frames, plain, record, times
from tests.sinks.test_sound import encode, onsets

COLORS = [
    (0, 0, 255),
    (0, 255, 0),
    (255, 0, 0),
    (0, 255, 255),
    (255, 255, 0),
    (255, 0, 255),
    (255, 255, 255),
    (0, 0, 0),
    (128, 128, 128),
    (30, 90, 200),
]


def boxes(path: Path) -> list[str]:
    """The names of an MP4's outermost boxes."""
    data, position, names = path.read_bytes(), 0, []
    while position + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[position : position + 8])
        names.append(name.decode())
        position += size
    return names


def bgr_by_bt709(frame: av.VideoFrame) -> np.ndarray:
    """Decode limited-range BT.709 by the standard's own formula, independent of FFmpeg's."""
    planes = [np.asarray(plane, np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
    luma, blue, red = (
        plane[:, :width].astype(np.float64)
        for plane, width in zip(
            planes, (frame.width, frame.width // 2, frame.width // 2), strict=True
        )
    )
    y = (luma - 16) / 219
    pb, pr = (np.kron(plane - 128, np.ones((2, 2))) / 224 for plane in (blue, red))
    r = y + 2 * (1 - 0.2126) * pr
    b = y + 2 * (1 - 0.0722) * pb
    g = (y - 0.2126 * r - 0.0722 * b) / 0.7152
    return np.clip(np.stack([b, g, r], axis=2) * 255, 0, 255)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".MP4"])
def test_frame_times(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    steps = [0.04, 0.05, 0.033, 0.1]
    instants = np.cumsum([0.0] + [steps[index % 4] for index in range(39)])
    record(path, [Frame(plain((64, 48)), i, 500 + t) for i, t in enumerate(instants)])
    # Matroska counts milliseconds.
    np.testing.assert_allclose(times(path), instants, atol=0.6e-3 if suffix == ".mkv" else 1e-5)


def test_stall_is_a_long_frame(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [Frame(plain((64, 48)), i, t) for i, t in enumerate([7.0, 7.1, 67.1, 67.2])])
    np.testing.assert_allclose(times(path), [0, 0.1, 60.1, 60.2], atol=1e-5)
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(60.3e6, abs=1e3)


def test_duration_of_the_last_frame(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [Frame(plain((64, 48)), i, t) for i, t in enumerate([0.0, 30.0])])
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(31e6, abs=1e3)


def test_fps_hint(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, frames(1), fps_hint=10)
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(0.1e6, abs=1e3)


def test_times_always_increase(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [Frame(plain((64, 48)), i, t) for i, t in enumerate([5.0, 5.0, 4.0, 5.5])])
    instants = times(path)
    assert len(instants) == 4
    assert (np.diff(instants) > 0).all()
    assert instants[-1] == pytest.approx(0.5)


@pytest.mark.parametrize("fps", [4.0, 60.0])
def test_keyframe_interval(fps: float, tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, frames(round(9 * fps), fps=fps), fps_hint=30)
    with av.open(str(path)) as container:
        keys = [p.pts * p.time_base for p in container.demux(video=0) if p.is_keyframe and p.size]
    assert [float(key) for key in keys] == pytest.approx([0, 2, 4, 6, 8], abs=1e-3)


def test_colors_are_bt709(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    image = np.concatenate([plain((64, 48), color) for color in COLORS], axis=1)
    record(path, [Frame(image, index, index / 25) for index in range(10)])
    with av.open(str(path)) as container:
        decoded = bgr_by_bt709(next(container.decode(video=0)))
    for index, color in enumerate(COLORS):
        patch = decoded[8:40, index * 64 + 16 : index * 64 + 48].mean(axis=(0, 1))
        np.testing.assert_allclose(patch, color, atol=3, err_msg=str(color))


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffprobe(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, frames(60, (320, 180), fps=30))
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format"]
    answer = subprocess.run(
        [*command, "-of", "json", str(path)], capture_output=True, check=True, text=True
    )
    assert answer.stderr == ""
    found = json.loads(answer.stdout)
    stream = found["streams"][0]
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    assert (stream["width"], stream["height"]) == (320, 180)
    assert stream["nb_read_frames"] == stream["nb_frames"] == "60"
    assert stream["color_range"] == "tv"
    assert {stream[f"color_{key}"] for key in ("space", "transfer", "primaries")} == {"bt709"}
    assert stream["start_pts"] == 0
    assert Fraction(stream["avg_frame_rate"]) == 30
    assert float(found["format"]["duration"]) == pytest.approx(2.0, abs=1e-3)
    assert stream["level"] <= 31  # a level that every player can decode
    assert found["format"]["tags"]["comment"] == "Recorded by live-nst"


def test_closed_mp4_is_not_fragmented(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, frames(150))
    assert boxes(path) == ["ftyp", "free", "mdat", "moov"]


def test_odd_size(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, frames(5, (65, 47)))
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
        assert (picture.width, picture.height) == (66, 48)
        decoded = bgr_by_bt709(picture)
    np.testing.assert_allclose(decoded[:, -1].mean(axis=0), (0, 80, 160), atol=6)
    np.testing.assert_allclose(decoded[-1].mean(axis=0), (0, 80, 160), atol=6)


def test_change_of_size(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sizes = [(64, 64), (64, 64), (128, 64), (33, 17)]
    record(path, [Frame(plain(s, (255, 255, 255)), i, i / 10) for i, s in enumerate(sizes)])
    with av.open(str(path)) as container:
        decoded = [bgr_by_bt709(picture) for picture in container.decode(video=0)]
    assert [picture.shape for picture in decoded] == [(64, 64, 3)] * 4
    assert decoded[0].min() > 240
    for wide in decoded[2:]:
        assert wide[:12].max() < 20
        assert wide[-12:].max() < 20
        assert wide[24:40].min() > 235


def test_write_leaves_the_image_alone(tmp_path: Path) -> None:
    frame = frames(1)[0]
    frame.image.flags.writeable = False
    record(tmp_path / "out.mp4", [frame])


def test_name(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4")
    assert recorder.name == f"recording {tmp_path / 'out.mp4'}"
    assert recorder.rate is None
    assert recorder.path == tmp_path / "out.mp4"


# Records noise to the path given, one frame after another, and tells each one's number.
RECORD_NOISE = """
import sys
import numpy as np
from live_nst.errors import RecordingError
from live_nst.types import Frame
from live_nst.sinks.recorder import Recorder

path, limit = sys.argv[1], int(sys.argv[2])
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
rng = np.random.default_rng(0)
recorder = Recorder(path)
try:
    for index in range(400):
        image = rng.integers(0, 256, (96, 128, 3), np.uint8)
        recorder.write(Frame(image, index, index / 10))
        print(index, flush=True)
except RecordingError as error:
    print("ERROR", error.message, flush=True)
    try:
        recorder.write(Frame(image, index, index / 10 + 1))
        print("written after the error")
    except RecordingError:
        pass
recorder.close()
recorder.close()
"""


def run_noise(path: Path, limit: int = 0) -> list[str]:
    """Return the lines that a process prints while it records noise."""
    result = subprocess.run(
        [sys.executable, "-c", RECORD_NOISE, str(path), str(limit)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_killed_recording_plays(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    process = subprocess.Popen(
        [sys.executable, "-c", RECORD_NOISE, str(path), "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "200":
            process.kill()
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    instants = times(path)
    # Lost are the fragment of two seconds (20 frames) and what the encoder still held.
    assert len(instants) >= 140
    np.testing.assert_allclose(instants, np.arange(len(instants)) / 10, atol=1e-3)
    # It is recognized as an earlier recording.
    assert "out-1" in Recorder(path).notice


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_file_size_limit(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    lines = run_noise(path, limit=700_000)
    assert lines[-1] == f"ERROR {path} would be larger than a file may be"
    written = int(lines[-2]) + 1
    assert 60 <= len(times(path)) <= written
    assert path.stat().st_size <= 700_000


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 700 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here (needs root)")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_full_disk(suffix: str, tiny_disk: Path) -> None:
    path = tiny_disk / f"out{suffix}"
    lines = run_noise(path)
    assert lines[-1] == f"ERROR The disk is full: {path} cannot be finished"
    assert 60 <= len(times(path)) <= int(lines[-2]) + 1
    assert list(tiny_disk.iterdir()) == [path]


def test_full_disk_during_close(tiny_disk: Path) -> None:
    path = tiny_disk / "out.mp4"
    recorder = Recorder(path)
    for frame in frames(200):
        recorder.write(frame)
    filler = tiny_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    with pytest.raises(RecordingError, match="The disk is full"):
        recorder.close()
    assert len(times(path)) >= 100
    recorder.close()


def test_full_disk_at_the_first_frame(tiny_disk: Path) -> None:
    with (tiny_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))
    recorder = Recorder(tiny_disk / "out.mp4")
    with pytest.raises(RecordingError, match="The disk is full"):
        for frame in frames(200):
            recorder.write(frame)
        recorder.close()
    recorder.close()


@pytest.mark.parametrize("name", ["12:30.mp4", "a:b/take-1:final.mkv", "LONG"])
def test_recording_again_under_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name.replace("LONG", "x" * (max_name_bytes(tmp_path) - 4) + ".mov"))
    path.parent.mkdir(exist_ok=True)
    for _ in range(3):
        record(path, frames(3))
    assert len(list(path.parent.iterdir())) == 3


def test_sound_track(tmp_path: Path) -> None:
    for suffix in (".mp4", ".mov", ".mkv"):
        path = tmp_path / f"out{suffix}"
        track = encode(48_000, 4.0)  # a beep at 100, 101, ...
        recorder = Recorder(path, 25, sound=track)
        for number in range(75):
            recorder.write(Frame(plain((64, 48)), number, 100.5 + number / 25))
        recorder.close()
        assert len(times(path)) == 75
        loud, heard = [], []
        with av.open(str(path)) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
            assert container.duration == pytest.approx(3.0e6, abs=0.05e6)
            for frame in container.decode(audio=0):
                loud.append(np.abs(frame.to_ndarray()[0]))
                heard.append(frame.time + np.arange(frame.samples) / 48_000)
        found = onsets(np.concatenate(loud), np.concatenate(heard))
        np.testing.assert_allclose(found, [0.5, 1.5, 2.5], atol=0.01, err_msg=suffix)


def test_killed_recording_with_sound_plays(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    recorder = Recorder(path, 25, sound=encode(48_000, 6.0))
    for number in range(150):
        recorder.write(Frame(plain((64, 48)), number, 100 + number / 25))
    killed = tmp_path / "killed.mp4"
    shutil.copy(path, killed)  # what a killed process leaves
    recorder.close()
    assert len(times(killed)) >= 49
    with av.open(str(killed)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 48_000

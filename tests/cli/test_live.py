"""`live-nst --source demo`, from end to end, in processes of their own, with the real model."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest

from live_nst.sources.demo_video import DemoVideo

SIZE = (640, 360)
FRAMES = 40
KEYS = {
    "frames", "fps", "dropped", "latency_ms", "stage_ms", "style_computations", "startup_seconds",
    "model", "engine", "device", "size", "peak_rss_mb",
}  # fmt: skip
FURTHER_KEYS = {
    "source", "style", "reconnects", "automatic_size", "frames_by_size", "repeated",
}  # fmt: skip
OWN_SENTENCES = (
    r"Model mobile: .+\.",
    r"Engine openvino \d.+ in (bfloat16|float32): .+\.",
    r"Source demo: 640x360 at 30 fps\.",
    r"Running on .+, size 384 at first, then as holds 30 fps\.",
)
# A session never waits for its recording: on a machine that is busy with other things, the frames
# that the encoder was too slow for are left out, and this sentence counts them.
LEFT_OUT = r"(\d+) frames came too fast for the recording .+\."
COMMAND = (
    sys.executable, "-m", "live_nst", "--source", "demo", "--style", "starry", "--no-window",
    "--device", "cpu", "--camera-size", f"{SIZE[0]}x{SIZE[1]}",
)  # fmt: skip


class Session(NamedTuple):
    """A finished session."""

    folder: Path
    code: int
    out: str
    err: str

    @property
    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = json.loads((self.folder / "s.json").read_text())
        return stats

    @property
    def left_out(self) -> int:
        """How many frames the recording lacks, as the session tells in the end."""
        (count,) = re.findall(LEFT_OUT, self.err) or ["0"]
        return int(count)

    def recorded(self) -> tuple[list[np.ndarray], list[float]]:
        """The recording's pictures, BGR, and their times in seconds."""
        with av.open(str(self.folder / "o.mp4")) as container:
            frames = list(container.decode(video=0))
        return (
            [frame.to_ndarray(format="bgr24") for frame in frames],
            [float(frame.time or 0) for frame in frames],
        )


def start(folder: Path, cache: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "--stats", "s.json", "--record", "o.mp4", *arguments],
        cwd=folder,
        env={**os.environ, "LIVE_NST_CACHE": str(cache), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]", folder: Path) -> Session:
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return Session(folder, process.returncode, out, err)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def first(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The first session on a machine."""
    folder = tmp_path_factory.mktemp("first")
    return finish(start(folder, cache, "--frames", str(FRAMES)), folder)


@pytest.fixture(scope="module")
def second(first: Session, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The second one, ended by Ctrl-C in the middle."""
    return interrupted(signal.SIGINT, cache, tmp_path_factory.mktemp("second"))


def interrupted(number: signal.Signals, cache: Path, folder: Path) -> Session:
    """A session that gets a signal when it has recorded for a moment."""
    process = start(folder, cache)
    deadline = time.monotonic() + 90
    while not (folder / "o.mp4").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)  # the recording appears with its first picture
    process.send_signal(number)
    return finish(process, folder)


def check_recording(session: Session) -> None:
    pictures, times = session.recorded()
    assert len(pictures) == session.stats["frames"] - session.left_out
    assert {picture.shape for picture in pictures} == {(SIZE[1], SIZE[0], 3)}
    assert times[0] == 0
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_messages_and_files(first: Session) -> None:
    assert first.code == 0, first.err
    lines = [line for line in first.err.splitlines() if not re.fullmatch(LEFT_OUT, line)]
    assert len(lines) == len(OWN_SENTENCES), first.err
    for line, pattern in zip(lines, OWN_SENTENCES, strict=True):
        assert re.fullmatch(pattern, line), line
    assert sorted(path.name for path in first.folder.iterdir()) == ["o.mp4", "s.json"]


def test_summary(first: Session) -> None:
    assert f"{FRAMES} frames at " in first.out
    assert "style computations: 1" in first.out
    assert "latency" in first.out and "model mobile" in first.out


def test_stats(first: Session) -> None:
    stats = first.stats
    assert set(stats) == KEYS | FURTHER_KEYS
    assert set(stats["latency_ms"]) == {"p50", "p95", "p99"}
    assert stats["frames"] == FRAMES
    assert (stats["model"], stats["device"]) == ("mobile", "cpu")
    assert stats["automatic_size"] is True
    assert stats["size"] in stats["frames_by_size"]
    assert stats["frames_by_size"]["384x216"] >= 10  # that is where it begins
    assert sum(stats["frames_by_size"].values()) >= FRAMES
    assert stats["engine"].startswith("openvino ")
    assert (stats["source"], stats["style"], stats["reconnects"]) == ("demo", "starry", 0)
    assert 1 <= stats["fps"] <= 31
    assert 0 < stats["startup_seconds"] < 60
    assert 100 < stats["peak_rss_mb"] < 8000
    low, middle, high = (stats["latency_ms"][key] for key in ("p50", "p95", "p99"))
    assert stats["stage_ms"]["stylize"] <= low <= middle <= high


def test_style_is_cached(first: Session, second: Session) -> None:
    assert first.stats["style_computations"] == 1
    assert second.stats["style_computations"] == 0


def test_recording_has_every_frame_once(first: Session) -> None:
    check_recording(first)
    assert len(first.recorded()[0]) == FRAMES - first.left_out


def test_recording_lasts_as_long_as_the_session(first: Session) -> None:
    _, times = first.recorded()
    stats = first.stats
    # The recording has the times of capture, the figures those of display. From the first frame to
    # the last, capture takes longer by the first one's latency, which may be long on a busy
    # machine, and shorter by the last one's. The recorder may lack the last frames.
    displayed = (FRAMES - first.left_out - 1) / stats["fps"]
    captured = (stats["frames"] + stats["dropped"] - 1) / 30  # the demo's rate, shown or dropped
    assert times[-1] >= displayed - stats["latency_ms"]["p99"] / 1000 - 0.1
    assert times[-1] <= captured + 0.1


def test_recorded_frames_are_stylized_and_move(first: Session) -> None:
    pictures, _ = first.recorded()
    scene = DemoVideo(*SIZE)
    demo = [scene.image_at(0.5 * number).astype(int) for number in range(60)]
    for picture in (pictures[0], pictures[-1]):
        # No moment of the demo looks like it: it is painted, not passed through.
        assert min(np.abs(picture - moment).mean() for moment in demo) > 15
        assert picture.std() > 20
    # Steadied, most of a picture rests; where the demo moves, it moves from frame to frame.
    changes = [np.abs(b.astype(int) - a) for a, b in itertools.pairwise(pictures)]
    assert np.median([np.percentile(change, 99.9) for change in changes]) > 4
    assert np.abs(pictures[-1].astype(int) - pictures[0]).mean() > 2


def test_sigint_ends_cleanly(second: Session) -> None:
    assert second.code == 0, second.err
    assert f"{second.stats['frames']} frames at " in second.out
    assert second.stats["frames"] >= 3
    check_recording(second)
    assert "Traceback" not in second.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_cleanly(
    number: signal.Signals, first: Session, cache: Path, tmp_path: Path
) -> None:
    session = interrupted(number, cache, tmp_path)
    assert session.code == 0, session.err
    assert "frames at " in session.out
    check_recording(session)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [1.0, 2.5, 4.0])
def test_interrupt_during_the_start_leaves_nothing(
    number: signal.Signals, delay: float, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    process = start(folder, tmp_path / "cache")
    time.sleep(delay)
    if (folder / "o.mp4").exists():
        process.kill()
        pytest.skip("this machine starts too fast to be interrupted")
    process.send_signal(number)
    session = finish(process, folder)
    assert session.code == 130
    assert "Traceback" not in session.err
    assert list(folder.iterdir()) == []

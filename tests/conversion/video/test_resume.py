"""An interrupted conversion continues where it stopped, and its output is the same."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.video import task as task_module
from live_nst.conversion.video.segments import work_folder
from live_nst.errors import ConversionCancelled, ConversionError, LiveNstError
from live_nst.files.lock import FileLock
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import frames_of, write
from tests.conversion.reading import read

SEGMENT = 8
FRAMES = 60


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_module, "segment_frames", lambda codec, threads: SEGMENT)


@pytest.fixture(scope="module")
def film(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Uneven times, B-frames, open GOPs, a late start, and sound."""
    images = frames_of(clips["bikes"], FRAMES, (160, 90))
    steps = np.random.default_rng(7).integers(200, 9000, FRAMES)
    return write(
        tmp_path_factory.mktemp("film") / "film.mp4",
        images,
        ticks=(6400 + np.cumsum(steps)).tolist(),
        options={"x264-params": "open-gop=1:keyint=15:bframes=3:b-adapt=0:scenecut=0"},
        audio=[("aac", "stereo", 300)],
    )


def run(film: Path, output: Path, stylizer: Negative | None = None, **options: Any) -> list[str]:
    said: list[str] = []
    convert(film, output, stylizer=stylizer or Negative(), notify=said.append, **options)  # type: ignore[arg-type]
    return said


def interrupted(film: Path, output: Path, after: int, **options: Any) -> None:
    """A run that is stopped when the network has seen so many frames."""
    stop = threading.Event()
    stylizer = Negative(stop_after(stop, after))
    with pytest.raises(ConversionCancelled):
        run(film, output, stylizer, cancel=stop, **options)
    assert not output.exists()


def stop_after(stop: threading.Event, frames: int) -> Callable[[int], None]:
    """Sets the event at that frame, and holds up the later ones until it must have been seen."""

    def look_on(count: int) -> None:
        if count == frames:
            stop.set()
        elif count > frames:
            time.sleep(0.25)

    return look_on


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("after", [1, 9, 20, 41, 58])
def test_resume_gives_same_output(film: Path, tmp_path: Path, after: int) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole)
    interrupted(film, output, after)

    stylizer = Negative()
    said = run(film, output, stylizer)

    assert output.read_bytes() == whole.read_bytes()
    kept = FRAMES - len(stylizer.seen)
    assert kept % SEGMENT == 0
    assert (kept > 0) == any("Continuing after" in line for line in said)
    assert files(tmp_path) == ["out.mp4", "whole.mp4"]


@pytest.fixture(scope="module")
def joined(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings in one file, so that the clock starts again in its middle."""
    folder = tmp_path_factory.mktemp("joined")
    part = write(
        folder / "part.ts",
        frames_of(clips["bikes"], FRAMES // 2, (160, 90)),
        ticks=[90_000 + 3600 * number for number in range(FRAMES // 2)],
        time_base=Fraction(1, 90_000),
        audio=[("mp2", "stereo", 300)],
        audio_start=1,
    )
    (folder / "film.ts").write_bytes(2 * part.read_bytes())
    return folder / "film.ts"


@pytest.mark.parametrize("after", [20, 50])
def test_resume_before_and_after_jump_of_clock(joined: Path, tmp_path: Path, after: int) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(joined, whole)
    interrupted(joined, output, after)
    assert any("Continuing after" in line for line in run(joined, output))
    assert output.read_bytes() == whole.read_bytes()


def test_segments_of_other_version_are_discarded(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    interrupted(film, output, 30)
    settings = work_folder(output) / "settings.json"
    settings.write_text(json.dumps({**json.loads(settings.read_bytes()), "format": 1}))
    said = run(film, output)
    assert said == ["Starting again: what is finished was made by another version of live-nst"]


def test_resume_many_times(film: Path, tmp_path: Path) -> None:
    whole, output = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    run(film, whole)
    stylized = 0
    for _ in range(20):
        stop = threading.Event()
        stylizer = Negative(stop_after(stop, 26))
        try:
            run(film, output, stylizer, cancel=stop)
        except ConversionCancelled:
            stylized += len(stylizer.seen)
            continue
        break
    assert [p.tobytes() for p in read(output, "bgr24").images] == [
        p.tobytes() for p in read(whole, "bgr24").images
    ]
    assert read(output).times == read(whole).times


def test_resume_restores_stylizer_state(film: Path, tmp_path: Path) -> None:
    """Every frame leans on the one before: a gap would show."""
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole, Negative(depends_on_previous=True))
    for after in (20, 27):
        stop = threading.Event()
        stylizer = Negative(stop_after(stop, after), depends_on_previous=True)
        with pytest.raises(ConversionCancelled):
            run(film, output, stylizer, cancel=stop)
    assert len(list(work_folder(output).glob("*.npz"))) <= 2
    last = Negative(depends_on_previous=True)
    run(film, output, last)
    assert output.read_bytes() == whole.read_bytes()


def test_resume_with_missing_state(film: Path, tmp_path: Path) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole, Negative(depends_on_previous=True))
    stop = threading.Event()
    with pytest.raises(ConversionCancelled):
        run(film, output, Negative(stop_after(stop, 45), depends_on_previous=True), cancel=stop)
    sorted(work_folder(output).glob("*.npz"))[-1].write_bytes(b"PK")
    run(film, output, Negative(depends_on_previous=True))
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("options", [{"start": 1.0, "end": 12.5}, {"every": 3}, {"start": 2.2}])
def test_resume_with_start_and_end(film: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole, **options)
    interrupted(film, output, 14, **options)
    stylizer = Negative()
    run(film, output, stylizer, **options)
    assert output.read_bytes() == whole.read_bytes()


def test_changed_settings_discard_segments_with_notice(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    interrupted(film, output, 40)
    stylizer = Negative()
    said = run(film, output, stylizer, crf=30)
    assert "Starting again: crf changed" in said
    assert len(stylizer.seen) == FRAMES


def test_restart(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    interrupted(film, output, 40)
    stylizer = Negative()
    said = run(film, output, stylizer, restart=True)
    assert "Starting again, because of --restart" in said
    assert len(stylizer.seen) == FRAMES

    before = output.read_bytes()
    with pytest.raises(ConversionError, match="already"):
        run(film, output)
    stop = threading.Event()
    with pytest.raises(ConversionCancelled):
        run(film, output, Negative(lambda count: stop.set()), cancel=stop, restart=True, crf=30)
    assert output.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no description", "half a line"])
def test_resume_with_damaged_segment(film: Path, tmp_path: Path, damage: str) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole)
    interrupted(film, output, 55)
    folder = work_folder(output)
    packets, described = folder / "000002.packets", folder / "000002.json"
    assert packets.exists() and described.exists()
    data = packets.read_bytes()
    if damage == "cut":
        packets.write_bytes(data[:-1])
    elif damage == "changed":
        packets.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "gone":
        packets.unlink()
    elif damage == "no description":
        described.unlink()
    else:
        described.write_text(described.read_text()[:50])
    stylizer = Negative()
    said = run(film, output, stylizer)
    assert said[0] == f"Continuing after {2 * SEGMENT} frames"
    assert output.read_bytes() == whole.read_bytes()


def test_resume_with_damaged_settings(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    interrupted(film, output, 40)
    (work_folder(output) / "settings.json").write_text("{")
    stylizer = Negative()
    run(film, output, stylizer)
    assert len(stylizer.seen) == FRAMES


def test_resume_after_interrupted_join(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", _refuse(output, os.replace))
        with pytest.raises(LiveNstError, match="cannot be written"):
            run(film, output)
    assert not output.exists()
    stylizer = Negative()
    run(film, output, stylizer)
    assert stylizer.seen == []
    assert len(read(output).times) == FRAMES


def _refuse(output: Path, replace: Any) -> Any:
    def refuse(source: Any, target: Any) -> None:
        if Path(target) == output:
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    return refuse


def test_second_process_on_same_output(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    folder = work_folder(output)
    folder.mkdir()
    with (
        FileLock(folder / "lock", output),
        pytest.raises(ConversionError, match="another live-nst"),
    ):
        run(film, output)
    run(film, output)


def test_resume_after_stylizer_error(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"

    def fail(count: int) -> None:
        if count == 50:
            raise RuntimeError("the network broke")

    with pytest.raises(RuntimeError, match="the network broke"):
        run(film, output, Negative(fail))
    stylizer = Negative()
    run(film, output, stylizer)
    assert len(stylizer.seen) < FRAMES


def test_stored_settings_are_json(film: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    interrupted(film, output, 40)
    kept = json.loads((work_folder(output) / "settings.json").read_text())
    assert kept["settings"]["codec"] == "libx264"
    assert kept["threads"] >= 1


KILLED = """
import os, signal, sys
from live_nst.conversion.video import task as task_module
from live_nst.conversion.api import convert
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

class Killed(StylizerCore):
    def postprocess(self, image, stylized, time=0.0):
        if time > 0.8:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().postprocess(image, stylized, time)

task_module.segment_frames = lambda codec, threads: 8
stylizer = Killed(
    StylizerOptions(
        model="mobile", styles=("starry", "wave"), size=64, device="cpu", stabilize="fast"
    )
)
convert(sys.argv[1], sys.argv[2], ["starry", ("wave", 0.4)], fade=1.0, stylizer=stylizer)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_resume_during_fade_after_kill(clips: dict[str, Path], tmp_path: Path) -> None:
    """It takes from 0.4 s to 1.4 s; the kill comes at 0.84 s, and nothing shows of it."""
    film = write(tmp_path / "in.mp4", frames_of(clips["bikes"], 40, (64, 48)))
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    process = subprocess.run([sys.executable, "-c", KILLED, str(film), str(output)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert not output.exists()

    said: list[str] = []
    with StylizerCore(
        StylizerOptions(
            model="mobile", styles=("starry", "wave"), size=64, device="cpu", stabilize="fast"
        )
    ) as stylizer:
        for path in (output, whole):
            report = convert(
                film,
                path,
                ["starry", ("wave", 0.4)],
                fade=1.0,
                stylizer=stylizer,
                notify=said.append,
            )
            assert report.frames == 40
    assert said.count("Continuing after 16 frames") == 1  # frame 16 is shown at 0.64 s
    assert output.read_bytes() == whole.read_bytes()

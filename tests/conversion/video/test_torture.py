"""Kills, full disks, damaged videos and memory use; takes minutes."""

import itertools
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.video.codecs import CODECS
from live_nst.conversion.video.encoding import segment_frames
from live_nst.conversion.video.segments import work_folder
from live_nst.runtime.machine import available_cores
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import frames_of, repeat, write
from tests.conversion.reading import read

pytestmark = pytest.mark.slow

PROGRAM = """
import sys, time
from pathlib import Path
from live_nst.conversion.api import convert
from live_nst.errors import LiveNstError
from tests.conversion.fakes import Negative

source, output, log, pace = sys.argv[1:]
with open(log, "a") as seen:
    def on_frame(count):
        seen.write(".")
        seen.flush()
        time.sleep(float(pace))
    try:
        stylizer = Negative(on_frame, depends_on_previous=True)
        convert(source, output, stylizer=stylizer, notify=print)
    except LiveNstError as exc:
        print(f"{type(exc).__name__}: {exc.message}")
        sys.exit(exc.exit_code)
"""


PEAK = """
from live_nst.runtime.memory import share_heap
share_heap()  # as the command does
import re, sys
from collections import deque
from pathlib import Path
from live_nst.conversion.api import convert
from tests.conversion.fakes import Negative

stylizer = Negative()
stylizer.seen = stylizer.finished = deque(maxlen=1)
report = convert(sys.argv[1], sys.argv[2], stylizer=stylizer)
print(report.frames, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def start(source: Path, output: Path, log: Path, pace: float, **more: Any) -> Any:
    command = [sys.executable, "-u", "-c", PROGRAM, str(source), str(output), str(log), str(pace)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def test_resume_after_20_kills(clips: dict[str, Path], tmp_path: Path) -> None:
    """The output shows nothing of it, and each kill costs at most one segment."""
    segment = segment_frames(CODECS["libx264"], available_cores())
    images = (frames_of(clips["bikes"], 250, (160, 90)) * 20)[: 5 * segment + 20]
    source = write(tmp_path / "in.mp4", images, audio=[("aac", "stereo", 300)])
    whole, output, log = tmp_path / "whole.mp4", tmp_path / "out.mp4", tmp_path / "log"
    convert(source, whole, stylizer=Negative(depends_on_previous=True))  # type: ignore[arg-type]
    folder = work_folder(output)
    dice = random.Random(5)
    lost = []
    while len(lost) < 20:
        log.write_bytes(b"")
        process = start(source, output, log, 0.004)
        frames = dice.randint(1, 2 * segment)  # by frames, as a busy machine starts slowly
        while process.poll() is None and log.stat().st_size < frames:
            time.sleep(0.002)
        process.kill()
        said, _ = process.communicate()
        assert not output.exists() or output.read_bytes() == whole.read_bytes()
        if output.exists():  # it was faster
            output.unlink()
            continue
        before = int(said.split()[2]) if said.startswith("Continuing after") else 0
        lost.append(log.stat().st_size - (saved_frames(folder) - before))
        if saved_frames(folder) >= 3 * segment:  # so that there always is something to interrupt
            dice.choice(sorted(folder.glob("*.json"))).unlink()
    assert max(lost) <= segment, lost
    assert max(lost) > segment // 4, lost  # else nothing was interrupted
    process = start(source, output, log, 0.0)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert output.read_bytes() == whole.read_bytes()


def saved_frames(folder: Path) -> int:
    """How many frames the segments in a work folder hold, up to the first that is missing."""
    found = 0
    for number in itertools.count():
        path = folder / f"{number:06}.json"
        if not path.exists():
            return found
        found = json.loads(path.read_bytes())["frames"]
    raise AssertionError


def size_of_whole(source: Path, folder: Path) -> int:
    """Bytes of the output when nothing is in its way."""
    convert(source, folder / "whole.mp4", stylizer=Negative(depends_on_previous=True))  # type: ignore[arg-type]
    return (folder / "whole.mp4").stat().st_size


def test_disk_full(clips: dict[str, Path], tmp_path: Path) -> None:
    """As a limit on the size of files, which needs no rights: the join does not fit."""
    source = write(tmp_path / "in.mp4", frames_of(clips["bikes"], 250))
    output, log = tmp_path / "out.mp4", tmp_path / "log"
    most = round(0.8 * size_of_whole(source, tmp_path))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    process = start(source, output, log, 0.0, preexec_fn=limit)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert "would be larger than a file may be" in out and "Traceback" not in err
    assert not output.exists()
    assert list((tmp_path / ".out.mp4.live-nst").glob("*.packets"))
    process = start(source, output, log, 0.0)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0
    assert "Continuing after" in out
    assert len(read(output).times) == 250


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_disk_full_on_real_file_system(clips: dict[str, Path], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", frames_of(clips["bikes"], 250))
    small = tmp_path / "small"
    small.mkdir()
    room = round(1.5 * size_of_whole(source, tmp_path))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(small)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        process = start(source, small / "out.mp4", tmp_path / "log", 0.0)
        out, err = process.communicate(timeout=200)
        assert process.returncode == 1, out + err
        assert "The disk is full" in out and "Traceback" not in err
        assert not (small / "out.mp4").exists()
        assert list((small / ".out.mp4.live-nst").glob("*.packets"))
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        process = start(source, small / "out.mp4", tmp_path / "log", 0.0)
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0 and "Continuing after" in out
        assert len(read(small / "out.mp4").times) == 250
    finally:
        subprocess.run(["umount", str(small)], check=False)


@pytest.mark.parametrize("part", range(5))
def test_mutated_videos(clips: dict[str, Path], tmp_path: Path, part: int) -> None:
    """150 in all: never anything but an error in a sentence or a true success."""
    small = frames_of(clips["bikes"], 24, (96, 64))
    sound = [("aac", "mono", 300)]
    films = [
        write(tmp_path / "a.mp4", small, audio=sound, container_options={"movflags": "faststart"}),
        write(  # without bitexact, Matroska's random numbers would be other ones in every run
            tmp_path / "b.mkv",
            small,
            audio=sound,
            options={"bf": "2"},
            container_options={"fflags": "bitexact"},
        ),
        write(
            tmp_path / "c.mp4", small, codec="libx265", options={"x265-params": "log-level=none"}
        ),
    ]
    dice = random.Random(100 + part)
    for number in range(30):
        film = films[number % len(films)]
        data = bytearray(film.read_bytes())
        for _ in range(dice.choice([1, 3, 20, 100])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        if dice.random() < 0.3:
            del data[dice.randrange(len(data)) :]
        mutant = tmp_path / f"m{number}{film.suffix}"
        mutant.write_bytes(bytes(data))
        output = tmp_path / f"o{number}.mkv"
        process = start(mutant, output, tmp_path / "log", 0.0)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 1), (number, process.returncode, out, err)
        assert "Traceback" not in err, (number, err)
        if process.returncode == 0:
            assert len(read(output).times) == len(read(mutant).times), number
        else:
            assert not output.exists() and "Error: " in out, (number, out)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_stays_flat(clips: dict[str, Path], tmp_path: Path) -> None:
    """Ten minutes of 1280x720 take no more memory than one."""
    peaks = []
    for frames in (1500, 15000):
        source = repeat(clips["bigbuckbunny"], tmp_path / "in.mp4", frames)
        output = tmp_path / f"out{frames}.mp4"
        command = [sys.executable, "-c", PEAK, str(source), str(output)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1700, check=False)
        assert done.returncode == 0, done.stderr
        stylized, peak = map(int, done.stdout.split())
        assert stylized == frames
        peaks.append(peak)
    print(f"peaks: {[peak // 1000 for peak in peaks]} MB")
    assert peaks[1] <= 1.05 * peaks[0], peaks

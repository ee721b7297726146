"""Whatever the standard streams are, a command that works ends well."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from live_nst.cli.standard_streams import prepare_standard_streams
from tests.conversion.make_videos import frames_of, write
from tests.conversion.reading import read

NAME = "\u6f22-\u00e9-\u2192"
CONVERT = [sys.executable, "-m", "live_nst", "convert", "--size", "64", "--model", "mobile"]


@pytest.fixture
def here(clips: dict[str, Path], tmp_path: Path) -> Path:
    write(tmp_path / f"{NAME}.mkv", frames_of(clips["bikes"], 4, (64, 48)))
    return tmp_path


@pytest.fixture
def streams() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    yield
    sys.stdout, sys.stderr = before


def environment(**values: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **values}


@pytest.mark.parametrize(
    "values",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp437:strict"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
def test_name_that_the_encoding_lacks(values: dict[str, str], here: Path) -> None:
    done = subprocess.run(
        [*CONVERT, f"{NAME}.mkv", f"{NAME}.mp4"],
        cwd=here,
        env=environment(**values),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"4 frames" in done.stdout and b"Converting" in done.stderr
    assert len(read(here / f"{NAME}.mp4").times) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    "redirection", ["2>&-", "<&- >&- 2>&-", "2>/dev/full"] if os.path.exists("/dev/full") else []
)
def test_closed_streams(redirection: str, here: Path) -> None:
    command = f'"$@" {redirection}'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *CONVERT, f"{NAME}.mkv", "out.mp4"],
        cwd=here,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(read(here / "out.mp4").times) == 4
    assert b"Converting" not in (here / "out.mp4").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_result_to_a_closed_stdout_fails(here: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *CONVERT, f"{NAME}.mkv", "-"],
        cwd=here,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"Standard output is closed" in done.stderr


def test_jpeg_images_from_a_camera_on_stdin(clips: dict[str, Path], tmp_path: Path) -> None:
    images = frames_of(clips["bikes"], 4, (64, 48))
    raw = b"".join(cv2.imencode(".jpg", image)[1].tobytes() for image in images)
    done = subprocess.run(
        [*CONVERT, "-", "out.mp4"],
        cwd=tmp_path,
        env=environment(),
        input=raw,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(read(tmp_path / "out.mp4").times) == 4


@pytest.mark.usefixtures("streams")
def test_messages_are_dropped_where_they_cannot_be_written(tmp_path: Path) -> None:
    class Gone:
        """A terminal that was closed."""

        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    gone: Any = Gone()
    sys.stderr = gone
    prepare_standard_streams()
    once = sys.stderr
    print("a message", file=sys.stderr, flush=True)
    sys.stderr.writelines(["a", "b"])
    assert sys.stderr.encoding == "utf-8"
    prepare_standard_streams()
    assert sys.stderr is once

"""Bad input: one sentence, a hint, exit code 1 or 2, and nothing left behind."""

import os
import shlex
import socket
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from live_nst import cli
from live_nst.styles.builtin import builtin_image_path


class Answer(NamedTuple):
    """What the command said and how it ended."""

    code: int
    out: str
    err: str


Run = Callable[[str], Answer]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of things that are not what they seem."""
    folder = tmp_path_factory.mktemp("material")
    picture = builtin_image_path("starry").read_bytes()
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("this is no picture\n")
    (folder / "cut.jpg").write_bytes(picture[: len(picture) // 2])
    (folder / "head.jpg").write_bytes(picture[:20])
    (folder / "bomb.png").write_bytes(png_header(60_000, 60_000))
    (folder / "nothing.png").write_bytes(png_header(0, 10))
    (folder / "folder").mkdir()
    (folder / "folder.mp4").mkdir()
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("this is no video\n")
    (folder / "song.txt").write_text("la la la\n")
    (folder / "no-model").mkdir()
    (folder / "text-model").mkdir()
    (folder / "text-model" / "saved_model.pb").write_text("this is no graph\n")
    (folder / "old.json").write_text("{}\n")
    return folder


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims such a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(100))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def run(
    material: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs the command in this process, among the material, where there is no display."""
    monkeypatch.chdir(material)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "LIVE_NST_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    before, threads = contents(material), set(threading.enumerate())

    def start(line: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["live-nst", *shlex.split(line)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        code = end.value.code
        assert isinstance(code, int)
        return Answer(code, *capfd.readouterr())

    yield start
    assert contents(material) == before
    left = [thread for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    assert not [thread.name for thread in left if thread.name.startswith("live-nst")]


def check(answer: Answer, code: int) -> str:
    """Check the form of an answer in our own words; the sentence."""
    assert answer.code == code, answer
    assert answer.out == ""
    error, hint = answer.err.splitlines()
    assert error.startswith("Error: ") and error.endswith("."), error
    assert hint.startswith("Hint: ") and len(hint) > len("Hint: x"), hint
    assert "unexpectedly" not in error
    return error


DEMO = "--no-window --source demo"

IN_OUR_WORDS = [
    # styles
    (f"{DEMO} --style missing.jpg", 1, "missing.jpg"),
    (f"{DEMO} --style no/such/picture", 1, "no/such/picture"),
    (f"{DEMO} --style empty.jpg", 1, "empty"),
    (f"{DEMO} --style text.jpg", 1, "not a picture"),
    (f"{DEMO} --style cut.jpg", 1, "damaged"),
    (f"{DEMO} --style head.jpg", 1, "head.jpg"),
    (f"{DEMO} --style bomb.png", 1, "million pixels"),
    (f"{DEMO} --style nothing.png", 1, "nothing.png"),
    (f"{DEMO} --style folder", 1, "folder"),
    (f"{DEMO} --style ''", 1, ""),
    (f"{DEMO} --style stary", 1, "stary"),
    (f"{DEMO} --style starry --style text.jpg", 1, "text.jpg"),
    (f"{DEMO} --style starry:0+wave:0", 1, "add up to 0"),
    (f"{DEMO} --style starry:1e308+wave:1e308", 1, "add up to inf"),
    (f"{DEMO} --style starry:-1+wave:2", 1, "-1"),
    (f"{DEMO} --style starry:nan+wave:1", 1, "nan"),
    (f"{DEMO} --style starry:inf+wave:1", 1, "inf"),
    (f"{DEMO} --style starry:many+wave:1", 1, "many"),
    (f"{DEMO} --style starry+", 1, "empty part"),
    (f"{DEMO} --style starry+nosuch", 1, "nosuch"),
    # numbers
    (f"{DEMO} --size 0", 2, "0"),
    (f"{DEMO} --size=-5", 2, "-5"),
    (f"{DEMO} --size 1", 2, "1"),
    (f"{DEMO} --size 99999", 2, "99999"),
    (f"{DEMO} --strength=-1", 2, "-1"),
    (f"{DEMO} --strength 2", 2, "2"),
    (f"{DEMO} --strength nan", 2, "nan"),
    (f"{DEMO} --detail 1.5", 2, "1.5"),
    (f"{DEMO} --stroke 0", 2, "0"),
    (f"{DEMO} --only missing.png", 2, "missing.png"),
    (f"{DEMO} --only persn", 2, "persn"),
    (f"{DEMO} --only text.jpg", 2, "text.jpg"),
    (f"{DEMO} --only cut.jpg", 2, "cut.jpg"),
    (f"{DEMO} --only folder", 2, "folder"),
    (f"{DEMO} --stroke 3.5", 2, "3.5"),
    (f"{DEMO} --frames 0", 2, "0"),
    (f"{DEMO} --frames=-7", 2, "-7"),
    (f"{DEMO} --duration 0", 2, "0"),
    (f"{DEMO} --duration=-1", 2, "-1"),
    (f"{DEMO} --duration nan", 2, "nan"),
    (f"{DEMO} --duration inf", 2, "inf"),
    (f"{DEMO} --camera-size 0x0", 2, "0x0"),
    (f"{DEMO} --camera-size 1x1", 2, "1x1"),
    (f"{DEMO} --camera-size 99999x1", 2, "99999x1"),
    (f"{DEMO} --camera-size 999999x720", 2, "999999x720"),
    (f"{DEMO} --camera-size abc", 2, "abc"),
    (f"{DEMO} --camera-size 640", 2, "640"),
    (f"{DEMO} --camera-size=-640x480", 2, "-640x480"),
    (f"{DEMO} --fps 0", 2, "0"),
    (f"{DEMO} --fps=-1", 2, "-1"),
    (f"{DEMO} --fps nan", 2, "nan"),
    (f"{DEMO} --fps 1e9", 2, "1e+09"),
    ("--no-window --source 99 --fps nan", 2, "nan"),
    ("--no-window --source 99 --camera-size 0x0", 2, "0x0"),
    # sources
    ("--no-window --source 99", 1, "99"),
    ("--no-window --source /dev/video99", 1, "/dev/video99"),
    ("--no-window --source 'No Such Camera'", 1, "No Such Camera"),
    ("--no-window --source ''", 1, ""),
    ("--no-window --source missing.mp4", 1, "missing.mp4"),
    ("--no-window --source empty.mp4", 1, "empty"),
    ("--no-window --source text.mp4", 1, "text.mp4"),
    ("--no-window --source song.txt", 1, "song.txt"),
    ("--no-window --source folder.mp4", 1, "folder"),
    ("--no-window --source nosuch://camera/1", 1, "nosuch://camera/1"),
    ("--no-window --source screen", 1, "screen"),
    ("--no-window --source screen:left", 1, "screen:left"),
    # where frames and figures go
    (f"{DEMO} --record out.gif", 2, "out.gif"),
    (f"{DEMO} --record out", 2, "out"),
    (f"{DEMO} --record no/such/folder/out.mp4", 1, "no/such/folder"),
    (f"{DEMO} --record folder", 1, "folder"),
    (f"{DEMO} --record folder.mp4", 1, "folder.mp4"),
    (f"{DEMO} --record text.mp4", 1, "text.mp4"),
    (f"{DEMO} --record empty.mp4", 1, "empty.mp4"),
    (f"{DEMO} --record song.txt/out.mp4", 1, "song.txt"),
    (f"{DEMO} --stats no/such/folder/s.json", 2, "no/such/folder"),
    (f"{DEMO} --stats folder", 2, "folder"),
    (f"{DEMO} --stats text.jpg", 2, "holds no figures"),
    (f"{DEMO} --stats o.mp4 --record ./o.mp4", 2, "is the recording"),
    (f"{DEMO} --stats old.json --frames 0", 2, "0"),
    (f"{DEMO} --virtual-camera /dev/video99", 1, "/dev/video99"),
    # control
    (f"{DEMO} --metrics many", 2, "many"),
    (f"{DEMO} --metrics 0.0.0.0:9000", 2, "0.0.0.0"),
    (f"{DEMO} --osc loud", 2, "loud"),
    (f"{DEMO} --control loud", 2, "loud"),
    (f"{DEMO} --control 0.0.0.0:80", 2, "0.0.0.0"),
    (f"{DEMO} --on-demand", 2, "virtual camera"),
    (f"{DEMO} --preset nosuch", 2, "nosuch"),
    (f"{DEMO} --preset song.txt", 2, "song.txt"),
    ("ctl --session 1 status", 1, "session 1"),
    ("ctl --url nothing status", 1, "nothing"),
    ("ctl strength much", 2, "much"),
    ("ctl preset burn", 2, "preset"),
    (f"{DEMO} --osc 192.0.2.1:9000", 2, "192.0.2.1"),
    # models
    (f"{DEMO} --model nosuch", 2, "nosuch"),
    (f"{DEMO} --model ./missing", 1, "missing"),
    (f"{DEMO} --model ./no-model", 1, "no-model"),
    (f"{DEMO} --model ./text-model", 1, "text-model"),
    (f"{DEMO} --model song.txt", 1, "song.txt"),
    (f"{DEMO} --model http://example.com/model", 2, "http"),
    (f"{DEMO} --model ftp://example.com/model", 2, "ftp"),
    # painting one picture
    ("paint missing.jpg out.png", 1, "missing.jpg"),
    ("paint text.jpg out.png", 1, "text.jpg"),
    ("paint text.jpg out.txt", 2, "out.txt"),
    ("paint text.jpg text.jpg", 2, "already"),
    ("paint text.jpg no/such/out.png", 2, "no/such"),
    ("paint text.jpg out.png --size 0", 2, "0"),
    ("paint text.jpg out.png --steps=-1", 2, "-1"),
    ("paint text.jpg out.png --optimizer sgd", 2, "sgd"),
    ("paint text.jpg out.png --start there", 2, "there"),
    ("paint text.jpg out.png --loss nosuch", 2, "nosuch"),
    ("paint text.jpg out.png --style-layer block9", 2, "block9"),
    ("paint text.jpg out.png --style-weight nan", 2, "nan"),
    ("paint text.jpg out.png --preview", 1, "display"),
    ("score text.jpg starry text.jpg --vgg missing.h5", 1, "missing.h5"),
    ("score text.jpg starry text.jpg --vgg song.txt", 1, "song.txt"),
    ("score text.jpg starry text.jpg --network resnet", 2, "resnet"),
    # the window
    ("", 1, "display"),
    ("--source demo --record out.mp4", 1, "display"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "word"), IN_OUR_WORDS, ids=[line for line, _, _ in IN_OUR_WORDS]
)
def test_bad_input(run: Run, line: str, code: int, word: str) -> None:
    assert word.lower() in check(run(line), code).lower()


IN_TYPERS_WORDS = [
    ("--device tpu", "--device"),
    ("--device gpu:x", "--device"),
    ("--nosuch", "--nosuch"),
    ("--size many", "--size"),
    ("--strength much", "--strength"),
    ("--frames 1.5", "--frames"),
    ("--fps fast", "--fps"),
    ("--style", "--style"),
    ("nosuch", "nosuch"),
    ("--size 256 devices", "--size"),
    ("--style wave styles", "--style"),
    ("--no-window doctor", "window"),
    ("devices --nosuch", "--nosuch"),
]


@pytest.mark.parametrize(
    ("line", "word"), IN_TYPERS_WORDS, ids=[line for line, _ in IN_TYPERS_WORDS]
)
def test_unknown_options_and_values(run: Run, line: str, word: str) -> None:
    answer = run(line)
    assert answer.code == 2
    assert answer.out == ""
    assert word in answer.err
    assert "Traceback" not in answer.err and "unexpectedly" not in answer.err


@pytest.mark.parametrize("scheme", ["http", "rtsp", "tcp"])
def test_address_without_a_server(run: Run, scheme: str) -> None:
    with socket.socket() as taken:  # bound, not listening: connections to it are refused
        taken.bind(("127.0.0.1", 0))
        address = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}/live"
        sentence = check(run(f"--no-window --source {address}"), 1)
    assert address in sentence


def test_password_in_an_address_is_not_shown(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        answer = run(f"--no-window --source rtsp://me:secret@127.0.0.1:{port}/live")
    check(answer, 1)
    assert "secret" not in answer.err


@pytest.mark.parametrize(("option", "code"), [("--record out.mp4", 1), ("--stats s.json", 2)])
def test_read_only_folder(
    run: Run, option: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    assert "writ" in check(run(f"{DEMO} {option}"), code)


def test_unexpected_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.live import session

    monkeypatch.setattr(session, "open_source", lambda spec, request: 1 / 0)
    answer = run(DEMO)
    assert answer.code == 1
    error, hint = answer.err.splitlines()
    assert "unexpectedly" in error and "ZeroDivisionError" in error
    assert "LIVE_NST_DEBUG" in hint


@pytest.mark.parametrize("line", [f"{DEMO} --size 0", "--no-window --source 99"])
def test_debug_variable(run: Run, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.errors import LiveNstError

    monkeypatch.setenv("LIVE_NST_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["live-nst", *line.split()])
    with pytest.raises(LiveNstError):
        cli.main()


def test_missing_gpu(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "live_nst", *DEMO.split(), "--device", "gpu", "--model", "mobile",
         "--record", "out.mp4"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "NO_COLOR": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error.startswith("Error: There is no GPU that an engine can use here")
    assert "--device cpu" in hint
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []

"""The whole program in a real window on a virtual screen: its keys, its figures, its ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.sinks.xvfb import click_close_button, window_manager, xvfb, xvfb_process

NEEDED = ("Xvfb", "xdotool", "import", "openbox")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING) or not sys.platform.startswith("linux"),
    reason=f"needs Linux and the programs {', '.join(MISSING or NEEDED)}",
)

SIZE = (640, 360)
PATIENCE = 90.0  # seconds; a busy machine takes long to import TensorFlow
COMMAND = ["-m", "live_nst", "--source", "demo", "--camera-size", "640x360", "--fps", "15"]
COMMAND += ["--size", "128", "--style", "candy", "--style", "ink"]
COMMAND += ["--record", "run.mp4", "--stats", "stats.json"]


class Session:
    """live-nst on a screen of its own, in a folder of its own."""

    def __init__(self, display: str, folder: Path) -> None:
        self.folder = folder
        self._environ = {**os.environ, "DISPLAY": display}
        self._display = display
        self._log = (folder / "log.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, *COMMAND],
            cwd=folder,
            env=self._environ,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.window = 0
        self.wait(self._find_window, "no window")
        self.wait(lambda: self.picture().std() > 30, "nothing is shown")

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None or what == "it does not end", self.log()
            assert time.monotonic() < deadline, f"{what}: {self.log()}"
            time.sleep(0.1)

    def run(self, *command: str) -> bytes:
        done = subprocess.run(command, env=self._environ, capture_output=True, check=False)
        return done.stdout

    def _find_window(self) -> bool:
        found = self.run("xdotool", "search", "--name", "^live-nst$").split()
        self.window = int(found[-1]) if found else 0
        return bool(found)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.run("xdotool", "key", "--window", str(self.window), key)
            time.sleep(0.1)

    def picture(self) -> np.ndarray:
        """What the window shows, BGR."""
        png = self.run("import", "-window", str(self.window), "png:-")
        picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) if png else None
        return np.zeros((1, 1, 3), np.uint8) if picture is None else picture

    def click_close_button(self) -> None:
        click_close_button(self._display, self.window)

    def end(self) -> dict[str, object]:
        """Wait for a clean end, and give the figures."""
        self.wait(lambda: self.process.poll() is not None, "it does not end")
        assert self.process.returncode == 0, self.log()
        figures: dict[str, object] = json.loads((self.folder / "stats.json").read_text())
        return figures


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with xvfb("1024x768x24") as display, window_manager(display):
        running = Session(display, tmp_path)
        yield running
        running.process.kill()
        running.process.wait()


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def saturation(picture: np.ndarray) -> float:
    return float(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[..., 1].mean())


def test_keys(session: Session) -> None:
    session.press("o")  # without figures over the picture
    session.wait(lambda: saturation(session.picture()) > 100, "candy is not colorful")
    session.press("n")
    session.wait(lambda: saturation(session.picture()) < 60, "ink is not gray")
    session.press("s")
    session.wait(lambda: list(session.folder.glob("live-nst-*.png")), "no picture was saved")
    session.press("v")  # the left half shows the demo, in color
    session.wait(
        lambda: saturation(session.picture()[:, : SIZE[0] // 3]) > 60, "no original at the left"
    )
    session.press("v")
    session.wait(
        lambda: saturation(session.picture()[:, : SIZE[0] // 3]) < 60, "the original is still there"
    )
    session.press("r")  # ends the recording that ran from the start
    session.wait(
        lambda: "moov" in str((session.folder / "run.mp4").read_bytes()[-200_000:]), "open"
    )
    session.press("r")  # starts another
    session.wait(lambda: list(session.folder.glob("live-nst-*.mp4")), "no recording by key")
    before = session.picture()
    session.press("h")
    session.wait(
        lambda: session.picture()[100:260, 200:440].mean() < 0.8 * before[100:260, 200:440].mean(),
        "no help",
    )
    session.press("h", "bracketright", "space")
    time.sleep(6)  # a larger size is compiled beside the stream before it is used
    session.press("q")
    figures = session.end()
    assert figures["style"] == "ink"
    assert figures["style_computations"] == 2
    assert figures["size"] == "192x108"
    (saved,) = session.folder.glob("live-nst-*.png")
    snapshot = cv2.imread(str(saved))
    assert snapshot is not None and snapshot.shape == (SIZE[1], SIZE[0], 3)
    assert saturation(snapshot) < 60
    first = decoded(session.folder / "run.mp4")
    assert saturation(first[0]) > 100 > 60 > saturation(first[-1]), "a fade from candy to ink"
    (later,) = session.folder.glob("live-nst-*.mp4")
    assert decoded(later)[-1].shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize("way", ["close button", "SIGINT", "SIGTERM"])
def test_ways_to_quit(session: Session, way: str) -> None:
    if way == "close button":
        session.click_close_button()
    else:
        session.process.send_signal(getattr(signal, way))
    figures = session.end()
    written = decoded(session.folder / "run.mp4")
    assert len(written) >= 1
    assert isinstance(figures["frames"], int) and figures["frames"] >= 1
    assert "Traceback" not in session.log()


def test_x_server_that_is_killed(tmp_path: Path) -> None:
    with xvfb_process("1024x768x24") as (server, display), window_manager(display):
        session = Session(display, tmp_path)
        # What was recorded before its first fragment may be lost: Qt can end the process at once.
        recording = tmp_path / "run.mp4"
        session.wait(
            lambda: recording.exists() and b"moof" in recording.read_bytes(),
            "no fragment was written",
        )
        server.kill()
        session.wait(lambda: session.process.poll() is not None, "it does not end")
    assert session.process.returncode == 1, session.log()
    log = session.log()
    assert log.count("The window is lost: the X server has ended") == 1, log
    assert "Traceback" not in log
    assert decoded(recording)

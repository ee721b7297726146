"""A real window on a virtual screen: what it shows, hears and prints."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest

from live_nst.errors import DisplayError
from live_nst.sinks.window import Window, add_aspect_bars, key_name
from tests.sinks.xvfb import click_close_button, window_manager, xvfb

MISSING = [name for name in ("Xvfb", "xdotool", "import") if shutil.which(name) is None]
with_screen = pytest.mark.skipif(
    bool(MISSING) or not sys.platform.startswith("linux"),
    reason=f"needs Linux and the programs {', '.join(MISSING) or 'Xvfb, xdotool, import'}",
)
with_manager = pytest.mark.skipif(
    shutil.which("openbox") is None, reason="needs a window manager: openbox"
)

TITLE = "live-nst test"
SIZE = (320, 180)
COLORS = {(0, 0): (0, 0, 255), (0, 1): (0, 255, 0), (1, 0): (255, 0, 0), (1, 1): (30, 90, 200)}
"""(row, column) of a quadrant: its color, BGR."""

# Shows four quadrants until it is closed or has heard q; f is full screen. Tells what happens.
PROGRAM = f"""
import sys
import numpy as np
from live_nst.sinks.window import Window

image = np.zeros(({SIZE[1]}, {SIZE[0]}, 3), np.uint8)
for (row, column), color in {COLORS}.items():
    image[row * {SIZE[1] // 2} :, column * {SIZE[0] // 2} :] = color
window = Window("{TITLE}", (int(sys.argv[1]), int(sys.argv[2])), fullscreen="full" in sys.argv)
polls = 0
while not window.closed:
    window.show(image)
    key = window.poll()
    polls += 1
    if polls == 20:
        print("ready", flush=True)
    if key:
        print("key", key, flush=True)
    if key == "f":
        window.toggle_fullscreen()
    if key == "q":
        break
print("closed", window.closed, flush=True)
window.show(image)
print("poll", window.poll(), flush=True)
window.close()
window.close()
"""


class Running:
    """The program above on a screen of its own."""

    def __init__(self, process: "subprocess.Popen[str]", display: str) -> None:
        self.process = process
        self.display = display
        self.expect("ready")
        self.id = self.xdotool("search", "--name", f"^{TITLE}$").split()[-1]

    def expect(self, line: str) -> None:
        assert self.process.stdout is not None
        found = self.process.stdout.readline().strip()
        if not found:
            pytest.fail(f"it ended: {self.process.communicate()[1]}")
        assert found == line

    def xdotool(self, *arguments: str, check: bool = True) -> str:
        return subprocess.run(
            ["xdotool", *arguments],
            env={**os.environ, "DISPLAY": self.display},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it complains that no window manager gives the focus
            text=True,
            check=check,
            timeout=20,
        ).stdout

    def press(self, key: str) -> None:
        # A key may close the window before xdotool has sent its release, which then fails.
        self.xdotool("key", "--window", self.id, key, check=False)

    def screenshot(self, path: Path) -> np.ndarray:
        """The whole screen, once it shows the picture in its colors; the newest is at `path`."""
        for _ in range(50):
            image = self._screenshot(path)
            if shows_quadrants(image[picture_area(image)]):
                return image
            time.sleep(0.1)
        pytest.fail(f"the screen does not show the picture in its colors: {path}")

    def _screenshot(self, path: Path) -> np.ndarray:
        subprocess.run(
            ["import", "-window", "root", str(path)],
            env={**os.environ, "DISPLAY": self.display},
            check=True,
            timeout=20,
        )
        image = cv2.imread(str(path))
        assert image is not None
        return image

    def wait_for_width(self, least: int, most: int) -> None:
        """Wait until the window manager has given the window such a width."""
        for _ in range(100):
            geometry = self.xdotool("getwindowgeometry", "--shell", self.id)
            width = int(geometry.split("WIDTH=")[1].split()[0])
            if least <= width <= most:
                return
            time.sleep(0.05)
        raise AssertionError(f"the window is {width} pixels wide")

    def end(self) -> None:
        """Wait for its end; it must have printed nothing that is for nobody."""
        _, errors = self.process.communicate(timeout=20)
        assert errors == ""
        assert self.process.returncode == 0


def picture_area(screen: np.ndarray) -> tuple[slice, slice]:
    """The smallest (rows, columns) that hold all pixels of the quadrants' colors."""
    found = [(screen == color).all(axis=2) for color in COLORS.values()]
    rows, columns = np.nonzero(np.any(found, axis=0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def shows_quadrants(shown: np.ndarray) -> bool:
    """Whether the middles of the quadrants have exactly their colors."""
    height, width = shown.shape[:2]
    return all(
        (shown[height * (1 + 2 * row) // 4, width * (1 + 2 * column) // 4] == color).all()
        for (row, column), color in COLORS.items()
    )


@contextmanager
def running(
    *arguments: str,
    environ: dict[str, str] | None = None,
    screen: str = "1024x768x24",
    managed: bool = False,
) -> Iterator[Running]:
    size = arguments or tuple(map(str, SIZE))
    with xvfb(screen) as display, window_manager(display) if managed else nullcontext():
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *size],
            env={**os.environ, **(environ or {}), "DISPLAY": display},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Running(process, display)
        finally:
            process.kill()
            process.communicate()


@with_screen
@with_manager
def test_show(tmp_path: Path) -> None:
    with running(managed=True) as program:
        shown = program.screenshot(tmp_path / "screen.png")
        program.press("q")
        program.expect("key q")
        program.expect("closed False")
        program.expect("poll None")
        program.end()
    assert shown.shape == (768, 1024, 3)
    rows, columns = picture_area(shown)
    assert (columns.stop - columns.start, rows.stop - rows.start) == SIZE


@with_screen
def test_poll_names_keys() -> None:
    named = {
        "n": "n",
        "N": "n",
        "1": "1",
        "9": "9",
        "plus": "+",
        "minus": "-",
        "bracketleft": "[",
        "question": "?",
        "KP_Add": "+",
        "space": "space",
        "Return": "enter",
        "Tab": "tab",
        "BackSpace": "backspace",
        "Escape": "escape",
        "Left": "left",
        "Right": "right",
        "Up": "up",
        "Down": "down",
        "q": "q",
    }
    with running() as program:
        program.press("Shift_L")
        program.press("F1")  # neither has a name
        for key, name in named.items():
            program.press(key)
            program.expect(f"key {name}")


@with_screen
def test_close_button() -> None:
    with running() as program:
        click_close_button(program.display, int(program.id))
        program.expect("closed True")
        program.expect("poll None")
        program.end()


@with_screen
@with_manager
def test_toggle_fullscreen() -> None:
    with running(managed=True) as program:
        program.wait_for_width(320, 330)
        program.press("f")
        program.expect("key f")
        program.wait_for_width(1000, 1024)
        program.press("f")
        program.expect("key f")
        program.wait_for_width(320, 330)
        program.press("q")


@with_screen
@with_manager
def test_open_fullscreen(tmp_path: Path) -> None:
    with running(*map(str, SIZE), "full", managed=True) as program:
        program.wait_for_width(1000, 1024)
        shown = program.screenshot(tmp_path / "screen.png")
        program.press("q")
        program.end()
    # 16:9 on a screen of 4:3: 1024 x 576 between black bars.
    rows, columns = picture_area(shown)
    assert (columns.start, columns.stop) == (0, 1024)
    assert (rows.start, rows.stop) == pytest.approx((96, 672), abs=2)
    assert (shown[:90] == 0).all()
    assert (shown[-90:] == 0).all()


@with_screen
def test_open_on_a_small_screen() -> None:
    with running("4000", "2000", screen="1000x800x24") as program:
        geometry = program.xdotool("getwindowgeometry", "--shell", program.id)
        assert "WIDTH=1000" in geometry
        assert "HEIGHT=500" in geometry
        program.press("q")


@with_screen
@pytest.mark.parametrize(
    "environ",
    [
        {"XDG_SESSION_TYPE": "wayland", "XDG_CURRENT_DESKTOP": "GNOME"},
        {"XDG_SESSION_TYPE": "wayland", "QT_QPA_PLATFORM": "wayland"},
        {"QT_QPA_FONTDIR": "/nowhere"},
    ],
)
def test_qt_neither_prints_nor_aborts(environ: dict[str, str]) -> None:
    with running(environ=environ) as program:
        program.press("q")
        program.end()


@with_screen
def test_open_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DisplayError, match="Cannot open a window"):
        Window(TITLE, SIZE)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (-1, None),
        (0, None),
        (ord("q"), "q"),
        (ord("Q"), "q"),
        (27, "escape"),
        (0xFF51, "left"),
        (0x10FF51, "left"),  # GTK with Num Lock
        (0x100000 + ord("+"), "+"),
        (0x250000, "left"),  # Windows
        (0x280000, "down"),
        (63232, "up"),  # macOS
        (0xFFE1, None),  # Shift
        (127, None),
    ],
)
def test_key_name(code: int, name: str | None) -> None:
    assert key_name(code) == name


@pytest.mark.parametrize(
    ("window", "shape"),
    [
        ((640, 480), (48, 64)),
        ((641, 480), (48, 64)),
        ((1280, 480), (48, 128)),
        ((480, 640), (85, 64)),
        ((0, 0), (48, 64)),
        ((-1, -1), (48, 64)),
    ],
)
def test_add_aspect_bars(window: tuple[int, int], shape: tuple[int, int]) -> None:
    image = np.full((48, 64, 3), 200, np.uint8)
    result = add_aspect_bars(image, window)
    assert result.shape == (*shape, 3)
    assert (result == 200).sum() == image.size
    if shape == (48, 64):
        assert result is image
    else:
        rows, columns = np.nonzero(result[:, :, 0])
        assert abs(rows.min() - (shape[0] - 1 - rows.max())) <= 1
        assert abs(columns.min() - (shape[1] - 1 - columns.max())) <= 1


class FakeHighGui:
    """OpenCV's window functions under a back-end that says of no window that it is visible."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, visible: list[float]) -> None:
        for name in ("namedWindow", "resizeWindow", "imshow", "destroyWindow"):
            monkeypatch.setattr(cv2, name, lambda *arguments: None)
        monkeypatch.setattr(cv2, "waitKeyEx", lambda delay: -1)
        monkeypatch.setattr(cv2, "getWindowProperty", lambda title, which: visible.pop(0))
        monkeypatch.setattr("live_nst.sinks.window.require_display", lambda: None)


def test_closed_with_a_backend_that_reports_no_visibility(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    FakeHighGui(monkeypatch, [-1.0, -1.0, -1.0])  # GTK
    window = Window(TITLE, SIZE)
    for _ in range(3):
        window.poll()
        assert not window.closed


def test_closed_after_it_was_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeHighGui(monkeypatch, [0.0, 1.0, 0.0])
    window = Window(TITLE, SIZE)
    seen = []
    for _ in range(5):
        window.poll()
        seen.append(window.closed)
    assert seen == [False, False, True, True, True]

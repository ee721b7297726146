import shutil
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from mss.exception import ScreenShotError

from live_nst.errors import SourceError, SourceLostError
from live_nst.sources.base import SourceRequest
from live_nst.sources.screen import ScreenRegion, ScreenSource, list_screens, parse_screen
from tests.sinks.xvfb import xvfb
from tests.sources.fakes import FakeClock, FakeScreens

REQUEST = SourceRequest(1280, 720, 20.0)
X11 = {"DISPLAY": ":0"}


def open_fake(spec: str, screens: FakeScreens, clock: FakeClock | None = None) -> ScreenSource:
    which = parse_screen(spec)
    return ScreenSource(which, REQUEST, clock or FakeClock(), opener=screens, environ=X11)


@pytest.mark.parametrize(
    ("spec", "which"),
    [
        ("screen", ScreenRegion()),
        ("screen:2", ScreenRegion(2)),
        ("screen:0", ScreenRegion(0)),
        ("screen:1,2,30,40", ScreenRegion(None, (1, 2, 30, 40))),
        ("screen:1:1,2,30,40", ScreenRegion(1, (1, 2, 30, 40))),
    ],
)
def test_parse(spec: str, which: ScreenRegion) -> None:
    assert parse_screen(spec) == which


@pytest.mark.parametrize(
    "spec", ["screen:", "screen:x", "screen:1,2,3", "screen:1:1,2,3,4,5", "screen:1:2", "screen:-1"]
)
def test_parse_bad_spec(spec: str) -> None:
    with pytest.raises(SourceError, match="names no screen") as caught:
        parse_screen(spec)
    assert "screen:1:0,0,1280,720" in caught.value.hint


def test_parse_empty_region() -> None:
    with pytest.raises(SourceError, match="is empty"):
        parse_screen("screen:0,0,0,10")


def test_area() -> None:
    screens = FakeScreens((64, 48), (32, 24))
    with open_fake("screen:2:4,6,10,12", screens) as source:
        assert (source.info.width, source.info.height, source.info.fps) == (10, 12, 20.0)
        assert source.info.name == "screen 2"
    assert screens.grabbed == [{"left": 68, "top": 6, "width": 10, "height": 12}]
    with open_fake("screen:0", screens) as source:
        assert (source.info.width, source.info.height) == (96, 48)
        assert source.info.name == "all screens"


def test_colors_and_times() -> None:
    clock = FakeClock()
    with open_fake("screen", FakeScreens((8, 6)), clock) as source:
        frames = [source.read() for _ in range(3)]
    for number, frame in enumerate(frames):
        assert frame is not None
        assert frame.time == pytest.approx(100 + number / 20)
        np.testing.assert_array_equal(frame.image, np.full((6, 8, 3), (20 + 10 * number, 0, 200)))


def test_retina() -> None:
    with open_fake("screen", FakeScreens((8, 6), scale=2)) as source:
        frame = source.read()
    assert frame is not None
    assert frame.size == (source.info.width, source.info.height) == (16, 12)


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("screen:3", "no screen 3", "1 (64x48), 2 (32x24)"),
        ("screen:60,0,10,10", "beyond the screen", "0,0,64,48"),
        ("screen:-1,0,10,10", "beyond the screen", "0,0,64,48"),
    ],
)
def test_missing_screen(spec: str, message: str, hint: str) -> None:
    screens = FakeScreens((64, 48), (32, 24))
    with pytest.raises(SourceError, match=message) as caught:
        open_fake(spec, screens)
    assert hint in caught.value.hint
    assert screens.closed == 1


def test_no_screens() -> None:
    with pytest.raises(SourceError, match="no screen to capture"):
        open_fake("screen", FakeScreens())


def test_lost_screen() -> None:
    screens = FakeScreens((8, 6))
    with open_fake("screen", screens) as source:
        screens.failure = ScreenShotError("X11 Protocol Error\nX Error of failed request: 8")
        with pytest.raises(SourceLostError, match=r"captured: X11 Protocol Error \("):
            source.read()


@pytest.mark.parametrize("lost", [ScreenShotError("closed"), AssertionError()], ids=repr)
def test_x_server_that_ends_is_no_defect(monkeypatch: pytest.MonkeyPatch, lost: Exception) -> None:
    """mss asserts that it answers, and cannot end its connection then."""
    screens = FakeScreens((8, 6))

    def close() -> None:
        raise lost

    with open_fake("screen", screens) as source:
        monkeypatch.setattr(screens, "close", close)
        screens.failure = lost
        with pytest.raises(SourceLostError, match=r"captured: (closed|it does not answer)"):
            source.read()
    with pytest.raises(SourceError, match=r"captured: (closed|it does not answer)"):
        open_fake("screen", screens)


def test_refused_screen() -> None:
    screens = FakeScreens((8, 6))
    screens.failure = ScreenShotError("not allowed")
    with pytest.raises(SourceError, match="not allowed") as caught:
        open_fake("screen", screens)
    assert type(caught.value) is SourceError
    assert screens.closed == 1


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "Wayland"),
        ({"XDG_SESSION_TYPE": "wayland"}, "Wayland"),
        ({}, "DISPLAY is not set"),
    ],
)
def test_no_x11(environ: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for call in (
        lambda: list_screens(environ=environ),
        lambda: ScreenSource(ScreenRegion(), REQUEST, environ=environ),
    ):
        with pytest.raises(SourceError, match=message) as caught:
            call()
        assert "live-nst studio" in caught.value.hint


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real X server with a screen of 320x240 pixels."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    with xvfb("320x240x24") as display:
        monkeypatch.setenv("DISPLAY", display)
        for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
            monkeypatch.delenv(name, raising=False)
        yield display


def test_real_screen(display: str) -> None:
    assert [(screen.number, screen.width, screen.height) for screen in list_screens()] == [
        (1, 320, 240)
    ]
    with ScreenSource(parse_screen("screen:1:10,20,64,48"), SourceRequest(fps=50.0)) as source:
        before = source.read()
        if shutil.which("xsetroot"):
            subprocess.run(["xsetroot", "-display", display, "-solid", "#ff8000"], check=True)
        frames = [source.read() for _ in range(5)]
    last = frames[-1]
    assert before is not None and last is not None
    assert last.size == (64, 48)
    assert last.index >= before.index + 5
    if shutil.which("xsetroot"):
        np.testing.assert_array_equal(last.image, np.full((48, 64, 3), (0, 128, 255)))


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(SourceError, match="no screen can be captured: Cannot connect") as caught:
        monkeypatch.setenv("DISPLAY", ":4711")
        list_screens()
    assert "studio" in caught.value.hint

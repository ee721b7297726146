"""The overlay, the messages and the keys of the window."""

import numpy as np
import pytest

from live_nst.live.display import MESSAGE_SECONDS, WindowDisplay
from live_nst.live.keys import KEY_ACTIONS, Action
from live_nst.types import Frame, Image
from tests.live.fakes import FakeClock

SIZE = (640, 360)


class FakeWindow:
    """Keeps the last picture and plays keys."""

    def __init__(self) -> None:
        self.image: Image | None = None
        self.keys: list[str] = []
        self.fullscreen = False
        self.closed = False

    def show(self, image: Image) -> None:
        self.image = image

    def poll(self) -> str | None:
        return self.keys.pop(0) if self.keys else None

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen

    def close(self) -> None:
        self.closed = True


class DisplayHarness:
    """A display with a fake window; `render` returns what a user would see."""

    def __init__(self, clock: FakeClock) -> None:
        self.window = FakeWindow()
        self.clock = clock
        self.lines = ["30.0 fps   latency 40 ms"]
        self.performed: list[tuple[Action, str]] = []
        window: object = self.window
        self.display = WindowDisplay(
            window,  # type: ignore[arg-type]
            lambda: self.lines,
            lambda action, key: self.performed.append((action, key)),
            clock,
        )
        self.frame = Frame(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), 0, 0.0)

    def render(self, notice: str = "") -> Image:
        self.clock.advance(0.3)  # longer than figures stand
        self.display.show(self.frame, notice)
        assert self.window.image is not None
        return self.window.image

    def press(self, *keys: str) -> None:
        self.window.keys += keys
        for _ in keys:
            self.display.poll()

    def is_plain(self, image: Image) -> bool:
        return bool((image == self.frame.image).all())


@pytest.fixture
def harness(clock: FakeClock) -> DisplayHarness:
    return DisplayHarness(clock)


def test_show_draws_on_a_copy(harness: DisplayHarness) -> None:
    image = harness.render()
    assert not harness.is_plain(image)
    assert (harness.frame.image == 90).all()
    assert (image[-50:] == 90).all()  # only in their corner


def test_show_current_figures(harness: DisplayHarness) -> None:
    before = harness.render()
    harness.lines = ["3.0 fps   latency 400 ms"]
    assert (harness.render() != before).any()


def test_overlay_key(harness: DisplayHarness) -> None:
    with_figures = harness.render()
    harness.press("o")
    assert harness.is_plain(harness.render())
    harness.press("o")
    np.testing.assert_array_equal(harness.render(), with_figures)


@pytest.mark.parametrize("key", ["h", "?"])
def test_help_keys(harness: DisplayHarness, key: str) -> None:
    before = harness.render()
    harness.press(key)
    helped = harness.render()
    changed = (helped != 90).any(axis=2).mean()
    assert changed > (before != 90).any(axis=2).mean() + 0.1
    harness.press(key)
    np.testing.assert_array_equal(harness.render(), before)


def test_notify(harness: DisplayHarness) -> None:
    harness.press("o")
    harness.display.notify("style wave")
    assert not harness.is_plain(harness.render())
    harness.clock.advance(MESSAGE_SECONDS)
    assert harness.is_plain(harness.render())


def test_notice_with_a_message(harness: DisplayHarness) -> None:
    harness.press("o")
    noticed = harness.render("no frames arrive")
    harness.display.notify("style wave")
    both = harness.render("no frames arrive")
    middle = slice(SIZE[1] // 2 - 20, SIZE[1] // 2 + 20)
    np.testing.assert_array_equal(both[middle], noticed[middle])
    assert (both[:60] != noticed[:60]).any()
    harness.clock.advance(100)
    np.testing.assert_array_equal(harness.render("no frames arrive"), noticed)
    assert harness.is_plain(harness.render())


def test_poll_performs_every_key(harness: DisplayHarness) -> None:
    harness.press(*KEY_ACTIONS)
    assert harness.performed == [(action, key) for key, action in KEY_ACTIONS.items()]


def test_poll_ignores_other_keys(harness: DisplayHarness) -> None:
    harness.press("x", "0", "tab")
    harness.display.poll()
    assert harness.performed == []


def test_fullscreen_key(harness: DisplayHarness) -> None:
    harness.press("f")
    assert harness.window.fullscreen
    harness.press("f")
    assert not harness.window.fullscreen


def test_close(harness: DisplayHarness) -> None:
    assert not harness.display.closed
    harness.display.close()
    assert harness.window.closed and harness.display.closed

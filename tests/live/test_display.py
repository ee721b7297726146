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


class Seat:
    """A screen with a fake window; `look()` is what a person would see."""

    def __init__(self, clock: FakeClock) -> None:
        self.window = FakeWindow()
        self.clock = clock
        self.lines = ["30.0 fps   latency 40 ms"]
        self.performed: list[tuple[Action, str]] = []
        window: object = self.window
        self.screen = WindowDisplay(
            window,  # type: ignore[arg-type]
            lambda: self.lines,
            lambda action, key: self.performed.append((action, key)),
            clock,
        )
        self.frame = Frame(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), 0, 0.0)

    def look(self, notice: str = "") -> Image:
        self.clock.advance(0.3)  # longer than figures stand
        self.screen.show(self.frame, notice)
        assert self.window.image is not None
        return self.window.image

    def press(self, *keys: str) -> None:
        self.window.keys += keys
        for _ in keys:
            self.screen.poll()

    def is_plain(self, image: Image) -> bool:
        return bool((image == self.frame.image).all())


@pytest.fixture
def seat(clock: FakeClock) -> Seat:
    return Seat(clock)


def test_figures_are_drawn_on_a_copy(seat: Seat) -> None:
    image = seat.look()
    assert not seat.is_plain(image)
    assert (seat.frame.image == 90).all()
    assert (image[-50:] == 90).all()  # only in their corner


def test_figures_are_those_of_now(seat: Seat) -> None:
    before = seat.look()
    seat.lines = ["3.0 fps   latency 400 ms"]
    assert (seat.look() != before).any()


def test_o_hides_and_shows_the_figures(seat: Seat) -> None:
    with_figures = seat.look()
    seat.press("o")
    assert seat.is_plain(seat.look())
    seat.press("o")
    np.testing.assert_array_equal(seat.look(), with_figures)


@pytest.mark.parametrize("key", ["h", "?"])
def test_help_covers_much_and_goes_away(seat: Seat, key: str) -> None:
    before = seat.look()
    seat.press(key)
    helped = seat.look()
    changed = (helped != 90).any(axis=2).mean()
    assert changed > (before != 90).any(axis=2).mean() + 0.1
    seat.press(key)
    np.testing.assert_array_equal(seat.look(), before)


def test_a_message_stays_for_a_moment(seat: Seat) -> None:
    seat.press("o")
    seat.screen.notify("style wave")
    assert not seat.is_plain(seat.look())
    seat.clock.advance(MESSAGE_SECONDS)
    assert seat.is_plain(seat.look())


def test_a_notice_stays_as_long_as_it_is_given_with_a_message_beside_it(seat: Seat) -> None:
    seat.press("o")
    noticed = seat.look("no picture comes")
    seat.screen.notify("style wave")
    both = seat.look("no picture comes")
    middle = slice(SIZE[1] // 2 - 20, SIZE[1] // 2 + 20)
    np.testing.assert_array_equal(both[middle], noticed[middle])
    assert (both[:60] != noticed[:60]).any()
    seat.clock.advance(100)
    np.testing.assert_array_equal(seat.look("no picture comes"), noticed)
    assert seat.is_plain(seat.look())


def test_every_known_key_is_performed_as_its_action(seat: Seat) -> None:
    seat.press(*KEY_ACTIONS)
    assert seat.performed == [(action, key) for key, action in KEY_ACTIONS.items()]


def test_other_keys_and_no_key_do_nothing(seat: Seat) -> None:
    seat.press("x", "0", "tab")
    seat.screen.poll()
    assert seat.performed == []


def test_full_screen_is_the_windows(seat: Seat) -> None:
    seat.press("f")
    assert seat.window.fullscreen
    seat.press("f")
    assert not seat.window.fullscreen


def test_closing(seat: Seat) -> None:
    assert not seat.screen.closed
    seat.screen.close()
    assert seat.window.closed and seat.screen.closed

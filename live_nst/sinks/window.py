"""A window that shows images and reads keys."""

import os
import sys

import cv2
import numpy as np

from live_nst.errors import DisplayError
from live_nst.sinks.x11 import LOST_HINT, NO_DISPLAY_HINT, display_lost, require_display
from live_nst.sinks.x11_loss import LOST, ExitSentence
from live_nst.types import Closeable, Image

KEY_NAMES = {
    8: "backspace",
    9: "tab",
    10: "enter",
    13: "enter",
    27: "escape",
    32: "space",
    # The X Window System (Qt, GTK)
    0xFF51: "left",
    0xFF52: "up",
    0xFF53: "right",
    0xFF54: "down",
    # Windows
    0x250000: "left",
    0x260000: "up",
    0x270000: "right",
    0x280000: "down",
    # macOS
    0xF700: "up",
    0xF701: "down",
    0xF702: "left",
    0xF703: "right",
}
"""Codes in OpenCV of the keys that are no characters, on each system."""


class Window(Closeable):
    """A window. All calls must come from one thread; on macOS, from the main one.

    Args:
        title: Its title; no two windows of a process may have the same.
        size: (width, height) in pixels at first; less on a smaller screen.
        fullscreen: Fill the screen.

    Raises:
        DisplayError: No window can be opened.
    """

    def __init__(self, title: str, size: tuple[int, int], fullscreen: bool = False) -> None:
        screen = require_display()
        _prepare_qt()
        self._title = title
        self._fullscreen = False
        self._was_visible = False
        self._closed = False
        self._shown = 0
        self._exit_sentence: ExitSentence | None = None
        try:
            # GUI_NORMAL: without the tool bar and the keys of Qt. FREERATIO: `add_aspect_bars`
            # keeps the proportions by black bars, as those of Qt would be light gray.
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(title, *_within(size, screen))
        except cv2.error as exc:
            raise DisplayError(f"Cannot open a window: {exc.err}", NO_DISPLAY_HINT) from exc
        if sys.platform.startswith("linux"):
            self._exit_sentence = ExitSentence(f"{LOST} ({LOST_HINT})", display_lost)
        if fullscreen:
            self.toggle_fullscreen()

    @property
    def closed(self) -> bool:
        """Whether the user closed it before the last `poll`, or `close` was called."""
        return self._closed

    def show(self, image: Image) -> None:
        """Show an image at the next `poll`, scaled to fit the window.

        Args:
            image: BGR uint8 ``[height, width, 3]``. A closed window ignores it.

        Raises:
            DisplayError: The connection to the display was lost.
        """
        # OpenCV would open a closed window again.
        if self._closed:
            return
        self._check_display()
        try:
            _, _, width, height = cv2.getWindowImageRect(self._title)
            cv2.imshow(self._title, add_aspect_bars(image, (width, height)))
        except cv2.error as exc:
            raise DisplayError(
                f"Cannot show an image in the window: {exc.err}", NO_DISPLAY_HINT
            ) from exc
        self._shown += 1
        if self._exit_sentence is not None and self._shown.bit_count() == 1:
            # Libraries make objects when they first need them; less and less often later.
            self._exit_sentence.renew()

    def poll(self) -> str | None:
        """Handle the events of the window, for about a millisecond.

        Returns:
            The key that was pressed; None if there was none. A character, letters in lower case
            (on some systems OpenCV gives no other), or "space", "enter", "escape", "tab",
            "backspace", "left", "right", "up" or "down".

        Raises:
            DisplayError: The connection to the display was lost.
        """
        if self._closed:
            return None
        self._check_display()
        code = cv2.waitKeyEx(1)
        self._check_closed()
        return key_name(code)

    def toggle_fullscreen(self) -> None:
        """Switch between a window and the whole screen."""
        if self._closed:
            return
        self._fullscreen = not self._fullscreen
        mode = cv2.WINDOW_FULLSCREEN if self._fullscreen else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)

    def close(self) -> None:
        """Close it. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._exit_sentence is not None:
            self._exit_sentence.disarm()
        if display_lost():
            return  # Qt would end the process
        cv2.destroyWindow(self._title)
        cv2.waitKeyEx(1)  # it disappears only now

    @staticmethod
    def _check_display() -> None:
        """Raise if the X server is gone, before Qt notices and ends the process."""
        if display_lost():
            raise DisplayError(LOST, LOST_HINT)

    def _check_closed(self) -> None:
        try:
            visible = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) > 0
        except cv2.error:  # raised by Qt after its last window was closed
            visible = False
        # GTK never reports a window as visible: "not visible" counts only after "visible".
        self._closed = self._was_visible and not visible
        self._was_visible = self._was_visible or visible


def key_name(code: int) -> str | None:
    """Return the name of a key code from `cv2.waitKeyEx`; None for no key or an unknown one."""
    if code < 0:
        return None
    if code in KEY_NAMES:
        return KEY_NAMES[code]
    code &= 0xFFFF  # GTK adds bits for Num Lock and the like
    if code in KEY_NAMES:
        return KEY_NAMES[code]
    return chr(code).lower() if code < 256 and chr(code).isprintable() else None


def add_aspect_bars(image: Image, size: tuple[int, int]) -> Image:
    """Add black bars, so that an image that is stretched to a window keeps its proportions.

    Args:
        image: BGR uint8 ``[height, width, 3]``.
        size: (width, height) of the window in pixels; 0 or less where it is not known.

    Returns:
        BGR uint8 in the proportions of `size`; `image` itself if it has them or they are unknown.
    """
    height, width = image.shape[:2]
    if min(size) <= 0:
        return image
    wide = max(width, round(height * size[0] / size[1]))
    high = max(height, round(width * size[1] / size[0]))
    left, top = (wide - width) // 2, (high - height) // 2
    if left == top == 0:
        return image
    result = np.zeros((high, wide, 3), np.uint8)
    result[top : top + height, left : left + width] = image
    return result


def _within(size: tuple[int, int], screen: tuple[int, int] | None) -> tuple[int, int]:
    """Return a size, reduced in proportion until it fits the screen."""
    if screen is None:
        return size
    scale = min(1.0, screen[0] / size[0], screen[1] / size[1])
    return round(size[0] * scale), round(size[1] * scale)


def _prepare_qt() -> None:
    """Set the variables that Qt reads when a process opens its first window.

    The wheels of OpenCV for Linux contain the Qt platform xcb only. Any other choice, which is
    usual on Wayland, ends the process. Warnings of Qt about fonts and sessions are hidden.
    """
    if sys.platform.startswith("linux"):
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false;*.info=false")

"""Whether a window can be opened here, asked before Qt is: it ends the process when it cannot."""

import ctypes
import os
import re
import socket
import sys
from collections.abc import Mapping

from live_nst.errors import DisplayError

NO_DISPLAY_HINT = "use `--no-window`, with `--record out.mp4` to keep what it paints"
X_PORT = 6000
CONNECT_SECONDS = 2.0


class _Screen(ctypes.Structure):
    """The beginning of libxcb's xcb_screen_t."""

    _fields_ = (
        ("unused", ctypes.c_uint32 * 5),
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
    )


class _ScreenIterator(ctypes.Structure):
    """libxcb's xcb_screen_iterator_t."""

    _fields_ = (
        ("data", ctypes.POINTER(_Screen)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


def require_display(
    environ: Mapping[str, str] | None = None, platform: str = sys.platform
) -> tuple[int, int] | None:
    """Make sure that a window can be opened.

    Args:
        environ: The environment variables; None: this process's.
        platform: As `sys.platform`. Only Linux is checked: elsewhere there is a display.

    Returns:
        The screen's (width, height) in pixels, of all monitors together; None if not known.

    Raises:
        DisplayError: There is no X server (nor XWayland), or it lets nobody in.
    """
    if not platform.startswith("linux"):
        return None
    environ = os.environ if environ is None else environ
    display = environ.get("DISPLAY", "")
    if not display:
        raise DisplayError(_no_display(environ), NO_DISPLAY_HINT)
    _check_host(display)
    return _connect(display)


def _no_display(environ: Mapping[str, str]) -> str:
    if environ.get("WAYLAND_DISPLAY"):
        return "no window can be opened: this Wayland session runs no XWayland, DISPLAY is not set"
    return "no window can be opened: there is no display, DISPLAY is not set"


def _check_host(display: str) -> None:
    """Raise if DISPLAY names another host whose X server does not answer in time."""
    match = re.fullmatch(r"(?:\w+/)?(.+):(\d+)(?:\.\d+)?", display)
    if match is None or match[1] == "unix" or match[1].startswith("/"):
        return  # a local one, which answers or fails at once
    try:
        address = match[1].strip("[]"), X_PORT + int(match[2])
        socket.create_connection(address, timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as exc:
        raise _unreachable(display) from exc


def _connect(display: str) -> tuple[int, int]:
    """Log in to the X server as Qt will; return its screen's size."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as exc:
        raise DisplayError(
            "no window can be opened: the library libxcb.so.1 is missing",
            f"install it (`sudo apt install libxcb1`), or {NO_DISPLAY_HINT}",
        ) from exc
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.restype = _ScreenIterator
    number = ctypes.c_int(0)
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), ctypes.byref(number)))
    if xcb.xcb_connection_has_error(connection):
        xcb.xcb_disconnect(connection)
        raise _unreachable(display)
    setup = ctypes.c_void_p(xcb.xcb_get_setup(connection))
    screen = xcb.xcb_setup_roots_iterator(setup).data.contents
    # The connection stays: a server whose last client leaves starts anew (Xvfb does), and would
    # throw out the window that is just being opened.
    return int(screen.width), int(screen.height)


def _unreachable(display: str) -> DisplayError:
    return DisplayError(
        f"no window can be opened: no X server answers at DISPLAY={display}, or it lets us not in",
        NO_DISPLAY_HINT,
    )

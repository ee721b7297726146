"""Check that a window can be opened, before Qt tries: Qt ends the process if it cannot."""

import ctypes
import os
import re
import socket
import sys
from collections.abc import Mapping

from live_nst.errors import DisplayError
from live_nst.sinks.x11_loss import is_closed

NO_DISPLAY_HINT = "use `--no-window`, with `--record out.mp4` to keep the result"
LOST_HINT = "start it again when the screen is back, or use `--no-window`"
X_PORT = 6000
CONNECT_SECONDS = 2.0

_connections: list[int] = []
"""Descriptors of the connections to X servers, which stay open; the newest one is the last."""


class _Screen(ctypes.Structure):
    """The first fields of xcb_screen_t of libxcb."""

    _fields_ = (
        ("unused", ctypes.c_uint32 * 5),
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
    )


class _ScreenIterator(ctypes.Structure):
    """xcb_screen_iterator_t of libxcb."""

    _fields_ = (
        ("data", ctypes.POINTER(_Screen)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


def require_display(
    environ: Mapping[str, str] | None = None, platform: str = sys.platform
) -> tuple[int, int] | None:
    """Raise unless a window can be opened.

    Args:
        environ: The environment variables; None for those of this process.
        platform: As `sys.platform`. Only Linux is checked; other systems have a display.

    Returns:
        (width, height) in pixels of the screen, all monitors together; None if not known.

    Raises:
        DisplayError: There is no X server (nor XWayland), or it refuses the connection.
    """
    if not platform.startswith("linux"):
        return None
    environ = os.environ if environ is None else environ
    display = environ.get("DISPLAY", "")
    if not display:
        raise DisplayError(_no_display(environ), NO_DISPLAY_HINT)
    _check_host(display)
    return _connect(display)


def display_lost() -> bool:
    """Return whether the X server that `require_display` has found is gone."""
    return bool(_connections) and is_closed(_connections[-1])


def _no_display(environ: Mapping[str, str]) -> str:
    if environ.get("WAYLAND_DISPLAY"):
        return "Cannot open a window: this Wayland session runs no XWayland, DISPLAY is not set"
    return "Cannot open a window: there is no display, DISPLAY is not set"


def _check_host(display: str) -> None:
    """Raise if DISPLAY names another host whose X server does not answer in time."""
    match = re.fullmatch(r"(?:\w+/)?(.+):(\d+)(?:\.\d+)?", display)
    if match is None or match[1] == "unix" or match[1].startswith("/"):
        return  # a local server answers or fails at once
    try:
        address = match[1].strip("[]"), X_PORT + int(match[2])
        socket.create_connection(address, timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as exc:
        raise _unreachable(display) from exc


def _connect(display: str) -> tuple[int, int]:
    """Connect to the X server as Qt will do; return the size of its screen."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as exc:
        raise DisplayError(
            "Cannot open a window: the library libxcb.so.1 is missing",
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
    _connections.append(int(xcb.xcb_get_file_descriptor(connection)))
    # The connection stays open. A server such as Xvfb resets when its last client disconnects, and
    # would close the window that is just being opened.
    return int(screen.width), int(screen.height)


def _unreachable(display: str) -> DisplayError:
    return DisplayError(
        f"Cannot open a window: no X server accepts a connection at DISPLAY={display}",
        NO_DISPLAY_HINT,
    )

"""A virtual screen for tests, and what belongs to one."""

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def xvfb_process(screen: str = "1024x768x24") -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """Run Xvfb on a free display; give its process and the value for DISPLAY."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", screen, "-nolisten", "tcp"]
    command.append("-noreset")  # else it refuses clients for a moment after the last one went
    with subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.DEVNULL) as server:
        os.close(write_end)
        try:
            with os.fdopen(read_end) as reader:
                yield server, f":{reader.readline().strip()}"
        finally:
            server.terminate()


@contextmanager
def xvfb(screen: str = "1024x768x24") -> Iterator[str]:
    """Run Xvfb on a free display; give the value for DISPLAY."""
    with xvfb_process(screen) as (_, display):
        yield display


@contextmanager
def window_manager(display: str) -> Iterator[None]:
    """Run openbox.

    Without a window manager no window fills the screen, and on a busy machine Qt sometimes misses
    that its window is on the screen, so that it never draws it.
    """
    with tempfile.TemporaryDirectory() as folder:
        started = Path(folder) / "started"
        command = ["openbox", "--startup", f"touch {started}"]
        environ = {**os.environ, "DISPLAY": display}
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as manager:
            try:
                for _ in range(200):
                    if started.exists():
                        break
                    time.sleep(0.05)
                yield
            finally:
                manager.terminate()


def click_close_button(display: str, window: int) -> None:
    """Send what a window manager sends when the close button is clicked: WM_DELETE_WINDOW."""

    class ClientMessage(ctypes.Structure):
        _fields_ = (
            ("type", ctypes.c_int),
            ("serial", ctypes.c_ulong),
            ("send_event", ctypes.c_int),
            ("display", ctypes.c_void_p),
            ("window", ctypes.c_ulong),
            ("message_type", ctypes.c_ulong),
            ("format", ctypes.c_int),
            ("data", ctypes.c_long * 5),
            ("padding", ctypes.c_long * 16),
        )

    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    protocols = x11.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    delete = x11.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    message = ClientMessage(
        type=33, window=window, message_type=protocols, format=32, data=(delete, 0, 0, 0, 0)
    )
    x11.XSendEvent(connection, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(connection)

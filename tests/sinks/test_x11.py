import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from live_nst.errors import DisplayError
from live_nst.sinks.x11 import require_display

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 is Linux's here")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems(platform: str) -> None:
    assert require_display({}, platform) is None


@pytest.mark.parametrize("environ", [{}, {"DISPLAY": ""}])
def test_no_display(environ: dict[str, str]) -> None:
    with pytest.raises(DisplayError, match="there is no display") as caught:
        require_display(environ, "linux")
    assert "--no-window" in caught.value.hint
    assert "--record out.mp4" in caught.value.hint


def test_wayland_without_xwayland() -> None:
    with pytest.raises(DisplayError, match="XWayland"):
        require_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")


@linux_only
@pytest.mark.parametrize(
    "display",
    [":4711", "unix:4711", ":4711.0", "localhost:4711", "127.0.0.1:59000", "nonsense", "/none:0"],
)
def test_display_does_not_answer(display: str) -> None:
    with pytest.raises(DisplayError, match=r"accepts a connection at DISPLAY=") as caught:
        require_display({"DISPLAY": display}, "linux")
    assert display in caught.value.message
    assert "--no-window" in caught.value.hint


@linux_only
def test_server_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        server.settimeout(5)
        # The first connection is only the test whether anybody is there.
        child = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from live_nst.sinks.x11 import require_display; require_display()",
            ],
            env={**os.environ, "DISPLAY": f"127.0.0.1:{number}"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2):
            server.accept()[0].close()
        _, errors = child.communicate(timeout=20)
    assert child.returncode == 1
    assert "DisplayError: Cannot open a window: no X server accepts" in errors


@pytest.fixture
def display() -> Iterator[str]:
    from tests.sinks.xvfb import xvfb

    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    with xvfb("800x600x24") as name:
        yield name


@linux_only
def test_screen_size(display: str) -> None:
    assert require_display({"DISPLAY": display}, "linux") == (800, 600)
    assert require_display({"DISPLAY": f"{display}.0"}, "linux") == (800, 600)

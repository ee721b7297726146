"""Photograph the studio's page for docs/studio.md, in a browser, while the demo runs.

python tools/studio_pictures.py [FOLDER] [OPTION OF live-nst studio ...]

It needs Playwright and Chromium, and a machine that does nothing else: the page shows how fast the
session is. On a slow machine give `--camera-size 640x360 --fps 5`.
"""

import io
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image as Pillow

DOCS = Path(__file__).resolve().parents[1] / "docs"
OPTIONS = "--source demo --camera-size 1280x720 --fps 10 --size 288 --model mobile --device cpu"
START_SECONDS = 120.0
SETTLE_SECONDS = 20.0  # until the graph has a line and each style its thumbnail
JPEG_QUALITY = 78


class Shot(NamedTuple):
    """One picture: its file, the page's form, what the session shows, what is in view.

    `touch` is the form for fingers; `last` selects the lowest control that is in view.
    """

    name: str
    size: tuple[int, int]
    scale: float
    theme: str
    settings: dict[str, Any]
    touch: bool = False
    last: str = ""


SHOTS = (
    Shot(
        "studio-desktop",
        (1440, 900),
        1.0,
        "dark",
        {"style": "starry", "split": True},
        False,
        "#model",
    ),
    Shot("studio-light", (1440, 900), 1.0, "light", {"style": "wave"}, False, "#mjpeg-address"),
    Shot("studio-phone", (390, 844), 1.5, "light", {"style": "watercolor"}, True),
)
_SCROLL = """selector => {
  const panel = document.getElementById("panel");
  const below = document.querySelector(selector).getBoundingClientRect().bottom + 12;
  panel.scrollTop += Math.max(0, below - window.innerHeight);
}"""


@contextmanager
def running_studio(options: list[str]) -> Iterator[str]:
    """Run a studio; yield the address of its page when a session runs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "live_nst", "studio", "--port", "0", "--folder", folder]
        command += [*OPTIONS.split(), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            if address is None:
                raise SystemExit("The studio does not start.")
            deadline = time.monotonic() + START_SECONDS
            while not ask(address[0])["session"]["running"]:
                if time.monotonic() > deadline:
                    raise SystemExit("No session starts.")
                time.sleep(1)
            yield address[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def ask(address: str, settings: dict[str, Any] | None = None) -> Any:
    """Return the state, after a change of settings if there are any."""
    if settings is None:
        request = urllib.request.Request(f"{address}api/state")
    else:
        body, headers = json.dumps(settings).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}api/settings", body, headers, method="PATCH")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def photograph(browser: Any, address: str, shot: Shot) -> bytes:
    """Return the page as PNG."""
    ask(address, {"split": False, **shot.settings})
    width, height = shot.size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=shot.scale,
        color_scheme=shot.theme,
        has_touch=shot.touch,
        is_mobile=shot.touch,
    )
    page.goto(address)
    styles = len(json.loads(page.evaluate("fetch('/api/styles').then(r => r.text())")))
    deadline = time.monotonic() + START_SECONDS
    page.wait_for_timeout(1000 * SETTLE_SECONDS)
    while len(ask(address)["thumbnails"]) < styles and time.monotonic() < deadline:
        page.wait_for_timeout(1000)
    if shot.last:
        page.evaluate(_SCROLL, shot.last)
    page.wait_for_timeout(500)
    png: bytes = page.screenshot()
    page.close()
    return png


def main(folder: Path, options: list[str]) -> None:
    """Photograph the page in all its forms."""
    from playwright.sync_api import sync_playwright

    with running_studio(options) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for shot in SHOTS:
            picture = Pillow.open(io.BytesIO(photograph(browser, address, shot))).convert("RGB")
            path = folder / f"{shot.name}.jpg"
            picture.save(path, quality=JPEG_QUALITY, progressive=True, optimize=True)
            print(f"{path}: {picture.width}x{picture.height}, {path.stat().st_size} bytes")
        browser.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    folder = Path(given.pop(0)) if given and not given[0].startswith("-") else DOCS
    main(folder, given)

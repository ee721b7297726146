"""A running studio, and a browser with a fake camera that looks at it."""

import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.files.config import CONFIG_VARIABLE

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
START_SECONDS = 120.0  # a busy machine imports the engines slowly
CAMERA_SIZE = (320, 240)
SETTINGS = {
    **{"strength": 1.0, "keep_colors": 0.0, "detail": 0.0, "stroke": 1.0, "blend": "pictures"},
    **{"only": "everywhere", "size": 128, "mirror": False, "split": False, "frozen": False},
}


class Studio:
    """A studio in a process of its own, with a small demo.

    Args:
        folder: Where its files land.
        port: The port to listen on; 0 for a free one.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "live_nst", "studio", "--source", "demo", "--style", "ink"]
        command += ["--model", "mobile", "--device", "cpu", "--size", "128", "--fps", "15"]
        command += ["--camera-size", "320x180", "--port", str(port), "--folder", str(folder)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", CONFIG_VARIABLE: str(folder / "config")},
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self._wait_for(r"http://127\.0\.0\.1:\d+/")
        self._wait_for("Running on")

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request; return the JSON of the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
            return json.load(response)

    def reset(self) -> None:
        """Show the demo in ink with all other settings as at the start."""
        while (session := self.ask("GET", "api/state")["session"])["starting"]:
            time.sleep(0.2)
        if not session["running"] or session["source"]["id"] != "demo":
            self.ask("PUT", "api/session", {"source": "demo"})
        self.ask("PATCH", "api/settings", {"style": "ink", **SETTINGS})

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def _wait_for(self, pattern: str) -> str:
        while True:
            try:
                line = self._lines.get(timeout=START_SECONDS)
            except queue.Empty:
                self.process.kill()
                pytest.fail(f"the studio does not say {pattern!r}; it said: {self._seen}")
            self._seen.append(line)
            found = re.search(pattern, line)
            if found:
                return found[0]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip(f"there is no browser: none of {', '.join(CHROMIUM_NAMES)}")
    return found


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film for the fake camera: a bright bar that goes over a red ground; raw YUV 4:2:0."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    width, height = CAMERA_SIZE
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420mpeg2\n".encode())
        for index in range(30):
            image = np.full((height, width, 3), (20, 20, 200), np.uint8)
            left = index * (width - 40) // 30
            image[:, left : left + 40] = 255
            file.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


@pytest.fixture(scope="module")
def studio(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that runs; without a browser nothing is started."""
    running = Studio(tmp_path_factory.mktemp("studio"))
    with contextlib.closing(running):
        yield running


@pytest.fixture(scope="module")
def browser(chromium: str, camera_file: Path) -> Iterator[Any]:
    """A browser with the fake camera, which it gives to every page that asks."""
    from playwright.sync_api import sync_playwright

    arguments = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    arguments += [f"--use-file-for-fake-video-capture={camera_file}", "--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        with contextlib.closing(browser):
            yield browser


@pytest.fixture
def open_page(browser: Any, studio: Studio) -> Iterator[Callable[..., Any]]:
    """Opens the page in a new context. At the end the consoles of all pages must be empty."""
    studio.reset()
    contexts, said = [], []

    def open_it(script: str = "", **options: Any) -> Any:
        """Open the page; `script` runs before those of the page, `options` are the context's."""
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.add_init_script(script)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(studio.url)
        page.wait_for_selector("#picture.lit")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert said == []

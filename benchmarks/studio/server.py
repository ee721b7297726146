"""A studio in a process of its own, and programs that look at it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

import psutil

from live_nst.types import Closeable

_START_SECONDS = 60.0
_VIEWERS = """
import sys, threading
from websockets.sync.client import connect
def view():
    with connect(sys.argv[1], compression=None, max_size=None) as socket:
        while True:
            socket.recv()
for _ in range(int(sys.argv[2])):
    threading.Thread(target=view, daemon=True).start()
sys.stdin.read()
"""


class StudioProcess(Closeable):
    """`live-nst studio` with the demo at 1280x720, 30 frames a second.

    Args:
        size: Long side of the network's input in pixels.
    """

    def __init__(self, size: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        command = [sys.executable, "-m", "live_nst", "studio", "--source", "demo"]
        command += ["--model", "mobile", "--device", "cpu", "--size", str(size), "--port", "0"]
        command += ["--folder", self._folder.name]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "LIVE_NST_CONFIG": self._folder.name}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = re.search(r"http://(127\.0\.0\.1:\d+)/", line)
            if found:
                self.address = found[1]
                break
        else:
            raise SystemExit("The studio does not start.")
        self._wait_for_frames(30)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{self.address}/"

    def state(self) -> dict[str, Any]:
        """Return what `/api/state` says."""
        with urllib.request.urlopen(f"{self.url}api/state") as answer:
            state: dict[str, Any] = json.load(answer)
        return state

    def cost(self, viewers: int, seconds: float) -> tuple[float, float]:
        """Measure the studio while pages see the video.

        Args:
            viewers: How many; they are one other process.
            seconds: How long to measure.

        Returns:
            (frames a second, milliseconds of the studio's processor time a frame).
        """
        command = [sys.executable, "-c", _VIEWERS, f"ws://{self.address}/api/video", str(viewers)]
        clients = subprocess.Popen(command, stdin=subprocess.PIPE)
        assert clients.stdin is not None
        try:
            while self.state()["viewers"] < viewers:
                time.sleep(0.1)
            time.sleep(1.0)
            process = psutil.Process(self._process.pid)
            frames, spent, begin = self._frames(), sum(process.cpu_times()[:2]), time.monotonic()
            time.sleep(seconds)
            frames = self._frames() - frames
            spent = sum(process.cpu_times()[:2]) - spent
            return frames / (time.monotonic() - begin), 1000 * spent / max(1, frames)
        finally:
            clients.stdin.close()
            clients.wait()
            while self.state()["viewers"]:
                time.sleep(0.1)

    def close(self) -> None:
        """End the studio."""
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()

    def _frames(self) -> int:
        return int(self.state()["figures"]["frames"])

    def _wait_for_frames(self, count: int) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            state = self.state()
            if state["session"]["running"] and state["figures"]["frames"] > count:
                return
            time.sleep(0.1)
        raise SystemExit("The studio shows no frame.")

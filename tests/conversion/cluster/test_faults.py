"""Workers and the head are killed and stopped at random moments: the film is the same."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from tests.conversion.cluster import processes
from tests.conversion.make_videos import frames_of, write

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

ROUNDS, HEADS, WORKERS = 20, 5, 3  # in so many of the rounds the head is killed, too
FRAMES, CHUNK = 200, 25
OPTIONS = [
    "--model", "mobile", "--device", "cpu", "--size", "128", "--style", "ink",
    "--chunk", str(CHUNK),
]  # fmt: skip


@pytest.fixture(scope="module")
def film(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = frames_of(clips["bikes"], FRAMES, (128, 72))
    x264 = {"x264-params": "keyint=40:bframes=3"}
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write(path, images, options=x264, audio=[("aac", "stereo", 300)])


@pytest.fixture(scope="module")
def alone(film: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    output = tmp_path_factory.mktemp("alone") / "out.mp4"
    command = [*processes.PROGRAM, "convert", str(film), str(output), *OPTIONS, "--quiet"]
    subprocess.run(command, check=True)
    return output.read_bytes()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    with processes.cluster(tmp_path_factory.mktemp("cluster") / "log", WORKERS) as made:
        yield made


class Head:
    """A `live-nst convert --cluster` whose progress is read."""

    def __init__(self, film: Path, output: Path, address: str) -> None:
        command = [*processes.PROGRAM, "convert", str(film), str(output), *OPTIONS]
        self.process = subprocess.Popen(
            [*command, "--cluster", address, "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.began = threading.Event()
        self.events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(ValueError):  # half a line of a killed process
                self.events.append(json.loads(line))
            if self.events and self.events[-1]["event"] == "progress":
                self.began.set()

    def end(self) -> int:
        try:
            code = self.process.wait(400)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = -1
        self._reader.join()
        return code


@pytest.mark.parametrize("number", range(ROUNDS))
def test_random_fault(
    number: int, film: Path, alone: bytes, scheduler: tuple[str, Any], tmp_path: Path
) -> None:
    rng = random.Random(number)
    address, workers = scheduler
    output = tmp_path / "out.mp4"
    head = Head(film, output, address)
    assert head.began.wait(300), head.process.communicate()
    time.sleep(rng.uniform(0, 4))
    kind = rng.choice([signal.SIGKILL, signal.SIGSTOP])
    victims = [child for each in workers for child in processes.children(each)]
    victim = rng.choice(victims)
    with suppress(psutil.NoSuchProcess):
        victim.send_signal(kind)
    timer = threading.Timer(20, _wake, [victim])
    timer.start()
    if number < HEADS:
        time.sleep(rng.uniform(0, 2))
        if not output.exists():  # a fast machine may be done
            head.process.kill()
            head.end()
            head = Head(film, output, address)
    assert head.end() == 0, (kind, victim, head.events)
    assert output.read_bytes() == alone
    timer.cancel()
    _wake(victim)


def test_killed_head_leaves_nothing(film: Path, tmp_path: Path) -> None:
    """With workers of its own: no process, no warning; the next start removes its folders."""
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), np.full((72, 128, 3), 255, np.uint8))
    scratch, output = tmp_path / "scratch", tmp_path / "out.mp4"
    scratch.mkdir()
    command = [*processes.PROGRAM, "convert", str(film), str(output), *OPTIONS, "--json"]
    command += ["--workers", "2", "--only", str(mask)]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with (tmp_path / "errors").open("w") as errors:
        head = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        assert head.stdout is not None
        while json.loads(head.stdout.readline())["event"] != "progress":
            pass
        family = psutil.Process(head.pid).children(recursive=True)
        head.kill()
        head.wait()
        gone, alive = psutil.wait_procs(family, timeout=60)
    assert len(gone) >= 3 and not alive
    assert (tmp_path / "errors").read_text() == ""
    assert not list(scratch.glob("live-nst-*"))
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    assert not list(scratch.glob("live-nst-*"))
    assert not list(scratch.glob("*/worker-*"))


def _wake(victim: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        victim.send_signal(signal.SIGCONT)

"""A scheduler and workers as processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

BARE_SCHEDULER = """
import sys
sys.modules["live_nst"] = None
from distributed.cli.dask_scheduler import main
main()
"""
PROGRAM = [sys.executable, "-m", "live_nst"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(command: list[str], log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            command, stdout=file, stderr=file, env={**os.environ, **environment}
        )


def start_scheduler(
    log: Path, *options: str, protocol: str = "tcp"
) -> "tuple[str, subprocess.Popen[bytes]]":
    """Start a scheduler that has Dask only: it cannot import live-nst."""
    port = free_port()
    command = [
        sys.executable, "-c", BARE_SCHEDULER, "--host", "127.0.0.1",
        "--port", str(port), "--dashboard-address", "127.0.0.1:0", *options,
    ]  # fmt: skip
    process = start(command, log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    return f"{protocol}://127.0.0.1:{port}", process


def children(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """The processes that paint: those that a nanny started."""
    found = psutil.Process(process.pid).children(recursive=True)
    return [each for each in found if "spawn_main" in " ".join(each.cmdline())]


@contextmanager
def cluster(log: Path, workers: int) -> "Iterator[tuple[str, list[subprocess.Popen[bytes]]]]":
    """A scheduler and workers that use a core each: the address, and the workers."""
    address, scheduler = start_scheduler(log)
    started = [start([*PROGRAM, "worker", address, "--cores", "1"], log) for _ in range(workers)]
    try:
        yield address, started
    finally:
        for each in (*started, scheduler):
            end(each)


def end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()

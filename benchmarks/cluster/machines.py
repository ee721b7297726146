"""A scheduler, workers and a head as processes of this machine, and what they take."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from benchmarks.cluster.groups import ControlGroup, control_groups

QUIET_SCHEDULER = {"DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms"}  # as docs/cluster.md says
PROGRAM = [sys.executable, "-m", "live_nst"]
Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Work:
    """A film and how it is converted.

    Attributes:
        film: The film.
        size: Longer side of the image that the network sees, in pixels.
        chunk: Frames of a chunk.
    """

    film: Path
    size: int
    chunk: int

    def command(self, output: Path, *options: str) -> list[str]:
        """Return the command that converts the film."""
        return [
            *PROGRAM, "convert", str(self.film), str(output), "--model", "mobile",
            "--device", "cpu", "--size", str(self.size), "--style", "ink",
            "--chunk", str(self.chunk), "--json", *options,
        ]  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What a conversion took, from the plan to the finished film.

    Attributes:
        frames: Number of frames.
        fps: Frames a second.
        seconds: Processor time by the role of the processes: "head", "scheduler", "workers".
        memory: Peak memory of the head in bytes.
    """

    frames: int
    fps: float
    seconds: dict[str, float]
    memory: int

    def milliseconds(self, *roles: str) -> float:
        """Return the processor time for a frame of some roles, or of all."""
        return 1000 * sum(self.seconds[each] for each in roles or self.seconds) / self.frames


@dataclass
class Cluster:
    """A scheduler and its workers.

    Attributes:
        address: The scheduler's address.
    """

    address: str
    scheduler: Process
    workers: list[Process] = field(default_factory=list)
    groups: list[ControlGroup] = field(default_factory=list)  # the first one is not held

    def convert(self, work: Work, output: Path, share: float | None) -> Cost:
        """Convert a film; when its frames begin, hold each worker to a share of a core."""
        for group in self.groups[1:]:
            group.hold(None, first=False)
        command = work.command(output, "--cluster", self.address)
        head = start(command, self.groups[0] if self.groups else None)

        def begin() -> None:
            for index, group in enumerate(self.groups):
                group.hold(share if index else None, first=True)

        return watch(head, {"scheduler": [self.scheduler], "workers": self.workers}, begin)


@contextmanager
def cluster(number: int, *, held: bool) -> Iterator[Cluster]:
    """Start a scheduler and so many workers, in control groups if they will be held to a share."""
    with control_groups(number + 1 if held else 0) as groups:
        address = f"127.0.0.1:{_free_port()}"
        command = [
            sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
            "--port", address.split(":")[1], "--dashboard-address", "127.0.0.1:0",
        ]  # fmt: skip
        scheduler = start(command, groups[0] if held else None, QUIET_SCHEDULER)
        made = Cluster(address, scheduler, groups=groups)
        try:
            for index in range(number):
                group = groups[index + 1] if held else None
                made.workers.append(start([*PROGRAM, "worker", address, "--cores", "1"], group))
            _wait_for_workers(address, number)
            yield made
        finally:
            for process in (*made.workers, made.scheduler):
                process.terminate()
            for process in (*made.workers, made.scheduler):
                process.wait()


def start(
    command: list[str],
    group: ControlGroup | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Process:
    """Start a process, in a control group if there is one."""
    if group is not None:
        command = ["sh", "-c", f'echo $$ > {group.members}; exec "$@"', "sh", *command]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )


def watch(head: Process, others: dict[str, list[Process]], begin: Any = lambda: None) -> Cost:
    """Return what a conversion took: its process and others that work for it."""
    roles = {"head": [head], **others}
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    done: dict[str, Any] = {}
    memory = 0
    assert head.stdout is not None
    for line in head.stdout:
        event = json.loads(line)
        if event["event"] == "plan":
            begin()
            before = _processor_time(roles)
        elif event["event"] in ("progress", "done") and before:
            with suppress(psutil.NoSuchProcess):
                memory = max(memory, psutil.Process(head.pid).memory_info().rss)
                after = _processor_time(roles)
        if event["event"] == "done":
            done = event
    if head.wait() or not done:
        raise RuntimeError("the conversion failed")
    seconds = {role: after[role] - before[role] for role in roles}
    return Cost(done["frames"], done["fps"], seconds, memory)


def _processor_time(roles: dict[str, list[Process]]) -> dict[str, float]:
    """Return the seconds of processor time that processes and their children took so far."""
    return {
        role: sum(
            sum(each.cpu_times()[:2])
            for process in processes
            for one in [psutil.Process(process.pid)]
            for each in (one, *one.children(recursive=True))
        )
        for role, processes in roles.items()
    }


def _wait_for_workers(address: str, number: int) -> None:
    """Wait until so many workers are connected."""
    import distributed

    with distributed.Client(address, timeout=60) as client:
        client.wait_for_workers(number, timeout=240)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

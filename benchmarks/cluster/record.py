"""Measure conversions with 1, 2 and 4 workers, fit the model, simulate, and write the record."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cluster.simulation import Film, simulate
from benchmarks.markdown import fill_tables, markdown_table
from live_nst.runtime.machine import describe_machine
from live_nst.sinks.recorder import Recorder
from live_nst.types import Frame
from tools.draw_demo.scene import DemoScene

FOLDER = Path(__file__).parent
GIGABIT = 125e6
SIMULATED = (10, 100, 300, 1000)
CHUNKS = (384, 96)
PROGRAM = [sys.executable, "-m", "live_nst"]

# A film of two hours in full HD, 25 frames a second at 8 Mbit/s, painted at 384 pixels on one core.
# The share of the warm-up and the head's time are as measured.
FEATURE = Film(
    frames=180_000, paint=0.4, warm=0.36, packets=40_000, result=40_000, head=0.0028, join=0.0003
)


def main(argv: list[str]) -> int:
    """Measure, simulate and write results.json and results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cluster", description=__doc__)
    parser.add_argument("--share", type=float, default=0.15, help="of a core, for each worker")
    parser.add_argument("--no-simulation", action="store_true")
    parser.add_argument("--frames", type=int, default=480)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    arguments = parser.parse_args(argv)
    path = FOLDER / "results.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    if arguments.workers:
        record["measured"] = measure(arguments.workers, arguments.share, arguments.frames)
    if not arguments.no_simulation:
        record["simulated"] = simulate_all()
    path.write_text(json.dumps(record, indent=1) + "\n")
    page = FOLDER / "results.md"
    page.write_text(fill_tables(page.read_text(), tables(record)))
    return 0


def measure(numbers: list[int], share: float, frames: int) -> dict[str, Any]:
    """Return frames a second and processor time with each number of workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = write_film(folder / "film.mp4", frames)
        alone = run_alone(film, folder / "alone.mp4")
        rows = [run_workers(film, folder, number, share, alone) for number in numbers]
    return {
        "date": date.today().isoformat(),
        "machine": describe_machine(),
        "load": [round(each, 1) for each in os.getloadavg()],
        "share": share,
        "frames": frames,
        "alone": {name: value for name, value in alone.items() if name != "bytes"},
        "rows": rows,
    }


def write_film(path: Path, frames: int) -> Path:
    """Record the demo at 320x180."""
    scene = DemoScene(320, 180)
    with Recorder(path) as recorder:
        for number in range(frames):
            recorder.write(Frame(scene.draw(number / 30), number, number / 30))
    return path


def command(film: Path, output: Path, *options: str) -> list[str]:
    """Return the command that converts the film."""
    return [
        *PROGRAM, "convert", str(film), str(output), "--model", "mobile", "--device", "cpu",
        "--size", "192", "--style", "ink", "--chunk", "40", "--json", *options,
    ]  # fmt: skip


def run_alone(film: Path, output: Path) -> dict[str, Any]:
    """Convert in one process; return its processor time for a frame, and the file."""
    process = subprocess.Popen(command(film, output), stdout=subprocess.PIPE, text=True)
    seconds, report = watch(process, [process.pid])
    return {"cpu ms": 1000 * seconds / report["frames"], "bytes": output.read_bytes()}


def run_workers(
    film: Path, folder: Path, number: int, share: float, alone: dict[str, Any]
) -> dict[str, Any]:
    """Convert with workers that the kernel holds to a share of a core each."""
    output = folder / f"{number}.mp4"
    with quotas(number, share) as (free, *groups):
        scheduler = start_in(
            free, sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
            "--port", "18799", "--dashboard-address", "127.0.0.1:0",
        )  # fmt: skip
        workers = [
            start_in(group, *PROGRAM, "worker", "127.0.0.1:18799", "--cores", "1")
            for group in groups
        ]
        try:
            wait_for(number)
            head = start_in(free, *command(film, output, "--cluster", "127.0.0.1:18799"))
            pids = [scheduler.pid, *(worker.pid for worker in workers), head.pid]
            seconds, report = watch(head, pids)
        finally:
            for process in (*workers, scheduler):
                process.terminate()
            for process in (*workers, scheduler):
                process.wait()
    return {
        "workers": number,
        "fps": report["fps"],
        "cpu ms": 1000 * seconds / report["frames"],
        "head ms": 1000 * report["head"] / report["frames"],
        "same": output.read_bytes() == alone["bytes"],
    }


def start_in(group: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a process in a control group."""
    return subprocess.Popen(
        ["sh", "-c", f'echo $$ > {group}; exec "$@"', "sh", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def wait_for(number: int) -> None:
    """Wait until so many workers are connected."""
    import distributed

    with distributed.Client("127.0.0.1:18799", timeout=60) as client:
        client.wait_for_workers(number, timeout=240)


def watch(process: "subprocess.Popen[str]", pids: list[int]) -> tuple[float, dict[str, Any]]:
    """Return the processor time of processes while frames are painted, and the report."""
    begin = head_begin = None
    report: dict[str, Any] = {}
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "plan":
            begin, head_begin = cpu_seconds(pids), cpu_seconds(pids[-1:])
        elif event["event"] == "progress" and begin is not None:
            with suppress(psutil.NoSuchProcess):
                report["cpu"] = cpu_seconds(pids) - begin
                report["head"] = cpu_seconds(pids[-1:]) - (head_begin or 0)
        elif event["event"] == "done":
            report |= event
    if process.wait():
        raise RuntimeError("the conversion failed")
    return report["cpu"], report


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor time of processes and their children so far."""
    found = [psutil.Process(pid) for pid in pids]
    everyone = {each.pid: each for one in found for each in (one, *one.children(recursive=True))}
    return sum(sum(each.cpu_times()[:2]) for each in everyone.values())


@contextmanager
def quotas(number: int, share: float) -> Iterator[list[Path]]:
    """Make a control group without a limit, and some that get a share of a core each.

    Yields:
        Where to write the ids of their processes.
    """
    second = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    root = Path("/sys/fs/cgroup") if second else Path("/sys/fs/cgroup/cpu")
    groups = [root / f"live-nst-{os.getpid()}-{index}" for index in range(number + 1)]
    quota = round(100_000 * share)
    for index, group in enumerate(groups):
        group.mkdir()
        if second and index:
            (group / "cpu.max").write_text(f"{quota} 100000")
        elif not second:
            (group / "cpu.cfs_quota_us").write_text(str(quota if index else -1))
            (group / "cpu.shares").write_text("16384")  # others take less on a busy machine
    try:
        yield [group / "cgroup.procs" for group in groups]
    finally:
        time.sleep(1)
        for group in groups:
            with suppress(OSError):
                group.rmdir()


def simulate_all() -> list[dict[str, Any]]:
    """Return the outcome for each number of workers, length of chunks and network."""
    rows = []
    for bandwidth, numbers in ((GIGABIT, SIMULATED), (10 * GIGABIT, SIMULATED[-1:])):
        for chunk in CHUNKS:
            for workers in numbers:
                outcome = simulate(FEATURE, workers, chunk, bandwidth)
                setting = {"gigabits": bandwidth / GIGABIT, "chunk": chunk, "workers": workers}
                rows.append(setting | asdict(outcome))
                print(rows[-1], flush=True)
    half = replace(FEATURE, frames=FEATURE.frames // 4)
    outcome = simulate(half, SIMULATED[-1] // 4, CHUNKS[1], GIGABIT)
    rows.append({"gigabits": 1, "chunk": CHUNKS[1], "workers": "4 x 250"} | asdict(outcome))
    return rows


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Return the tables of results.md."""
    found = {}
    if "measured" in record:
        rows = record["measured"]["rows"]
        one = rows[0]["fps"] / rows[0]["workers"]
        found["measured"] = markdown_table(
            [
                "workers",
                "frames a second",
                "of proportional",
                "cpu ms a frame",
                "head",
                "same file",
            ],
            [
                [
                    str(row["workers"]),
                    f"{row['fps']:.2f}",
                    f"{row['fps'] / row['workers'] / one:.0%}",
                    f"{row['cpu ms']:.1f}",
                    f"{row['head ms']:.2f}",
                    "yes" if row["same"] else "no",
                ]
                for row in rows
            ],
        )
    if "simulated" not in record:
        return found
    found["simulated"] = markdown_table(
        ["workers", "chunk", "network", "time", "efficiency", "sent", "painted twice"],
        [
            [
                str(row["workers"]),
                str(row["chunk"]),
                f"{row['gigabits']:g} Gbit/s",
                f"{row['seconds'] / 60:.1f} min",
                f"{row['efficiency']:.0%}",
                f"{row['megabytes'] / 1000:.1f} GB",
                str(row["repeated"]),
            ]
            for row in record["simulated"]
        ],
    )
    return found

"""Measure conversions with 1, 2 and 4 workers, simulate more, and write the record.

`python -m benchmarks cluster --no-simulation` takes about four minutes. Control groups, which hold
the workers to their share, need root; with `--share 0` nothing holds them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.cluster.machines import Work, cluster, start, watch
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
GROWTH, OUTSIDE, FLAT = 0.9, 0.1, 1.1  # what is promised
SIZE, CHUNK = 192, 40  # many short chunks: all workers end at about the same time

# A film of two hours in full HD, 25 frames a second at 8 Mbit/s, painted at 384 pixels on one core.
# The share of the warm-up is as measured.
FEATURE = Film(
    frames=180_000, paint=0.4, warm=0.36, packets=40_000, result=40_000, head=0.0028, join=0.0003
)


def main(argv: list[str]) -> int:
    """Measure, simulate and write results.json and results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cluster", description=__doc__)
    parser.add_argument("--share", type=float, default=0.4, help="of a core, for each worker")
    parser.add_argument("--no-simulation", action="store_true")
    parser.add_argument("--frames", type=int, default=16 * CHUNK)
    parser.add_argument("--memory-frames", type=int, default=1500, help="and four times as many")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    arguments = parser.parse_args(argv)
    path = FOLDER / "results.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    if arguments.workers:
        record["measured"] = measure(arguments.workers, arguments.share or None, arguments.frames)
    if arguments.memory_frames:
        record["memory"] = measure_memory(arguments.memory_frames)
    if not arguments.no_simulation:
        record["simulated"] = simulate_all()
    path.write_text(json.dumps(record, indent=1) + "\n")
    page = FOLDER / "results.md"
    page.write_text(fill_tables(page.read_text(), tables(record)))
    broken = list(broken_promises(record))
    for sentence in broken:
        print(f"BROKEN: {sentence}")
    return int(bool(broken))


def broken_promises(record: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each promise that the measurements break."""
    for row in record.get("measured", {"rows": []})["rows"]:
        number = row["workers"]
        if not row["same"]:
            yield f"with {number} workers the file differs"
        if growth(record["measured"], row) < GROWTH:
            yield f"{number} workers do {growth(record['measured'], row):.0%} of proportional"
        if outside(record["measured"], row) > OUTSIDE:
            yield f"with {number} workers {outside(record['measured'], row):.0%} is not painting"
    if "memory" in record:
        one, four = (row["peak mb"] for row in record["memory"])
        if four > FLAT * one:
            yield f"the head's memory grows from {one:.0f} to {four:.0f} MB"


def growth(measured: dict[str, Any], row: dict[str, Any]) -> float:
    """Return the frames a second of some workers as a part of as many times those of one."""
    first = measured["rows"][0]
    return float(row["fps"] / row["workers"] / first["fps"] * first["workers"])


def outside(measured: dict[str, Any], row: dict[str, Any]) -> float:
    """Return the share of the processor time that is not that of painting and encoding."""
    return 1 - float(measured["painting"]["cpu ms"] / row["cpu ms"])


def measure(numbers: list[int], share: float | None, frames: int) -> dict[str, Any]:
    """Return frames a second and processor time with each number of workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = Work(write_film(folder / "film.mp4", frames), SIZE, CHUNK)
        alone = watch(start(work.command(folder / "alone.mp4")), {})
        painting = [painted_alone(work, folder / "before.mp4")]
        rows = [
            run_workers(work, folder / f"{number}.mp4", number, share, folder / "alone.mp4")
            for number in numbers
        ]
        painting.append(painted_alone(work, folder / "after.mp4"))
    return {
        "date": date.today().isoformat(),
        "machine": describe_machine(),
        "load": [round(each, 1) for each in os.getloadavg()],
        "share": share,
        "frames": frames,
        "alone": {"cpu ms": alone.milliseconds()},
        "painting": {"cpu ms": 1000 * sum(painting) / len(painting) / frames},
        "rows": rows,
    }


def painted_alone(work: Work, output: Path) -> float:
    """Return the processor time of painting the same chunks in one process; see `painting`."""
    command = [sys.executable, "-m", "benchmarks.cluster.painting"]
    arguments = [str(each) for each in (work.film, output, work.size, work.chunk)]
    done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout)["painting"])


def measure_memory(frames: int) -> list[dict[str, Any]]:
    """Return the peak memory of the head for a film, and for one of four times its length."""
    rows = []
    with tempfile.TemporaryDirectory() as name, cluster(2, held=False) as machines:
        folder = Path(name)
        for number in (frames, 4 * frames):
            film = write_film(folder / f"{number}.mp4", number, (96, 54))
            cost = machines.convert(Work(film, 64, 96), folder / f"{number}-out.mp4", None)
            rows.append(
                {
                    "frames": number,
                    "peak mb": cost.memory / 1e6,
                    "head ms": cost.milliseconds("head"),
                }
            )
            print(rows[-1], flush=True)
    return rows


def write_film(path: Path, frames: int, size: tuple[int, int] = (320, 180)) -> Path:
    """Record the demo."""
    scene = DemoScene(*size)
    with Recorder(path) as recorder:
        for number in range(frames):
            recorder.write(Frame(scene.draw(number / 30), number, number / 30))
    return path


def run_workers(
    work: Work, output: Path, number: int, share: float | None, alone: Path
) -> dict[str, Any]:
    """Convert with workers that the kernel holds to a share of a core each."""
    with cluster(number, held=share is not None) as machines:
        cost = machines.convert(work, output, share)
    row = {
        "workers": number,
        "fps": cost.fps,
        "cpu ms": cost.milliseconds(),
        "same": output.read_bytes() == alone.read_bytes(),
    } | {f"{role} ms": cost.milliseconds(role) for role in cost.seconds}
    print(row, flush=True)
    return row


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
        measured = record["measured"]
        found["measured"] = markdown_table(
            ["workers", "frames a second", "of proportional", "cpu ms a frame",
             "workers", "scheduler", "head", "not painting", "same file"],
            [
                [
                    str(row["workers"]),
                    f"{row['fps']:.2f}",
                    f"{growth(measured, row):.0%}",
                    f"{row['cpu ms']:.1f}",
                    f"{row['workers ms']:.1f}",
                    f"{row['scheduler ms']:.2f}",
                    f"{row['head ms']:.2f}",
                    f"{outside(measured, row):.0%}",
                    "yes" if row["same"] else "no",
                ]
                for row in measured["rows"]
            ],
        )  # fmt: skip
        found["alone"] = markdown_table(
            ["one process", "cpu ms a frame"],
            [
                ["`convert` alone: it runs the network once for each frame",
                 f"{measured['alone']['cpu ms']:.1f}"],
                ["the chunks as workers paint them, each with its warm-up",
                 f"{measured['painting']['cpu ms']:.1f}"],
            ],
        )  # fmt: skip
    if "memory" in record:
        found["memory"] = markdown_table(
            ["frames", "peak memory of the head", "its cpu ms a frame"],
            [
                [str(row["frames"]), f"{row['peak mb']:.0f} MB", f"{row['head ms']:.2f}"]
                for row in record["memory"]
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

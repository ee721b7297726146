"""Start-up and memory of a live session: the program itself, as a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    middle,
    play,
    table,
    written,
)

ROUNDS, SECONDS = 3, 4
SIZE = "640"
FIRST_FRAME, MEMORY = 3.0, 600.0


def measure(settings: Settings) -> dict[str, Any]:
    """A session with an empty cache, then one that finds it filled."""
    facts: dict[str, Any] = {}

    def one_round() -> Values:
        values: Values = {}
        with tempfile.TemporaryDirectory(prefix="live-nst-benchmark-") as cache:
            for kind in ("cold", "warm"):
                stats = session(Path(cache))
                facts["engine"] = stats["engine"]
                values[f"{kind} seconds"] = stats["startup_seconds"]
                values[f"{kind} MB"] = stats["peak_rss_mb"]
        return values

    return play(one_round, ROUNDS, settings, "warm seconds") | facts


def session(cache: Path) -> dict[str, Any]:
    """Run the demo for a while, on the CPU; what `--stats` wrote."""
    path = cache / "stats.json"
    command = [
        sys.executable, "-m", "live_nst", "--source", "demo", "--no-window", "--device", "cpu",
        "--size", SIZE, "--duration", str(SECONDS), "--stats", str(path),
    ]  # fmt: skip
    environment = {**os.environ, "LIVE_NST_CACHE": str(cache / "cache")}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    stats: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return stats


def promises(result: dict[str, Any]) -> list[Promise]:
    """The first frame and the memory."""
    seconds = [
        Promise(
            f"first painted frame within {FIRST_FRAME:g} s of the process's start, {kind} cache",
            middle(result, f"{kind} seconds"),
            FIRST_FRAME,
            at_least=False,
            form="{:.2f} s",
        )
        for kind in ("cold", "warm")
    ]
    memory = Promise(
        f"a live session takes at most {MEMORY:.0f} MB",
        max(middle(result, f"{kind} MB") or 0.0 for kind in ("cold", "warm")),
        MEMORY,
        at_least=False,
        form="{:.0f} MB",
    )
    return [*seconds, memory]


def tables(result: dict[str, Any]) -> str:
    """Seconds and megabytes."""
    summary = result["summary"]
    rows = [
        [
            words,
            written(summary[f"{kind} seconds"], "{:.2f}"),
            written(summary[f"{kind} MB"], "{:.0f}"),
        ]
        for kind, words in (("cold", "first start ever"), ("warm", "every later start"))
    ]
    headings = [f"`live-nst --source demo --size {SIZE}`, {result['engine']}",
                "first painted frame, s", "peak memory, MB"]  # fmt: skip
    return table(headings, rows)


PART = Part("startup", "Start-up and memory", measure, promises, tables)

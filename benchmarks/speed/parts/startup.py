"""Measure start-up time and memory of `live-nst` in its own process."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)

ROUNDS, SECONDS = 3, 4
SIZE = "640"
FIRST_FRAME, MEMORY = 3.0, 600.0


def measure(settings: Settings) -> dict[str, Any]:
    """Run a session with an empty cache, then one with a filled cache."""
    facts: dict[str, Any] = {}

    def one_round() -> Values:
        values: Values = {}
        with tempfile.TemporaryDirectory(prefix="live-nst-benchmark-") as cache:
            for kind in ("cold", "warm"):
                stats = run_session(Path(cache))
                facts["engine"] = stats["engine"]
                values[f"{kind} seconds"] = stats["startup_seconds"]
                values[f"{kind} MB"] = stats["peak_rss_mb"]
        return values

    return run_rounds(one_round, ROUNDS, settings, "warm seconds") | facts


def run_session(cache: Path) -> dict[str, Any]:
    """Run the demo on the CPU and return the JSON of `--stats`."""
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
    """Return promises on the first frame and on memory."""
    seconds = [
        Promise(
            f"first stylized frame within {FIRST_FRAME:g} s of process start, {kind} cache",
            median_of(result, f"{kind} seconds"),
            FIRST_FRAME,
            at_least=False,
            value_format="{:.2f} s",
        )
        for kind in ("cold", "warm")
    ]
    memory = Promise(
        f"a live session uses at most {MEMORY:.0f} MB",
        max(median_of(result, f"{kind} MB") or 0.0 for kind in ("cold", "warm")),
        MEMORY,
        at_least=False,
        value_format="{:.0f} MB",
    )
    return [*seconds, memory]


def tables(result: dict[str, Any]) -> str:
    """Return the table of times and memory."""
    summary = result["summary"]
    rows = [
        [
            label,
            format_stats(summary[f"{kind} seconds"], "{:.2f}"),
            format_stats(summary[f"{kind} MB"], "{:.0f}"),
        ]
        for kind, label in (("cold", "first start"), ("warm", "later starts"))
    ]
    headings = [f"`live-nst --source demo --size {SIZE}`, {result['engine']}",
                "first stylized frame, s", "peak memory, MB"]  # fmt: skip
    return markdown_table(headings, rows)


PART = Part("startup", "Start-up and memory", measure, promises, tables)

"""Ten minutes on the demo source: memory stays flat, and nothing is left running.

LIVE_NST_SOAK_SECONDS sets another duration; the first tenth of it is not judged.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

SECONDS = float(os.environ.get("LIVE_NST_SOAK_SECONDS", "600"))
SAMPLE_SECONDS = 0.25

# Runs the command, then tells which threads are left.
PROGRAM = """
import sys, threading
from live_nst.cli import main
try:
    main()
except SystemExit as end:
    code = end.code or 0
print("left", sorted(t.name for t in threading.enumerate() if t.name.startswith("live-nst")))
sys.exit(code)
"""


def resident_memory(process: subprocess.Popen[str]) -> list[tuple[float, int]]:
    """(seconds since the first one, bytes) for as long as the process runs."""
    watched = psutil.Process(process.pid)
    start = time.monotonic()
    samples = []
    while process.poll() is None:
        try:
            samples.append((time.monotonic() - start, watched.memory_info().rss))
        except psutil.NoSuchProcess:
            break
        time.sleep(SAMPLE_SECONDS)
    return samples


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    arguments = ["--source", "demo", "--no-window", "--device", "cpu", "--stats", "s.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments, "--duration", str(SECONDS)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        samples = resident_memory(process)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out.splitlines()[-1] == "left []"
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["frames"] > SECONDS

    # The process also starts and ends: its showing is the last SECONDS of the samples.
    end = samples[-1][0] - 1
    begin = end - SECONDS + 1

    def median(since: float, until: float) -> float:
        return float(np.median([rss for moment, rss in samples if since <= moment <= until]))

    window = SECONDS / 20
    first = median(begin + 2 * window, begin + 3 * window)
    last = median(end - window, end)
    growth = last / first - 1
    print(f"{first / 1e6:.1f} MB, then {last / 1e6:.1f} MB: {growth:+.2%}")
    assert growth < 0.01

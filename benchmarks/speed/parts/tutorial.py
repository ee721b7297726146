"""Compare with TF Hub's tutorial: the whole module with both images for each frame."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import SMALL, camera_frame, tutorial_call
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)
from live_nst.bench.measurement import time_calls
from live_nst.models.loading import resolve_model
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

ROUNDS, BLOCK, LEAST = 5, 0.5, 2
VARIABLE = "LIVE_NST_HUB_GRAPH"
"""Environment variable: a folder in which `make_module.py OUT` writes TF Hub's module."""

MODELS = {"mobile": "the packaged module", "hub": "TF Hub's module"}


def measure(settings: Settings) -> dict[str, Any]:
    """Measure the tutorial and live-nst with each module in turn."""
    with tempfile.TemporaryDirectory(prefix="live-nst-benchmark-") as scratch:
        folders = {"mobile": resolve_model("mobile").folder}
        hub, reason = _hub_folder(Path(scratch))
        if hub is None:
            print(f"  TF Hub's module skipped: {reason}", flush=True)
        else:
            folders["hub"] = hub
        calls: dict[str, Callable[[], object]] = {}
        for name, folder in folders.items():
            calls[f"tutorial {name}"] = tutorial_call(folder, SMALL)
            calls[f"ours {name}"] = _our_call(folder)

        def one_round() -> Values:
            times = time_calls(calls, seconds=BLOCK, least=LEAST)
            taken = {name: median(t) for name, t in times.items()}
            ratios = {f"ratio {n}": taken[f"tutorial {n}"] / taken[f"ours {n}"] for n in folders}
            return {f"ms {name}": 1000 * seconds for name, seconds in taken.items()} | ratios

        return run_rounds(one_round, ROUNDS, settings, "ratio mobile") | {"left_out": reason}


def _our_call(folder: Path) -> Callable[[], object]:
    stylizer, frame = (
        StylizerCore(
            StylizerOptions(model=str(folder), styles=("starry",), size=SMALL[0], device="cpu")
        ),
        camera_frame(),
    )
    return lambda: stylizer(frame)


def _hub_folder(scratch: Path) -> tuple[Path | None, str]:
    """Return the folder of TF Hub's module, or None and the reason."""
    maker = Path(os.environ.get(VARIABLE, "")) / "make_module.py"
    if VARIABLE not in os.environ or not maker.is_file():
        return None, f"${VARIABLE} is not a folder with make_module.py"
    folder = scratch / "hub"
    done = subprocess.run(
        [sys.executable, maker, folder], check=False, capture_output=True, text=True
    )
    if done.returncode:
        return None, f"make_module.py failed: {(done.stderr.splitlines() or ['?'])[-1]}"
    return folder, ""


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return promises on the speedup."""
    return [
        Promise(
            f"with {label}, live-nst is twice as fast as the tutorial",
            median_of(result, f"ratio {name}"),
            2.0,
        )
        for name, label in MODELS.items()
    ]


def tables(result: dict[str, Any]) -> str:
    """Return the table of both."""
    summary = result["summary"]
    rows = [
        [
            label,
            format_stats(summary[f"ms tutorial {name}"]),
            format_stats(summary[f"ms ours {name}"]),
            format_stats(summary[f"ratio {name}"], "{:.2f}"),
        ]
        for name, label in MODELS.items()
        if f"ratio {name}" in summary
    ]
    text = markdown_table(
        ["ms per 1280x720 frame, network 384x216", "tutorial", "live-nst", "speedup"], rows
    )
    return (
        f"{text}\n\nTF Hub's module was skipped: {result['left_out']}."
        if result["left_out"]
        else text
    )


PART = Part("tutorial", "Comparison with the tutorial", measure, promises, tables)

"""Against the tutorial's way: the whole module with both pictures for every frame."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
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
from benchmarks.speed.stage import SMALL, camera_frame, tutorial_call
from live_nst.bench.measurement import time_calls
from live_nst.models.loading import resolve
from live_nst.stylizer.core import StylizerCore

ROUNDS, BLOCK, LEAST = 5, 0.5, 2
VARIABLE = "LIVE_NST_HUB_GRAPH"
"""Names a folder whose make_module.py OUT writes the Hub module's graph with random weights."""

MODELS = {"mobile": "the packaged module", "hub": "TF Hub's module"}


def measure(settings: Settings) -> dict[str, Any]:
    """Both ways on each module, in turn."""
    with tempfile.TemporaryDirectory(prefix="live-nst-benchmark-") as scratch:
        folders = {"mobile": resolve("mobile").folder}
        hub, reason = _hub_folder(Path(scratch))
        if hub is None:
            print(f"  the Hub's module is left out: {reason}", flush=True)
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

        return play(one_round, ROUNDS, settings, "ratio mobile") | {"left_out": reason}


def _our_call(folder: Path) -> Callable[[], object]:
    stylizer, frame = (
        StylizerCore(str(folder), ["starry"], size=SMALL[0], device="cpu"),
        camera_frame(),
    )
    return lambda: stylizer(frame)


def _hub_folder(scratch: Path) -> tuple[Path | None, str]:
    """The module of the Hub, or its graph with random weights; else why it is not there."""
    maker = Path(os.environ.get(VARIABLE, "")) / "make_module.py"
    if VARIABLE not in os.environ or not maker.is_file():
        return None, f"${VARIABLE} names no folder with make_module.py"
    folder = scratch / "hub"
    done = subprocess.run(
        [sys.executable, maker, folder], check=False, capture_output=True, text=True
    )
    if done.returncode:
        return None, f"make_module.py failed: {(done.stderr.splitlines() or ['?'])[-1]}"
    return folder, ""


def promises(result: dict[str, Any]) -> list[Promise]:
    """How many times as fast ours is."""
    return [
        Promise(
            f"on {words}, ours is twice as fast as the tutorial's way",
            middle(result, f"ratio {name}"),
            2.0,
        )
        for name, words in MODELS.items()
    ]


def tables(result: dict[str, Any]) -> str:
    """The tutorial's way and ours, side by side."""
    summary = result["summary"]
    rows = [
        [
            words,
            written(summary[f"ms tutorial {name}"]),
            written(summary[f"ms ours {name}"]),
            written(summary[f"ratio {name}"], "{:.2f}"),
        ]
        for name, words in MODELS.items()
        if f"ratio {name}" in summary
    ]
    text = table(
        ["ms per 1280x720 frame, network 384x216", "tutorial", "ours", "times as fast"], rows
    )
    return (
        f"{text}\n\nTF Hub's module was left out: {result['left_out']}."
        if result["left_out"]
        else text
    )


PART = Part("tutorial", "Against the tutorial's way", measure, promises, tables)

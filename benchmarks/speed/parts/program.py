"""The frame network alone, on every engine, against the machine's peak and the network of old."""

from collections.abc import Callable
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
from benchmarks.speed.stage import LARGE, SMALL, bare_program, open_engine
from live_nst.bench.flops import MATMUL_SHAPES, frame_flops, openvino_matmuls, peak_flops
from live_nst.bench.measurement import time_calls

ROUNDS, BLOCK, PRODUCT_BLOCK, TURNS = 7, 0.15, 0.03, 3

ENGINES: dict[str, tuple[str, str, bool]] = {
    "openvino bfloat16": ("openvino", "bfloat16", True),
    "openvino float32": ("openvino", "float32", True),
    "openvino float32, as published": ("openvino", "float32", False),
    "tensorflow float32": ("tensorflow", "float32", True),
    "tensorflow float32, as published": ("tensorflow", "float32", False),
}
"""What runs the network: (engine, precision, rewritten)."""


def measure(settings: Settings) -> dict[str, Any]:
    """Programs and matrix products in turn."""
    calls: dict[str, Callable[[], object]] = {}
    for name, (engine, precision, rewritten) in ENGINES.items():
        opened = open_engine(engine, precision, rewritten=rewritten)
        for size in (SMALL, LARGE):
            calls[f"{name} {_written(size)}"] = bare_program(opened, size)
    precisions = ("float32", "bfloat16")
    products = {
        threads: {p: openvino_matmuls(p, threads=threads) for p in precisions}
        for threads in (None, 1)
    }

    def one_round() -> Values:
        peaks: Values = {}
        for threads, by_precision in products.items():
            for precision, ways in by_precision.items():
                times = time_calls(ways, seconds=PRODUCT_BLOCK, turns=TURNS)
                flops, _ = peak_flops(precision, times, MATMUL_SHAPES)
                cores = "one core" if threads == 1 else "all cores"
                peaks[f"peak {precision}, {cores}"] = flops / 1e9
        taken = {
            name: median(t) for name, t in time_calls(calls, seconds=BLOCK, turns=TURNS).items()
        }
        values = peaks | {f"ms {name}": 1000 * seconds for name, seconds in taken.items()}
        for name, (_, precision, _) in ENGINES.items():
            for size in (SMALL, LARGE):
                flops = frame_flops("mobile", size) or 0.0
                rate = flops / taken[f"{name} {_written(size)}"] / 1e9
                values[f"share {name} {_written(size)}"] = (
                    rate / peaks[f"peak {precision}, all cores"]
                )
        for engine in ("openvino", "tensorflow"):
            for size in (SMALL, LARGE):
                name, end = f"{engine} float32", _written(size)
                gain = taken[f"{name}, as published {end}"] / taken[f"{name} {end}"]
                values[f"gain {engine} {end}"] = gain
        return values

    return play(one_round, ROUNDS, settings, "share openvino bfloat16 640x360")


def promises(result: dict[str, Any]) -> list[Promise]:
    """Shares of the peak, and what the rewrites gain."""
    share = middle(result, "share openvino bfloat16 640x360")
    percent = "{:.0%}"
    return [
        Promise("OpenVINO bfloat16 at 640x360 reaches 55% of the peak", share, 0.55, form=percent),
        Promise("... and, hoped for, 70%", share, 0.70, form=percent, stretch=True),
        Promise(
            "OpenVINO float32 at 640x360 reaches 65% of the peak",
            middle(result, "share openvino float32 640x360"),
            0.65,
            form=percent,
        ),
        Promise(
            "TensorFlow after the rewrites is 1.4 times as fast as before, at 640x360",
            middle(result, "gain tensorflow 640x360"),
            1.4,
        ),
    ]


def tables(result: dict[str, Any]) -> str:
    """Programs by engine, and the peaks."""
    summary = result["summary"]
    headings = [
        "frame program",
        *(f"{_written(s)}, ms" for s in (SMALL, LARGE)),
        "of peak, 640x360",
    ]
    rows = [
        [
            name,
            *(written(summary[f"ms {name} {_written(size)}"]) for size in (SMALL, LARGE)),
            written(summary[f"share {name} 640x360"], "{:.0%}"),
        ]
        for name in ENGINES
    ]
    peaks = [
        [name.removeprefix("peak "), written(values, "{:.0f}")]
        for name, values in summary.items()
        if name.startswith("peak ")
    ]
    gains = [
        [f"{engine} float32", *(written(summary[f"gain {engine} {_written(s)}"], "{:.2f}")
                                for s in (SMALL, LARGE))]
        for engine in ("openvino", "tensorflow")
    ]  # fmt: skip
    return "\n\n".join(
        [
            table(headings, rows),
            table(["what the rewrites gain, times", _written(SMALL), _written(LARGE)], gains),
            table(["largest rate of matrix products", "GFLOP/s"], peaks),
        ]
    )


def _written(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


PART = Part("program", "The frame program", measure, promises, tables)

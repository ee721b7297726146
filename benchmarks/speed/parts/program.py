"""Measure the frame program on each engine, relative to the machine's peak."""

from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import LARGE, SMALL, bind_frame_program, open_engine
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)
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
"""Engine, precision and whether the graph is rewritten, by label."""


def measure(settings: Settings) -> dict[str, Any]:
    """Measure programs and matrix products in turn."""
    calls: dict[str, Callable[[], object]] = {}
    for name, (engine, precision, rewritten) in ENGINES.items():
        opened = open_engine(engine, precision, rewritten=rewritten)
        for size in (SMALL, LARGE):
            calls[f"{name} {_size_text(size)}"] = bind_frame_program(opened, size)
    precisions = ("float32", "bfloat16")
    products = {
        threads: {p: openvino_matmuls(p, threads=threads) for p in precisions}
        for threads in (None, 1)
    }

    def one_round() -> Values:
        peaks: Values = {}
        for threads, by_precision in products.items():
            for precision, matmuls in by_precision.items():
                times = time_calls(matmuls, seconds=PRODUCT_BLOCK, turns=TURNS)
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
                rate = flops / taken[f"{name} {_size_text(size)}"] / 1e9
                values[f"share {name} {_size_text(size)}"] = (
                    rate / peaks[f"peak {precision}, all cores"]
                )
        for engine in ("openvino", "tensorflow"):
            for size in (SMALL, LARGE):
                name, end = f"{engine} float32", _size_text(size)
                gain = taken[f"{name}, as published {end}"] / taken[f"{name} {end}"]
                values[f"gain {engine} {end}"] = gain
        return values

    return run_rounds(one_round, ROUNDS, settings, "share openvino bfloat16 640x360")


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return promises on the share of the peak and the speedup by rewriting."""
    share = median_of(result, "share openvino bfloat16 640x360")
    percent = "{:.0%}"
    return [
        Promise(
            "OpenVINO bfloat16 at 640x360 reaches 55% of the peak",
            share,
            0.55,
            value_format=percent,
        ),
        Promise("stretch goal: 70%", share, 0.70, value_format=percent, stretch=True),
        Promise(
            "OpenVINO float32 at 640x360 reaches 65% of the peak",
            median_of(result, "share openvino float32 640x360"),
            0.65,
            value_format=percent,
        ),
        Promise(
            "the rewritten graph is 1.4 times as fast in TensorFlow at 640x360",
            median_of(result, "gain tensorflow 640x360"),
            1.4,
        ),
    ]


def tables(result: dict[str, Any]) -> str:
    """Return tables of the programs, the speedups and the peaks."""
    summary = result["summary"]
    headings = [
        "frame program",
        *(f"{_size_text(s)}, ms" for s in (SMALL, LARGE)),
        "share of peak, 640x360",
    ]
    rows = [
        [
            name,
            *(format_stats(summary[f"ms {name} {_size_text(size)}"]) for size in (SMALL, LARGE)),
            format_stats(summary[f"share {name} 640x360"], "{:.0%}"),
        ]
        for name in ENGINES
    ]
    peaks = [
        [name.removeprefix("peak "), format_stats(values, "{:.0f}")]
        for name, values in summary.items()
        if name.startswith("peak ")
    ]
    gains = [
        [f"{engine} float32", *(format_stats(summary[f"gain {engine} {_size_text(s)}"], "{:.2f}")
                                for s in (SMALL, LARGE))]
        for engine in ("openvino", "tensorflow")
    ]  # fmt: skip
    return "\n\n".join(
        [
            markdown_table(headings, rows),
            markdown_table(
                ["speedup by rewriting the graph", _size_text(SMALL), _size_text(LARGE)], gains
            ),
            markdown_table(["peak of matrix products", "GFLOP/s"], peaks),
        ]
    )


def _size_text(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


PART = Part("program", "The frame program", measure, promises, tables)

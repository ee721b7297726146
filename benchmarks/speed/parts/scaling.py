"""Measure the cost by number of pixels, from 256x144 to 1920x1080."""

from statistics import median
from typing import Any

import numpy as np

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import bind_frame_program, open_engine
from benchmarks.speed.part import (
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)
from live_nst.bench.measurement import time_calls

ROUNDS, BLOCK, TURNS = 5, 0.12, 3
SIZES = (
    (256, 144), (384, 216), (512, 288), (640, 360), (960, 540), (1280, 720), (1600, 900),
    (1920, 1080),
)  # fmt: skip
TOLERANCE = 0.2


def measure(settings: Settings) -> dict[str, Any]:
    """Measure the frame program at all sizes in turn."""
    engine = open_engine("auto", "auto")
    calls = {f"{w}x{h}": bind_frame_program(engine, (w, h)) for w, h in SIZES}
    pixels = np.array([w * h for w, h in SIZES], float)

    def one_round() -> Values:
        times = time_calls(calls, seconds=BLOCK, turns=TURNS, least=2)
        ms = np.array([1000 * median(taken) for taken in times.values()])
        fixed, slope = fit_line(pixels, ms)
        off = float(np.abs(ms / (fixed + slope * pixels) - 1).max())
        values = {f"ms {name}": float(value) for name, value in zip(calls, ms, strict=True)}
        return values | {"fixed ms": fixed, "ns per pixel": 1e6 * slope, "off": off}

    facts = {"engine": f"{engine.name} in {engine.precision}"}
    return facts | run_rounds(one_round, ROUNDS, settings, "ns per pixel")


def fit_line(pixels: np.ndarray, ms: np.ndarray) -> tuple[float, float]:
    """Fit ms = fixed + slope * pixels with least squares of the relative errors."""
    rows = np.stack([1 / ms, pixels / ms], axis=1)
    (fixed, slope), *_ = np.linalg.lstsq(rows, np.ones(len(ms)), rcond=None)
    return float(fixed), float(slope)


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return a promise on linearity."""
    return [
        Promise(
            f"cost is linear in pixels: each size within {TOLERANCE:.0%} of the line",
            median_of(result, "off"),
            TOLERANCE,
            at_least=False,
            value_format="{:.0%}",
        )
    ]


def tables(result: dict[str, Any]) -> str:
    """Return the table of sizes and the fitted line."""
    summary = result["summary"]
    rows = [
        [f"{w}x{h}", format_stats(summary[f"ms {w}x{h}"]),
         f"{1e6 * summary[f'ms {w}x{h}']['median'] / (w * h):.0f}"]
        for w, h in SIZES
    ]  # fmt: skip
    text = (
        f"Fitted line: {summary['fixed ms']['median']:.2f} ms and "
        f"{summary['ns per pixel']['median']:.0f} ns per pixel; "
        f"largest deviation {summary['off']['median']:.0%}."
    )
    return (
        markdown_table([f"network size, {result['engine']}", "ms", "ns per pixel"], rows)
        + "\n\n"
        + text
    )


PART = Part("scaling", "Cost by number of pixels", measure, promises, tables)

"""Cost against pixels, from 256x144 to 1920x1080."""

from statistics import median
from typing import Any

import numpy as np

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
from benchmarks.speed.stage import bare_program, open_engine
from live_nst.bench.measurement import time_calls

ROUNDS, BLOCK, TURNS = 5, 0.12, 3
SIZES = (
    (256, 144), (384, 216), (512, 288), (640, 360), (960, 540), (1280, 720), (1600, 900),
    (1920, 1080),
)  # fmt: skip
TOLERANCE = 0.2


def measure(settings: Settings) -> dict[str, Any]:
    """The frame program at every size, in turn."""
    engine = open_engine("auto", "auto")
    calls = {f"{w}x{h}": bare_program(engine, (w, h)) for w, h in SIZES}
    pixels = np.array([w * h for w, h in SIZES], float)

    def one_round() -> Values:
        times = time_calls(calls, seconds=BLOCK, turns=TURNS, least=2)
        ms = np.array([1000 * median(taken) for taken in times.values()])
        fixed, slope = fit(pixels, ms)
        off = float(np.abs(ms / (fixed + slope * pixels) - 1).max())
        values = {f"ms {name}": float(value) for name, value in zip(calls, ms, strict=True)}
        return values | {"fixed ms": fixed, "ns per pixel": 1e6 * slope, "off": off}

    facts = {"engine": f"{engine.name} in {engine.precision}"}
    return facts | play(one_round, ROUNDS, settings, "ns per pixel")


def fit(pixels: np.ndarray, ms: np.ndarray) -> tuple[float, float]:
    """The line ms = fixed + slope * pixels with the least squares of relative errors."""
    rows = np.stack([1 / ms, pixels / ms], axis=1)
    (fixed, slope), *_ = np.linalg.lstsq(rows, np.ones(len(ms)), rcond=None)
    return float(fixed), float(slope)


def promises(result: dict[str, Any]) -> list[Promise]:
    """A straight line."""
    return [
        Promise(
            f"cost is linear in pixels: no size is more than {TOLERANCE:.0%} off the line",
            middle(result, "off"),
            TOLERANCE,
            at_least=False,
            form="{:.0%}",
        )
    ]


def tables(result: dict[str, Any]) -> str:
    """Milliseconds by size, and the line."""
    summary = result["summary"]
    rows = [
        [f"{w}x{h}", written(summary[f"ms {w}x{h}"]),
         f"{1e6 * summary[f'ms {w}x{h}']['median'] / (w * h):.0f}"]
        for w, h in SIZES
    ]  # fmt: skip
    text = (
        f"The line that fits best: {summary['fixed ms']['median']:.2f} ms and "
        f"{summary['ns per pixel']['median']:.0f} ns per pixel; "
        f"the size farthest off is {summary['off']['median']:.0%} off."
    )
    return table([f"network size, {result['engine']}", "ms", "ns per pixel"], rows) + "\n\n" + text


PART = Part("scaling", "Cost against pixels", measure, promises, tables)

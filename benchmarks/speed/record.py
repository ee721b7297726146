"""Measure the naive way against ours, single calls and the pipeline, interleaved in one run.

    python -m benchmarks speed [--rounds 7] [--model mobile] [--size 384] [--out FILE.json]

Writes JSON and a plot beside it, prints a table, and exits with 1 if a promise is broken: the
pipeline reaches 88% of the rate of the frame program called in a loop, latency stays within its
bounds, and the naive way is slower than ours.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.speed.calls import single_calls
from benchmarks.speed.live import live_round
from benchmarks.speed.machine import describe_machine
from benchmarks.speed.plot import plot
from live_nst.models.resolve import resolve
from live_nst.sources.demo_scene import DemoScene
from live_nst.stylizer import Stylizer

CALLS_PER_ROUND = 12
LIVE_SECONDS = 5.0
BUSY = 0.15  # share of the machine that other programs may take before a round is discarded
FAST_FPS, SLOW_FPS = 40.0, 10.0
RATE_PROMISE = 0.88


class OtherLoad:
    """How much of the machine other processes took since it was made."""

    def __init__(self) -> None:
        self._before = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float]:
        times, own = psutil.cpu_times(), psutil.Process().cpu_times()
        busy = sum(times) - times.idle - getattr(times, "iowait", 0.0)
        return time.monotonic(), busy, own.user + own.system

    def share(self) -> float:
        """0..1 of all cores."""
        seconds, busy, own = (a - b for a, b in zip(self._read(), self._before, strict=True))
        return max(0.0, busy - own) / (seconds * (psutil.cpu_count() or 1))


def measure(model: str, size: int, rounds: int) -> dict[str, Any]:
    """All rounds: medians and spread of what was measured while the machine was ours."""
    frame = DemoScene(1280, 720).draw(12.1)
    calls = single_calls(model, resolve(model, say=print).folder, frame, size)
    stylizer = Stylizer(model, ["starry"], size=size)
    stylizer.prepare((1280, 720), size)
    for call in calls.values():
        call()
    kept: list[dict[str, Any]] = []
    discarded = 0
    while len(kept) < rounds and discarded < 3 * rounds:
        load = OtherLoad()
        result = one_round(calls, stylizer)
        if load.share() > BUSY:
            discarded += 1
            print(f"round discarded: other programs took {load.share():.0%}", flush=True)
            continue
        kept.append(result)
        print(
            f"round {len(kept)}: frame program {1000 / result['calls_ms']['program']:.1f} fps, "
            f"pipeline {result['live_fast']['fps']:.1f} fps",
            flush=True,
        )
    if len(kept) < rounds:
        sys.exit("The machine was too busy to measure on.")
    return {"rounds": kept, "discarded": discarded}


def one_round(calls: dict[str, Any], stylizer: Stylizer) -> dict[str, Any]:
    """Calls in turn, one after the other, before and after the pipeline."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    live: dict[str, dict[str, float]] = {}
    for part in ("fast", "slow"):
        for _ in range(CALLS_PER_ROUND):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                times[name].append(1000 * (time.perf_counter() - start))
        fps = FAST_FPS if part == "fast" else SLOW_FPS
        live[f"live_{part}"] = live_round(stylizer, fps, LIVE_SECONDS)
    return {"calls_ms": {n: statistics.median(t) for n, t in times.items()}, **live}


def summarise(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Median, least and largest over the rounds, of everything."""
    summary: dict[str, Any] = {}
    for group in rounds[0]:
        for name in rounds[0][group]:
            values = [r[group][name] for r in rounds]
            summary[f"{group}.{name}"] = spread(values)
    for call in ("network", "program"):
        shares = [r["live_fast"]["fps"] * r["calls_ms"][call] / 1000 for r in rounds]
        summary[f"pipeline_share.of_{call}"] = spread(shares)
    return summary


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and largest."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def broken_promises(summary: dict[str, Any]) -> list[str]:
    """What this run did not keep."""

    def median(name: str) -> float:
        return float(summary[name]["median"])

    broken = []
    if median("pipeline_share.of_program") < RATE_PROMISE:
        broken.append(f"the pipeline reaches less than {RATE_PROMISE:.0%} of the frame program")
    for part, fps in (("fast", FAST_FPS), ("slow", SLOW_FPS)):
        bound = median("calls_ms.program") + 1000 / fps
        if median(f"live_{part}.p50") > bound:
            broken.append(f"latency p50 with a {part} source exceeds {bound:.1f} ms")
        if median(f"live_{part}.p99") > 2 * median(f"live_{part}.p50"):
            broken.append(f"latency p99 with a {part} source exceeds twice p50")
    if median("calls_ms.naive") <= median("calls_ms.program"):
        broken.append("the naive way is not slower than ours")
    return broken


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks speed", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--model", default="mobile")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.json"))
    arguments = parser.parse_args(argv)
    measured = measure(arguments.model, arguments.size, arguments.rounds)
    summary = summarise(measured["rounds"])
    record = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "model": arguments.model,
        "size": arguments.size,
        "discarded_rounds": measured["discarded"],
        "summary": summary,
        "rounds": measured["rounds"],
    }
    arguments.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    plot(record, arguments.out.with_suffix(".png"))
    for name, values in summary.items():
        print(f"{name:32} {values['median']:9.2f}   ({values['min']:.2f} to {values['max']:.2f})")
    broken = broken_promises(summary)
    for promise in broken:
        print(f"BROKEN: {promise}")
    return int(bool(broken))

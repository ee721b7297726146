"""The record as one picture."""

from pathlib import Path
from typing import Any


def plot(record: dict[str, Any], path: Path) -> None:
    """Bars for the single calls, and the pipeline's latency."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    summary = record["summary"]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6), constrained_layout=True)
    names = ["naive", "network", "program", "stylizer"]
    labels = [
        "whole module,\nboth pictures",
        "network\nalone",
        "frame program\n(uint8, resize)",
        "whole call",
    ]
    _bars(left, [summary[f"calls_ms.{name}"] for name in names], labels)
    left.set_ylabel("milliseconds per frame")
    left.set_title(f"{record['model']}, size {record['size']}, 1280x720 frames")
    keys = [f"live_{part}.{p}" for part in ("fast", "slow") for p in ("p50", "p99")]
    _bars(
        right,
        [summary[key] for key in keys],
        ["40 fps\np50", "40 fps\np99", "10 fps\np50", "10 fps\np99"],
    )
    right.set_title("pipeline: capture to display, by the source's rate")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _bars(axes: Any, values: list[dict[str, float]], labels: list[str]) -> None:
    medians = [v["median"] for v in values]
    below = [v["median"] - v["min"] for v in values]
    above = [v["max"] - v["median"] for v in values]
    bars = axes.bar(labels, medians, yerr=[below, above], capsize=4, color="#3b6ea8")
    axes.bar_label(bars, fmt="%.0f", label_type="center", color="white")
    axes.spines[["top", "right"]].set_visible(False)

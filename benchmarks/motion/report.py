"""Plot and side-by-side videos of the motion benchmark."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.motion.footage import Video


def write_plot(record: dict[str, Any], path: Path) -> None:
    """Plot flicker, distance to the reference, ghosts and sharpness of each method."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    summary = {name: row for name, row in record["summary"].items() if name != "raw"}
    names = list(summary)
    figure, axes = pyplot.subplots(1, 4, figsize=(13, 3.4), constrained_layout=True)
    panels = (
        ("E", "warping error removed, %", -100),
        ("Q", "distance to the reference, raw = 1", 1),
        ("gd", "ghosts, uint8 values", 1),
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


_RATE = 10  # frames per second: slow motion


def write_side_by_side(path: Path, content: Video, videos: dict[str, Video]) -> None:
    """Write one video of the camera and of each method, two per row, with their names."""
    panes = {"camera": content, **videos}
    height, width = content.shape[1:3]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(_RATE))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "17"}
        rows = -(-len(panes) // 2)
        stream.width, stream.height = 2 * width, rows * height // 2 * 2
        for t in range(len(content)):
            sheet = np.zeros((rows * height // 2 * 2, 2 * width, 3), np.uint8)
            for number, (name, video) in enumerate(panes.items()):
                pane = video[t].copy()
                cv2.putText(pane, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 3)
                cv2.putText(pane, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1)
                y, x = number // 2 * height, number % 2 * width
                sheet[y : y + height, x : x + width] = pane[: len(sheet) - y]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sheet, format="bgr24")))
        container.mux(stream.encode())

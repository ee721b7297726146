"""Side-by-side videos: the camera's frame and what each method makes of it."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.motion.painting import Film

_RATE = 10  # frames a second: slow motion


def side_by_side(path: Path, content: Film, films: dict[str, Film]) -> None:
    """Write one video with all of them, two in a row, each with its name."""
    panes = {"camera": content, **films}
    height, width = content.shape[1:3]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(_RATE))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "17"}
        rows = -(-len(panes) // 2)
        stream.width, stream.height = 2 * width, rows * height // 2 * 2
        for t in range(len(content)):
            sheet = np.zeros((rows * height // 2 * 2, 2 * width, 3), np.uint8)
            for number, (name, film) in enumerate(panes.items()):
                pane = film[t].copy()
                cv2.putText(pane, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 3)
                cv2.putText(pane, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1)
                y, x = number // 2 * height, number % 2 * width
                sheet[y : y + height, x : x + width] = pane[: len(sheet) - y]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sheet, format="bgr24")))
        container.mux(stream.encode())

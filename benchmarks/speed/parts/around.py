"""Measure what a frame costs around the network: processor time by stage, and its shares.

Frames of a panning camera go through the stages of a default session one after the other, as in the
thread that stylizes. So each stage finds the caches as the network leaves them, and pays for the
network's threads while they spin.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import CAMERA, LARGE, SMALL, open_engine, style_image
from benchmarks.speed.part import Part, Promise, Settings, Values, median_of, run_rounds
from live_nst.engines.base import StylizedFrame
from live_nst.engines.host_images import downscale
from live_nst.masks.registry import MaskRegistry
from live_nst.stabilizer.stabilizer import Stabilizer
from live_nst.stabilizer.static_scene import StaticScene, update_static_scene
from live_nst.stylizer.compositing import compose
from live_nst.stylizer.look import Look
from live_nst.types import Image, Size
from tools.draw_demo.scene import DemoScene

ROUNDS, FRAMES = 7, 40
PAN_FRAMES, PAN_STEP = 24, (4, 2)  # pixels of the camera per frame
MAX_STABILIZER = 0.30
"""Wall time of the stabilizer relative to the frame program's."""

STAGES = {
    "scene": "compare the frame with the last ones, for static scenes",
    "downscale": "downscale it to the network's size",
    "network": "**the network**, with color conversion and rounding",
    "stabilizer": "stabilizer, `fast`",
    "enlarge": "enlarge the result to 1280x720",
}
OPTIONAL = {
    "strength": "more with `--strength 0.5`",
    "mask": "more with `--only` and an image",
}
"""What a look adds to enlarging; not in the sums."""
SUMS = {
    "total cpu ms": ("all of these", "{:.2f}"),
    "outside": ("share outside the network", "{:.0%}"),
    "stabilizer cpu share": ("share of the stabilizer", "{:.0%}"),
    "stabilizer share": ("elapsed: the stabilizer relative to the frame program", "{:.0%}"),
}


def measure(settings: Settings) -> dict[str, Any]:
    """Measure all stages in turn at both sizes."""
    engine = open_engine("auto", "auto")
    with TemporaryDirectory() as folder:
        rows = [_Stages(engine, size, Path(folder)) for size in (SMALL, LARGE)]

    def one_round() -> Values:
        return {name: value for each in rows for name, value in each.one_round().items()}

    facts = {"engine": f"{engine.name} in {engine.precision}"}
    return facts | run_rounds(one_round, ROUNDS, settings, f"{SMALL[0]} outside")


class _Stages:
    """The stages at one size."""

    def __init__(self, engine: Any, size: Size, folder: Path) -> None:
        self._size = size
        self._network = engine.compile(size, size)
        self._style = engine.expand(engine.encode(style_image(engine.style_size)))
        self._frames = cycle(_panning_frames())
        self._stabilizer = Stabilizer("fast")
        self._scene: StaticScene | None = None
        picture = folder / "mask.png"
        cv2.imwrite(
            str(picture), np.tile(np.linspace(0, 255, CAMERA[0]).astype(np.uint8), (CAMERA[1], 1))
        )
        masks = MaskRegistry()
        masks.load(str(picture))
        self._mask = partial(masks.next_mask, str(picture))
        self._used: dict[str, list[tuple[float, float]]] = {}
        self._one_frame()  # compiles, allocates and reads the mask

    def one_round(self) -> Values:
        self._used = {}
        for _ in range(FRAMES):
            self._one_frame()
        values: Values = {}
        for name, used in self._used.items():
            # The mean of processor time: what spins or is delayed counts. The first frame doesn't.
            values[f"{name} cpu ms"] = 1000 * float(np.mean([cpu for cpu, _ in used[1:]]))
            values[f"{name} ms"] = 1000 * median(wall for _, wall in used[1:])
        for name in OPTIONAL:
            for unit in ("cpu ms", "ms"):
                values[f"{name} {unit}"] -= values[f"enlarge {unit}"]
        total = sum(values[f"{name} cpu ms"] for name in STAGES)
        program = values["downscale ms"] + values["network ms"]
        values |= {
            "total cpu ms": total,
            "outside": 1 - values["network cpu ms"] / total,
            "stabilizer share": values["stabilizer ms"] / program,
            "stabilizer cpu share": values["stabilizer cpu ms"] / total,
        }
        return {f"{self._size[0]} {name}": value for name, value in values.items()}

    def _one_frame(self) -> None:
        frame = next(self._frames)
        self._scene = self._time("scene", lambda: update_static_scene(self._scene, frame))
        small = self._time("downscale", lambda: downscale(frame, self._size))
        stylized = self._time("network", lambda: self._network(small, self._style).fetch())
        stable = self._time("stabilizer", lambda: self._stabilizer(*stylized))
        result = StylizedFrame(small, stable)
        self._time("enlarge", lambda: compose(frame, result, Look()))
        self._time("strength", lambda: compose(frame, result, Look(strength=0.5)))
        mask = self._mask(result, CAMERA)
        self._time("mask", lambda: compose(frame, result, Look(), mask))

    def _time(self, name: str, call: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        result = call()
        used = time.process_time() - cpu, time.perf_counter() - wall
        self._used.setdefault(name, []).append(used)
        return result


def _panning_frames() -> list[Image]:
    """Return frames of a camera that pans to and fro without a jump."""
    (width, height), (right, down) = CAMERA, PAN_STEP
    wide = DemoScene(width + right * PAN_FRAMES, height + down * PAN_FRAMES).draw(12.1)
    frames = [
        np.ascontiguousarray(wide[down * t : down * t + height, right * t : right * t + width])
        for t in range(PAN_FRAMES)
    ]
    return [*frames, *frames[-2:0:-1]]


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return the promise on the stabilizer; part `live` has those on the share and the rate."""
    return [
        Promise(
            f"the stabilizer takes at most {MAX_STABILIZER:.0%} of the frame program's time "
            f"at {size[0]}x{size[1]}",
            median_of(result, f"{size[0]} stabilizer share"),
            MAX_STABILIZER,
            at_least=False,
            value_format="{:.0%}",
        )
        for size in (SMALL, LARGE)
    ]


def tables(result: dict[str, Any]) -> str:
    """Return the table of the stages and shares."""
    summary, sizes = result["summary"], (SMALL, LARGE)

    def cells(key: str, form: str) -> list[str]:
        return [format_stats(summary.get(f"{size[0]} {key}"), form) for size in sizes]

    rows = [[text, *cells(f"{name} cpu ms", "{:.2f}")] for name, text in STAGES.items()]
    rows += [[text, *cells(name, form)] for name, (text, form) in SUMS.items()]
    rows += [[text, *cells(f"{name} cpu ms", "{:.2f}")] for name, text in OPTIONAL.items()]
    heads = [f"{width}x{height}" for width, height in sizes]
    return markdown_table(
        [f"{result['engine']}, processor time per frame in ms, all threads", *heads], rows
    )


PART = Part("around", "Around the network", measure, promises, tables)

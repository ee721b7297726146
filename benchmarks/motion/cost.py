"""Measure the cost of the stabilizer relative to the frame program.

A moving and a static camera cause different work, so both are measured, and the slower one counts.
The frame program is measured in float32, which most processors use, and in the precision that is
the default on this processor. Rounds in which other programs were busy are discarded.
"""

from collections.abc import Callable
from functools import partial
from itertools import cycle, product
from statistics import median

from benchmarks.motion.scenes import make_scene
from benchmarks.motion.static_camera import noisy_webcam
from benchmarks.speed.fixtures import CAMERA, camera_frame
from benchmarks.speed.part import Settings, Values, run_rounds
from live_nst.bench.measurement import time_calls
from live_nst.engines.base import StylizedFrame
from live_nst.stabilizer.stabilizer import Stabilizer
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image

SIZES = (384, 640)
_FRAMES, _SEED = 16, 12
_ROUNDS, _BLOCK, _TURNS = 7, 0.04, 8  # many short blocks, because other programs run in bursts


def measure_cost(settings: Settings | None = None) -> dict[str, dict[str, float | str]]:
    """Measure the frame program and `--stabilize fast` in turn.

    Returns:
        Medians over the rounds, by the long side of the network's input and the precision:
        "program_ms": the frame program, from a 1280x720 frame to a stylized one; "moving_ms" and
        "webcam_ms": the stabilizer with a moving and with a static camera; "share": the slower of
        the two relative to the program; "engine".

    Raises:
        TooBusyError: Other programs used too much of the processor.
    """
    calls: dict[str, Callable[[], object]] = {}
    frame = camera_frame()
    engines: dict[str, str] = {}  # by precision
    for size in SIZES:
        for precision_option in ("auto", "float32"):
            stylizer = StylizerCore(
                StylizerOptions(
                    model="mobile",
                    styles=("starry",),
                    size=size,
                    device="cpu",
                    precision=precision_option,
                )
            )
            if precision_option == "auto":
                videos = {
                    name: [stylizer.infer(each) for each in video]
                    for name, video in _videos(size).items()
                }
            engines[stylizer.precision] = f"{stylizer.engine} in {stylizer.precision}"
            calls[f"{size} {stylizer.precision}"] = partial(stylizer.infer, frame)
        calls |= {f"{size} {name}": _stabilize_next(video) for name, video in videos.items()}

    def one_round() -> Values:
        taken = time_calls(calls, seconds=_BLOCK, turns=_TURNS)
        values = {f"{name} ms": 1000 * median(seconds) for name, seconds in taken.items()}
        for size, precision in product(SIZES, engines):
            worse = max(values[f"{size} moving ms"], values[f"{size} webcam ms"])
            values[f"{size} {precision} share"] = worse / values[f"{size} {precision} ms"]
        return values

    shown = f"{SIZES[0]} float32 share"
    summary = run_rounds(one_round, _ROUNDS, settings or Settings(), shown)["summary"]

    def median_of(name: str, digits: int) -> float:
        return round(summary[name]["median"], digits)

    return {
        f"{size} in {precision}": {
            "program_ms": median_of(f"{size} {precision} ms", 2),
            **{f"{name}_ms": median_of(f"{size} {name} ms", 2) for name in ("moving", "webcam")},
            "share": median_of(f"{size} {precision} share", 4),
            "engine": engine,
        }
        for size, (precision, engine) in product(SIZES, engines.items())
    }


def _videos(size: int) -> dict[str, list[Image]]:
    """Return frames of an object with a moving camera and of a person with a static one."""
    seen = network_size(CAMERA, size)
    moving = make_scene("object", _SEED, seen, _FRAMES)
    times = range(_FRAMES)
    return {
        "moving": [moving.noisy(t) for t in times],
        "webcam": [noisy_webcam(t, seen) for t in times],
    }


def _stabilize_next(video: list[StylizedFrame]) -> Callable[[], Image]:
    """Return a call that stabilizes the next frame, forward and backward without a jump."""
    stabilizer, frames = Stabilizer(), cycle([*video, *video[-2:0:-1]])
    return lambda: stabilizer(*next(frames))

"""What steadying costs, against the frame program that it steadies: one run, one engine, in turn.

A camera that moves and a camera that rests ask for different work, so both are measured, and the
worse of the two counts. The program is measured in float32, as most processors run it, and in what
this one would take by itself. Rounds in which other programs were busy do not count.
"""

from collections.abc import Callable
from functools import partial
from itertools import cycle, product
from statistics import median

from benchmarks.motion.scenes import scene
from benchmarks.motion.webcam import noisy_webcam
from benchmarks.speed.part import Settings, Values, play
from benchmarks.speed.stage import CAMERA, camera_frame
from live_nst.bench.measurement import time_calls
from live_nst.engines.base import StylizedFrame
from live_nst.stabilizer import Stabilizer
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image

SIZES = (384, 640)
_FRAMES, _SEED = 16, 12
_ROUNDS, _BLOCK, _TURNS = 7, 0.04, 8  # many short blocks: what else runs comes in bursts


def cost(settings: Settings | None = None) -> dict[str, dict[str, float | str]]:
    """Medians over the rounds, by the long side of what the network sees and the precision.

    Returns:
        "program_ms": the frame program, from a 1280x720 frame to a painted one; "moving_ms" and
        "webcam_ms": `fast`, before a camera that moves and one that rests; "share": what the worse
        of the two takes of the program, the median over the rounds; "engine".

    Raises:
        TooBusyError: Other programs took too much of the machine.
    """
    calls: dict[str, Callable[[], object]] = {}
    frame = camera_frame()
    engines: dict[str, str] = {}  # by precision
    for size in SIZES:
        for wanted in ("auto", "float32"):
            stylizer = StylizerCore("mobile", ["starry"], size=size, device="cpu", precision=wanted)
            if wanted == "auto":
                films = {
                    name: [stylizer.network(each) for each in film]
                    for name, film in _films(size).items()
                }
            engines[stylizer.precision] = f"{stylizer.engine} in {stylizer.precision}"
            calls[f"{size} {stylizer.precision}"] = partial(stylizer.network, frame)
        calls |= {f"{size} {name}": _steadying(film) for name, film in films.items()}

    def one_round() -> Values:
        taken = time_calls(calls, seconds=_BLOCK, turns=_TURNS)
        values = {f"{name} ms": 1000 * median(seconds) for name, seconds in taken.items()}
        for size, precision in product(SIZES, engines):
            worse = max(values[f"{size} moving ms"], values[f"{size} webcam ms"])
            values[f"{size} {precision} share"] = worse / values[f"{size} {precision} ms"]
        return values

    shown = f"{SIZES[0]} float32 share"
    summary = play(one_round, _ROUNDS, settings or Settings(), shown)["summary"]

    def middle(name: str, digits: int) -> float:
        return round(summary[name]["median"], digits)

    return {
        f"{size} in {precision}": {
            "program_ms": middle(f"{size} {precision} ms", 2),
            **{f"{name}_ms": middle(f"{size} {name} ms", 2) for name in ("moving", "webcam")},
            "share": middle(f"{size} {precision} share", 4),
            "engine": engine,
        }
        for size, (precision, engine) in product(SIZES, engines.items())
    }


def _films(size: int) -> dict[str, list[Image]]:
    """An object before a camera that moves, and a person before one that rests."""
    seen = network_size(CAMERA, size)
    moving = scene("object", _SEED, seen, _FRAMES)
    times = range(_FRAMES)
    return {
        "moving": [moving.noisy(t) for t in times],
        "webcam": [noisy_webcam(t, seen) for t in times],
    }


def _steadying(film: list[StylizedFrame]) -> Callable[[], Image]:
    """Steadies the next frame with every call: forwards and backwards, so that nothing jumps."""
    stabilizer, frames = Stabilizer(), cycle([*film, *film[-2:0:-1]])
    return lambda: stabilizer(*next(frames))

"""What steadying costs, against the frame program that it steadies: one run, one engine, in turn.

A camera that moves and a camera that rests ask for different work, so both are measured, and the
worse of the two counts. Rounds in which other programs were busy do not count.
"""

from collections.abc import Callable
from itertools import cycle
from statistics import median

from benchmarks.motion.scenes import scene
from benchmarks.motion.webcam import noisy_webcam
from benchmarks.speed.part import Settings, Values, play
from benchmarks.speed.stage import CAMERA, camera_frame
from live_nst.bench.rounds import time_calls
from live_nst.engines.base import Painted
from live_nst.frames import Image
from live_nst.sizes import network_size
from live_nst.stabilize import Stabilizer
from live_nst.stylizer import Stylizer

SIZES = (384, 640)
_FRAMES, _SEED = 16, 12
_ROUNDS, _BLOCK, _TURNS = 7, 0.04, 8  # many short blocks: what else runs comes in bursts


def cost(settings: Settings | None = None) -> dict[str, dict[str, float | str]]:
    """Medians over the rounds, by the long side of what the network sees.

    Returns:
        "program_ms": the frame program, from a 1280x720 frame to a painted one; "moving_ms" and
        "webcam_ms": `fast`, before a camera that moves and one that rests; "share": what the worse
        of the two takes of the program, the median over the rounds; "engine".

    Raises:
        TooBusyError: Other programs took too much of the machine.
    """
    calls: dict[str, Callable[[], object]] = {}
    frame = camera_frame()
    for size in SIZES:
        stylizer = Stylizer("mobile", ["starry"], size=size, device="cpu")
        calls[f"{size} program"] = lambda stylizer=stylizer: stylizer.network(frame)  # type: ignore[misc]
        for name, film in _films(size).items():
            calls[f"{size} {name}"] = _steadying([stylizer.network(each) for each in film])
    engine = f"{stylizer.engine} in {stylizer.precision}"

    def one_round() -> Values:
        taken = time_calls(calls, seconds=_BLOCK, turns=_TURNS)
        values = {f"{name} ms": 1000 * median(seconds) for name, seconds in taken.items()}
        for size in SIZES:
            worse = max(values[f"{size} moving ms"], values[f"{size} webcam ms"])
            values[f"{size} share"] = worse / values[f"{size} program ms"]
        return values

    summary = play(one_round, _ROUNDS, settings or Settings(), f"{SIZES[0]} share")["summary"]

    def middle(name: str, digits: int) -> float:
        return round(summary[name]["median"], digits)

    return {
        str(size): {
            **{f"{n}_ms": middle(f"{size} {n} ms", 2) for n in ("program", "moving", "webcam")},
            "share": middle(f"{size} share", 4),
            "engine": engine,
        }
        for size in SIZES
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


def _steadying(film: list[Painted]) -> Callable[[], Image]:
    """Steadies the next frame with every call: forwards and backwards, so that nothing jumps."""
    stabilizer, frames = Stabilizer(), cycle([*film, *film[-2:0:-1]])
    return lambda: stabilizer(*next(frames))

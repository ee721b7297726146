"""What steadying costs, against the frame program that it steadies, interleaved in one run."""

import statistics
import time

from live_nst.sources.demo_scene import DemoScene
from live_nst.stabilize import Stabilizer
from live_nst.stylizer import Stylizer

SIZES = (384, 640)
_ROUNDS, _WARM_UP = 80, 8


def cost(size: int) -> dict[str, float]:
    """Median milliseconds a frame at the long side `size`, on the demo scene at 1280x720."""
    scene = DemoScene(1280, 720)
    stabilizer = Stabilizer()
    program, steadying = [], []
    with Stylizer("mobile", ["starry"], size=size, device="cpu") as stylizer:
        for t in range(_WARM_UP + _ROUNDS):
            frame = scene.draw(t / 30)
            start = time.perf_counter()
            painted = stylizer.network(frame)
            middle = time.perf_counter()
            stabilizer(painted.content, painted.stylised)
            end = time.perf_counter()
            if t >= _WARM_UP:
                program.append(1000 * (middle - start))
                steadying.append(1000 * (end - middle))
        engine = stylizer.engine
    ratios = [b / a for a, b in zip(program, steadying, strict=True)]
    return {
        "program_ms": round(statistics.median(program), 2),
        "fast_ms": round(statistics.median(steadying), 2),
        "share": round(statistics.median(ratios), 4),
        "engine": engine,  # type: ignore[dict-item]
    }

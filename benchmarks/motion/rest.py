"""A room in which nothing moves: how often may the network rest, and does it show?"""

import itertools

import cv2
import numpy as np

from benchmarks.motion.painting import SIZE, Film
from benchmarks.motion.webcam import CAMERA, NOISE
from live_nst.sources.demo_video import DemoVideo
from live_nst.stabilizer import Stabilizer
from live_nst.stabilizer.static_scene import SETTLED_FRAMES, StaticScene, update_static_scene
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image

FRAMES = 150
_WARM_UP = SETTLED_FRAMES + 10


def rest(style: str) -> dict[str, float]:
    """The demo scene at one moment through a noisy camera, in one style.

    Returns:
        "repeated": share of the frames that got the painting before, once it had settled;
        "distance": of what is shown to the painting without noise, as a share of what it is if
        every frame is painted; "spread": the same of the temporal spread; "step": the same of the
        largest change of any 8x8 pixels from one frame to the next.
    """
    room = DemoVideo(*CAMERA).image_at(4.0)
    room = cv2.resize(room, network_size(CAMERA, SIZE), interpolation=cv2.INTER_AREA)
    stabilizer, resting = Stabilizer(), Stabilizer()
    stillness: StaticScene | None = None
    every, shown, repeated = [], [], 0
    with StylizerCore("mobile", [style], size=SIZE, device="cpu") as stylizer:
        clean = stylizer.network(np.asarray(room, np.uint8)).stylized
        for t in range(FRAMES):
            painted = stylizer.network(_noisy(room, t))
            every.append(stabilizer(*painted))
            stillness = update_static_scene(stillness, painted.content)
            if stillness.can_reuse:
                repeated += 1
                shown.append(shown[-1])
            else:
                shown.append(resting(*painted))
    ours, theirs = (_measures(np.stack(film[_WARM_UP:]), clean) for film in (shown, every))
    shares = {name: round(ours[name] / theirs[name], 3) for name in ours}
    return {"repeated": round(repeated / (FRAMES - 1 - SETTLED_FRAMES), 3), **shares}


def _noisy(room: np.ndarray, t: int) -> Image:
    noise = np.random.default_rng((3, t)).normal(0, NOISE, room.shape)
    return np.clip(np.rint(room + noise), 0, 255).astype(np.uint8)


def _measures(film: Film, clean: Image) -> dict[str, float]:
    steps = [
        np.abs(cv2.blur(now.astype(np.float32) - then, (8, 8))).max()
        for then, now in itertools.pairwise(film)
    ]
    return {
        "distance": float(np.abs(film.astype(np.float32) - clean).mean()),
        "spread": float(film.std(0).mean()),
        "step": float(max(steps)),
    }

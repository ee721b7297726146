"""A talking, blinking person before a camera at rest: is the wall steady, does the face follow?"""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.motion.painting import SIZE, Film
from live_nst.sources.demo_video import DemoVideo
from live_nst.stabilizer import Stabilizer
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image, Size

CAMERA: Size = (1280, 720)
FRAMES, RATE = 60, 30
NOISE = 3.0  # levels, at the network's size, as in the other sequences
_WARM_UP = 20
_LAGS = (0, 1, 2, 3)


def webcam(style: str, strip: Path | None = None) -> dict[str, float]:
    """The demo scene through a noisy camera, in one style.

    Returns:
        "background": temporal spread of what is at rest, as a share of raw's; "floor": the same of
        the painting without noise; "step": its change from frame to frame, as a share of raw's;
        "lag": by how many frames the steadied picture is late where something moves: the frame of
        the noise-free painting that it is nearest to.
    """
    size = network_size(CAMERA, SIZE)
    frames = [_frame(t, size) for t in range(FRAMES)]
    stabilizer = Stabilizer()
    with StylizerCore("mobile", [style], size=SIZE, device="cpu") as stylizer:
        clean = np.stack([stylizer.network(frame).stylized for frame in frames])
        noisy = [stylizer.network(_noisy(frame, t)) for t, frame in enumerate(frames)]
    raw = np.stack([painted.stylized for painted in noisy])
    steadied = np.stack([stabilizer(*painted) for painted in noisy])
    content = np.stack(frames)
    resting, moving = _parts(content)
    spread, floor, raw_spread = (
        film[_WARM_UP:].std(0).mean(2)[resting].mean() for film in (steadied, clean, raw)
    )
    step, raw_step = (
        np.abs(np.diff(film[_WARM_UP:].astype(np.int16), axis=0)).mean((0, 3))[resting].mean()
        for film in (steadied, raw)
    )
    distances = [_distance(steadied, clean, moving, lag) for lag in _LAGS]
    if strip is not None:
        _draw_strip(strip, content, raw, steadied)
    return {
        "background": round(float(spread / raw_spread), 4),
        "floor": round(float(floor / raw_spread), 4),
        "step": round(float(step / raw_step), 4),
        "lag": float(np.argmin(distances)),
    }


def noisy_webcam(t: int, size: Size) -> Image:
    """Frame `t` as a noisy camera gives it, at the network's size."""
    return _noisy(_frame(t, size), t)


def _frame(t: int, size: Size) -> Image:
    drawn = DemoVideo(*CAMERA).image_at(4 + t / RATE)
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)


def _noisy(frame: Image, t: int) -> Image:
    noise = np.random.default_rng(t).normal(0, NOISE, frame.shape)
    return np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def _parts(content: Film) -> tuple[np.ndarray, list[np.ndarray]]:
    """What never changes, and for every frame what just moved."""
    spread = np.ptp(content[_WARM_UP:], axis=0).max(2)
    changing = cv2.dilate((spread > 2).astype(np.uint8), np.ones((15, 15), np.uint8))
    steps = np.abs(np.diff(content.astype(np.int16), axis=0)).max(3) > 25
    return changing == 0, [np.zeros(spread.shape, bool), *steps]


def _distance(film: Film, clean: Film, moving: list[np.ndarray], lag: int) -> float:
    """Mean distance to the noise-free painting `lag` frames before, where something moves."""
    values = []
    for t in range(_WARM_UP, len(film)):
        if moving[t].any():
            difference = np.abs(film[t].astype(np.float32) - clean[t - lag]).mean(2)
            values.append(difference[moving[t]].mean())
    return float(np.mean(values))


def _draw_strip(path: Path, content: Film, raw: Film, steadied: Film) -> None:
    """The middle of a few frames, one below the other: camera, raw, steadied."""
    height, width = content.shape[1:3]
    part = np.s_[height // 16 : height * 3 // 4, width * 3 // 10 : width * 7 // 10]
    times = range(_WARM_UP + 4, FRAMES, 7)
    rows = [np.hstack([film[t][part] for t in times]) for film in (content, raw, steadied)]
    cv2.imwrite(str(path), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])

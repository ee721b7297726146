"""Static camera: measure the stabilizer and the reuse of frames on the demo scene."""

import itertools
from pathlib import Path

import cv2
import numpy as np

from benchmarks.motion.footage import SIZE, Video
from live_nst.stabilizer.stabilizer import Stabilizer
from live_nst.stabilizer.static_scene import SETTLED_FRAMES, StaticScene, update_static_scene
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image, Size
from tools.draw_demo.scene import DemoScene

CAMERA: Size = (1280, 720)
WEBCAM_FRAMES, RATE = 60, 30
REUSE_FRAMES = 150
NOISE = 3.0  # uint8 values at the network's size, as in the other sequences
_WEBCAM_WARM_UP = 20
_REUSE_WARM_UP = SETTLED_FRAMES + 10
_LAGS = (0, 1, 2, 3)


def measure_webcam(style: str, strip: Path | None = None) -> dict[str, float]:
    """Stabilize the demo scene from a noisy static camera, in one style.

    Returns:
        "background": standard deviation over time of the static pixels, relative to raw; "floor":
        the same of the noise-free stylized video; "step": the change from frame to frame, relative
        to raw; "lag": delay in frames where something moves, from the noise-free stylized frame
        that is most similar.
    """
    size = network_size(CAMERA, SIZE)
    frames = [_frame(t, size) for t in range(WEBCAM_FRAMES)]
    stabilizer = Stabilizer()
    with StylizerCore(
        StylizerOptions(model="mobile", styles=(style,), size=SIZE, device="cpu")
    ) as stylizer:
        clean = np.stack([stylizer.infer(frame).stylized for frame in frames])
        noisy = [stylizer.infer(_noisy(frame, t)) for t, frame in enumerate(frames)]
    raw = np.stack([frame.stylized for frame in noisy])
    stabilized = np.stack([stabilizer(*frame) for frame in noisy])
    content = np.stack(frames)
    static, moving = _motion_masks(content)
    spread, floor, raw_spread = (
        video[_WEBCAM_WARM_UP:].std(0).mean(2)[static].mean() for video in (stabilized, clean, raw)
    )
    step, raw_step = (
        np.abs(np.diff(video[_WEBCAM_WARM_UP:].astype(np.int16), axis=0))
        .mean((0, 3))[static]
        .mean()
        for video in (stabilized, raw)
    )
    distances = [_distance(stabilized, clean, moving, lag) for lag in _LAGS]
    if strip is not None:
        _draw_strip(strip, content, raw, stabilized)
    return {
        "background": round(float(spread / raw_spread), 4),
        "floor": round(float(floor / raw_spread), 4),
        "step": round(float(step / raw_step), 4),
        "lag": float(np.argmin(distances)),
    }


def noisy_webcam(t: int, size: Size) -> Image:
    """Return frame `t` with camera noise at the network's size."""
    return _noisy(_frame(t, size), t)


def _frame(t: int, size: Size) -> Image:
    drawn = DemoScene(*CAMERA).draw(4 + t / RATE)
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)


def _noisy(frame: np.ndarray, seed: int | tuple[int, int]) -> Image:
    noise = np.random.default_rng(seed).normal(0, NOISE, frame.shape)
    return np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def _motion_masks(content: Video) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return a mask of the static pixels, and for each frame one of the pixels that moved."""
    spread = np.ptp(content[_WEBCAM_WARM_UP:], axis=0).max(2)
    changing = cv2.dilate((spread > 2).astype(np.uint8), np.ones((15, 15), np.uint8))
    steps = np.abs(np.diff(content.astype(np.int16), axis=0)).max(3) > 25
    return changing == 0, [np.zeros(spread.shape, bool), *steps]


def _distance(video: Video, clean: Video, moving: list[np.ndarray], lag: int) -> float:
    """Return the mean distance of moving pixels to the noise-free frame `lag` frames before."""
    values = []
    for t in range(_WEBCAM_WARM_UP, len(video)):
        if moving[t].any():
            difference = np.abs(video[t].astype(np.float32) - clean[t - lag]).mean(2)
            values.append(difference[moving[t]].mean())
    return float(np.mean(values))


def _draw_strip(path: Path, content: Video, raw: Video, stabilized: Video) -> None:
    """Write the center of a few frames in three rows: camera, raw, stabilized."""
    height, width = content.shape[1:3]
    part = np.s_[height // 16 : height * 3 // 4, width * 3 // 10 : width * 7 // 10]
    times = range(_WEBCAM_WARM_UP + 4, WEBCAM_FRAMES, 7)
    rows = [np.hstack([video[t][part] for t in times]) for video in (content, raw, stabilized)]
    cv2.imwrite(str(path), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])


def measure_reuse(style: str) -> dict[str, float]:
    """Reuse frames of a static scene with camera noise, in one style.

    Returns:
        "repeated": share of the frames that repeated the last result once the scene was static.
        The others are relative to stylizing every frame: "distance" to the noise-free result,
        "spread": standard deviation over time, "step": largest change of any 8x8 pixels from one
        frame to the next.
    """
    room = DemoScene(*CAMERA).draw(4.0)
    room = cv2.resize(room, network_size(CAMERA, SIZE), interpolation=cv2.INTER_AREA)
    stabilizer, reusing_stabilizer = Stabilizer(), Stabilizer()
    static_scene: StaticScene | None = None
    every_frame, shown, repeated = [], [], 0
    with StylizerCore(
        StylizerOptions(model="mobile", styles=(style,), size=SIZE, device="cpu")
    ) as stylizer:
        clean = stylizer.infer(np.asarray(room, np.uint8)).stylized
        for t in range(REUSE_FRAMES):
            stylized = stylizer.infer(_noisy(room, (3, t)))
            every_frame.append(stabilizer(*stylized))
            static_scene = update_static_scene(static_scene, stylized.content)
            if static_scene.can_reuse:
                repeated += 1
                shown.append(shown[-1])
            else:
                shown.append(reusing_stabilizer(*stylized))
    reused, computed = (
        _measures(np.stack(video[_REUSE_WARM_UP:]), clean) for video in (shown, every_frame)
    )
    shares = {name: round(reused[name] / computed[name], 3) for name in reused}
    return {"repeated": round(repeated / (REUSE_FRAMES - 1 - SETTLED_FRAMES), 3), **shares}


def _measures(video: Video, clean: Image) -> dict[str, float]:
    steps = [
        np.abs(cv2.blur(now.astype(np.float32) - then, (8, 8))).max()
        for then, now in itertools.pairwise(video)
    ]
    return {
        "distance": float(np.abs(video.astype(np.float32) - clean).mean()),
        "spread": float(video.std(0).mean()),
        "step": float(max(steps)),
    }

"""Measure flicker, lag, ghosts and sharpness in uint8 values (0..255); see results.md."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.footage import Video
from benchmarks.motion.scenes import Flow, Mask, Scene, positions

Floats = NDArray[np.float32]

_REACH = 8  # frames before and after over which the reference is averaged
_WARM_UP = 10  # frames before the standard deviation of a static scene is measured
_SAME_POINT = 25.0  # in a real clip, pixels that differ more after warping are not compared


@dataclass
class GroundTruth:
    """Known facts of a sequence.

    Attributes:
        content: The camera frames.
        flows, visible, hidden: `Scene.motion` from each frame to the one before.
        reference: The stylized noise-free frames, averaged along the exact motion over the frames
            before and after; None for a real clip.
        static: Whether camera and scene are static.
    """

    content: Video
    flows: list[Flow]
    visible: list[Mask]
    hidden: list[Mask]
    reference: Floats | None
    static: bool = False


def scene_truths(scene: Scene, stylized_clean: dict[str, Video]) -> dict[str, GroundTruth]:
    """Return the ground truth of a generated sequence, by style."""
    times = range(scene.frames)
    motions = [scene.motion(t, max(0, t - 1)) for t in times]
    content = np.stack([scene.noisy(t) for t in times])
    parts = [list(part) for part in zip(*motions, strict=True)]
    references = [_references(scene, stylized_clean, t) for t in times]
    return {
        style: GroundTruth(
            content,
            *parts,
            reference=np.stack([reference[style] for reference in references]),
            static=scene.kind == "still",
        )
        for style in stylized_clean
    }


def clip_truth(content: Video) -> GroundTruth:
    """Return the motion of a real clip, estimated with DIS and its medium preset."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in content]
    flows = [np.zeros((*gray[0].shape, 2), np.float32)]
    flows += [dis.calc(now, then, None) for then, now in itertools.pairwise(gray)]
    visible = [np.ones(gray[0].shape, bool)]
    for t in range(1, len(content)):
        height, width = gray[0].shape
        places = positions(height, width) + flows[t]
        x, y = places[..., 0], places[..., 1]
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        difference = np.abs(warp(content[t - 1], flows[t]) - content[t]).max(2)
        visible.append(inside & (difference < _SAME_POINT))
    hidden = [np.zeros_like(mask) for mask in visible]
    return GroundTruth(content, flows, visible, hidden, None)


def score(video: Video, raw: Video, truth: GroundTruth) -> dict[str, float]:
    """Return the metrics of one video, in absolute values except for Q and Qd."""
    errors, ghosts, distances, new_distances = [], [], [], []
    for t in range(1, len(video)):
        visible, hidden = truth.visible[t], truth.hidden[t]
        errors.append(_distance(video[t], warp(video[t - 1], truth.flows[t]))[visible].mean())
        enough = hidden.sum() > 200
        if enough:
            ghosts.append(_distance(video[t], raw[t])[hidden].mean())
        if truth.reference is not None:
            here, there = (_distance(f[t], truth.reference[t]) for f in (video, raw))
            distances.append((here.mean(), there.mean()))
            if enough:
                new_distances.append((here[hidden].mean(), there[hidden].mean()))
    measures = {
        "E": float(np.mean(errors)),
        "sharp": float(np.mean([_sharpness(frame) for frame in video])),
        "ss": float(
            np.mean([_distance(f, c).mean() for f, c in zip(video, truth.content, strict=True)])
        ),
    }
    if ghosts:
        measures["gd"] = float(np.mean(ghosts))
    for name, pairs in (("Q", distances), ("Qd", new_distances)):
        if pairs:
            distance, raw_distance = np.sum(pairs, 0)
            measures[name] = float(distance / raw_distance)
    if truth.static:
        measures["std"] = float(video[_WARM_UP:].std(0).mean())
    return measures


def relative_to_raw(measures: dict[str, float], raw: dict[str, float]) -> dict[str, float]:
    """Return the metrics relative to those of the raw video."""
    result = {name: measures[name] for name in ("gd", "Q", "Qd") if name in measures}
    result["E"] = measures["E"] / raw["E"] - 1
    result |= {n: measures[n] / raw[n] for n in ("sharp", "ss", "std") if n in measures}
    return result


def _references(scene: Scene, stylized: dict[str, Video], t: int) -> dict[str, Floats]:
    totals = {style: video[t].astype(np.float32) for style, video in stylized.items()}
    weights = np.ones((*scene.size[::-1], 1), np.float32)
    for other in range(max(0, t - _REACH), min(scene.frames, t + _REACH + 1)):
        if other == t:
            continue
        motion = scene.motion(t, other)
        weight = motion.visible[..., None] * np.float32(1 - abs(other - t) / (_REACH + 1))
        for style, video in stylized.items():
            totals[style] += warp(video[other], motion.flow) * weight
        weights += weight
    return {style: total / weights for style, total in totals.items()}


def warp(image: NDArray[np.uint8], flow: Flow) -> Floats:
    """Warp an image to the frame whose motion to it is `flow`."""
    places = positions(*flow.shape[:2]) + flow
    warped = cv2.remap(
        image.astype(np.float32), places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.float32)


def _distance(one: np.ndarray, other: np.ndarray) -> Floats:
    return np.abs(one.astype(np.float32) - other).mean(2)


def _sharpness(frame: np.ndarray) -> float:
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(sum(np.abs(cv2.Scharr(gray, -1, x, 1 - x)).mean() for x in (0, 1)))

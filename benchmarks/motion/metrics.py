"""How steady, how true and how clear a film is. All in levels of 0..255; see results.md."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.footage import Film
from benchmarks.motion.scenes import Flow, Mask, Scene, positions

Floats = NDArray[np.float32]

_REACH = 8  # frames before and after that the reference is averaged over
_WARM_UP = 10  # frames before a static scene's spread is measured
_ALIKE = 25.0  # levels; in a real clip, pixels that differ more after the motion are not compared


@dataclass
class Truth:
    """What is known of a sequence.

    Attributes:
        content: The frames as the camera gives them.
        flows, seen, hidden: `Scene.move` of each frame to the one before.
        reference: What the noise-free frames become when their paintings are averaged along the
            exact motion over the frames before and after; None for a real clip.
    """

    content: Film
    flows: list[Flow]
    seen: list[Mask]
    hidden: list[Mask]
    reference: Floats | None
    still: bool = False


def truths_of(scene: Scene, painted_clean: dict[str, Film]) -> dict[str, Truth]:
    """Everything that is known of a generated sequence, by style."""
    times = range(scene.frames)
    moves = [scene.move(t, max(0, t - 1)) for t in times]
    content = np.stack([scene.noisy(t) for t in times])
    parts = [list(part) for part in zip(*moves, strict=True)]
    references = [_references(scene, painted_clean, t) for t in times]
    return {
        style: Truth(
            content,
            *parts,
            reference=np.stack([reference[style] for reference in references]),
            still=scene.kind == "still",
        )
        for style in painted_clean
    }


def truth_of_clip(content: Film) -> Truth:
    """A real clip's motion, as a finer method than ours finds it."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in content]
    flows = [np.zeros((*gray[0].shape, 2), np.float32)]
    flows += [dis.calc(now, then, None) for then, now in itertools.pairwise(gray)]
    seen = [np.ones(gray[0].shape, bool)]
    for t in range(1, len(content)):
        height, width = gray[0].shape
        places = positions(height, width) + flows[t]
        x, y = places[..., 0], places[..., 1]
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        difference = np.abs(_carry(content[t - 1], flows[t]) - content[t]).max(2)
        seen.append(inside & (difference < _ALIKE))
    hidden = [np.zeros_like(mask) for mask in seen]
    return Truth(content, flows, seen, hidden, None)


def score(film: Film, raw: Film, truth: Truth) -> dict[str, float]:
    """The measures of one film, those against raw still as sums of both."""
    errors, ghosts, distances, new_distances = [], [], [], []
    for t in range(1, len(film)):
        seen, hidden = truth.seen[t], truth.hidden[t]
        errors.append(_distance(film[t], _carry(film[t - 1], truth.flows[t]))[seen].mean())
        enough = hidden.sum() > 200
        if enough:
            ghosts.append(_distance(film[t], raw[t])[hidden].mean())
        if truth.reference is not None:
            here, there = (_distance(f[t], truth.reference[t]) for f in (film, raw))
            distances.append((here.mean(), there.mean()))
            if enough:
                new_distances.append((here[hidden].mean(), there[hidden].mean()))
    measures = {
        "E": float(np.mean(errors)),
        "sharp": float(np.mean([_sharpness(frame) for frame in film])),
        "ss": float(
            np.mean([_distance(f, c).mean() for f, c in zip(film, truth.content, strict=True)])
        ),
    }
    if ghosts:
        measures["gd"] = float(np.mean(ghosts))
    for name, pairs in (("Q", distances), ("Qd", new_distances)):
        if pairs:
            ours, theirs = np.sum(pairs, 0)
            measures[name] = float(ours / theirs)
    if truth.still:
        measures["std"] = float(film[_WARM_UP:].std(0).mean())
    return measures


def against_raw(measures: dict[str, float], raw: dict[str, float]) -> dict[str, float]:
    """Errors as what is gone of raw's, spreads and strengths as shares of raw's."""
    result = {name: measures[name] for name in ("gd", "Q", "Qd") if name in measures}
    result["E"] = measures["E"] / raw["E"] - 1
    result |= {n: measures[n] / raw[n] for n in ("sharp", "ss", "std") if n in measures}
    return result


def _references(scene: Scene, painted: dict[str, Film], t: int) -> dict[str, Floats]:
    totals = {style: film[t].astype(np.float32) for style, film in painted.items()}
    weights = np.ones((*scene.size[::-1], 1), np.float32)
    for other in range(max(0, t - _REACH), min(scene.frames, t + _REACH + 1)):
        if other == t:
            continue
        move = scene.move(t, other)
        weight = move.seen[..., None] * np.float32(1 - abs(other - t) / (_REACH + 1))
        for style, film in painted.items():
            totals[style] += _carry(film[other], move.flow) * weight
        weights += weight
    return {style: total / weights for style, total in totals.items()}


def _carry(picture: NDArray[np.uint8], flow: Flow) -> Floats:
    """The picture as seen from the frame whose motion to it is `flow`."""
    places = positions(*flow.shape[:2]) + flow
    carried = cv2.remap(
        picture.astype(np.float32), places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(carried, np.float32)


def _distance(one: np.ndarray, other: np.ndarray) -> Floats:
    return np.abs(one.astype(np.float32) - other).mean(2)


def _sharpness(frame: np.ndarray) -> float:
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(sum(np.abs(cv2.Scharr(gray, -1, x, 1 - x)).mean() for x in (0, 1)))

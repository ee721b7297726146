"""Compare how steady the packaged models are, without a stabilizer and with `fast`.

    python -m benchmarks.motion.models [--frames 20] [--seeds 21] [--styles ...] [--out FILE.json]

Print the metrics of each model, in uint8 values but for Q, and those of our models relative to the
reference's. Exit with 1 if a promise is broken: without a stabilizer, the warping error E of our
models is at most 60% of the reference's; with `fast`, no metric is worse than the reference's.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.motion import metrics
from benchmarks.motion.footage import CLIPS, VideoStylizer, clip_frames
from benchmarks.motion.methods import METHODS
from benchmarks.motion.record import STYLES, stabilize_video
from benchmarks.motion.scenes import KINDS, make_scene
from live_nst.models.handles import FINE, LIVE, MOBILE

COMPARED = ("raw", "fast")
"""The methods under which models are compared."""

MOST_E = 0.60

Measures = dict[str, dict[str, float]]
"""Means over sequences and styles by metric, by method."""


def measure(model: str, styles: Sequence[str], seeds: Sequence[int], frames: int) -> Measures:
    """Return the metrics of a model: E, std, Q, gd, sharp and ss (see results.md), absolute."""
    stylizer = VideoStylizer(styles, None, model)
    found: dict[str, dict[str, list[float]]] = {method: {} for method in COMPARED}

    def take(video: metrics.Video, truth: metrics.GroundTruth) -> None:
        for method in COMPARED:
            shown = stabilize_video(METHODS[method](), video, truth)
            for name, value in metrics.score(shown, video, truth).items():
                found[method].setdefault(name, []).append(value)

    for made in (make_scene(kind, seed, frames=frames) for kind in KINDS for seed in seeds):
        clean, noisy = (
            stylizer.stylize("", [draw(t) for t in range(frames)])
            for draw in (made.clean, made.noisy)
        )
        for style, truth in metrics.scene_truths(made, clean).items():
            take(noisy[style], truth)
        print(f"{model}: {made.name} measured", flush=True)
    for clip in CLIPS:
        content = clip_frames(clip, frames)
        truth = metrics.clip_truth(content)
        for video in stylizer.stylize("", list(content)).values():
            take(video, truth)
    stylizer.close()
    return {
        method: {name: round(float(np.mean(values)), 4) for name, values in by_name.items()}
        for method, by_name in found.items()
    }


def broken_promises(reference: Measures, ours: Measures) -> list[str]:
    """Return the promises that a model does not keep beside the reference."""
    broken = []
    if ours["raw"]["E"] > MOST_E * reference["raw"]["E"]:
        broken.append(f"E without a stabilizer is more than {MOST_E:.0%} of the reference's")
    fast, before = ours["fast"], reference["fast"]
    broken += [
        f"{name} with fast is worse than the reference's"
        for name in ("E", "std", "gd")
        if fast[name] > before[name]
    ]
    return broken


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion.models", description=__doc__)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21])
    parser.add_argument("--styles", nargs="+", default=list(STYLES))
    models = [MOBILE, FINE, LIVE]
    parser.add_argument("--models", nargs="+", default=models, help="the reference first")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    found = {
        model: measure(model, arguments.styles, arguments.seeds, arguments.frames)
        for model in arguments.models
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    first, *others = found
    broken = []
    for method in COMPARED:
        for model, measures in found.items():
            values = "  ".join(f"{name} {value:.3f}" for name, value in measures[method].items())
            print(f"{method:5} {model:8} {values}")
    for model in others:
        for method in COMPARED:
            ratios = {n: found[model][method][n] / v for n, v in found[first][method].items() if v}
            print(f"{method:5} {model} / {first}", {n: round(r, 3) for n, r in ratios.items()})
        broken += [f"{model}: {each}" for each in broken_promises(found[first], found[model])]
    for promise in broken:
        print(f"BROKEN: {promise}")
    return int(bool(broken))


if __name__ == "__main__":
    raise SystemExit(main())

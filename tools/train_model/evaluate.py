"""The command `evaluate`: checkpoints beside the packaged network and its controls, in a table."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tools.train_model.checkpoint import load
from tools.train_model.metrics import Metrics
from tools.train_model.onnx_weights import load as load_weights
from tools.train_model.painting import Pair, Way, held_out_pairs, record_pairs
from tools.train_model.pictures import read_pictures, split
from tools.train_model.runtime import frozen, pick_device
from tools.train_model.students import packaged, student_of

CONTROLS = (0.1, 0.2, 0.35)
"""Shares of the photo that are mixed into the packaged network's paintings, for comparison: a
weaker painting has a lower total, so a network is ahead only if it is below all controls."""

STROKES = (2.0, 3.0)
"""Strokes at which the packaged network is measured as well."""

Table = dict[str, dict[str, float]]
"""Means over the pairs by way of painting."""


def ways(
    network: nn.Module, own: dict[str, nn.Module], strengths: Iterable[float]
) -> dict[str, Way]:
    """List the ways of painting that are compared.

    Args:
        network: The packaged one.
        own: Students by name.
        strengths: At which the students are measured besides 1.
    """
    found = {"packaged": Way(network)}
    for share in CONTROLS:
        found[f"packaged, {share:.0%} photo"] = Way(network, photo_share=share)
    for stroke in STROKES:
        found[f"packaged, stroke {stroke:g}"] = Way(network, stroke=stroke)
    for name, student in own.items():
        found[name] = Way(student)
        for strength in strengths:
            found[f"{name}, strength {strength:g}"] = Way(student, strength=strength)
    return found


def measure(pairs: Sequence[Pair], compared: dict[str, Way], vgg: Any, predictor: Any) -> Table:
    """Measure every way on every pair and return the means."""
    sums: Table = {way: {} for way in compared}
    for pair in pairs:
        metrics = Metrics(pair, vgg, predictor)
        for name, way in compared.items():
            for term, value in metrics.measure(way).items():
                sums[name][term] = sums[name].get(term, 0.0) + value / len(pairs)
        print(f"{pair.name} measured", flush=True)
    return sums


def evaluate(
    checkpoints: Sequence[Path],
    weights: Path,
    photos: Sequence[Path],
    styles: Sequence[Path],
    *,
    count: int = 24,
    strengths: Sequence[float] = (),
    device: str = "auto",
    earlier: Path | None = None,
) -> dict[str, Any]:
    """Measure checkpoints on the record's pairs and on held-out ones.

    Args:
        checkpoints: Their files.
        weights: The folder that the command `weights` wrote.
        photos: Zip archives and folders; those that the split holds out are used. None measured
            on held-out pairs if empty.
        styles: Likewise.
        count: Held-out pairs.
        strengths: At which students are measured besides 1.
        device: "auto", "cpu" or "cuda".
        earlier: A result on the same pairs, from which the packaged network's rows are taken.

    Returns:
        "seen", pictures seen by checkpoint; "record" and "held out", a `Table` each.

    Raises:
        ValueError: There is nothing to measure on, or a file is no checkpoint.
    """
    where = pick_device(device)
    vgg, predictor = frozen(weights, where, torch.float32)
    loaded = {path.stem: load(path) for path in checkpoints}
    own = {name: student_of(each).to(where) for name, each in loaded.items()}
    network = packaged(load_weights(weights / "mobile.npz")).to(where)
    compared = ways(network, own, strengths)
    before = json.loads(earlier.read_text()) if earlier else {}
    result: dict[str, Any] = {"seen": {name: each.seen for name, each in loaded.items()}}
    found = {"record": record_pairs()}
    if photos and styles:
        share = max((each.settings.held_out for each in loaded.values()), default=0.05)
        _, held_photos = split(read_pictures(photos), share)
        _, held_styles = split(read_pictures(styles), share)
        if not held_photos or not held_styles:
            raise ValueError("no photo or no style is held out: give more pictures")
        found["held out"] = held_out_pairs(held_photos, held_styles, count)
    for name, pairs in found.items():
        kept = {way: v for way, v in before.get(name, {}).items() if way.startswith("packaged")}
        rest = {way: how for way, how in compared.items() if way not in kept}
        result[name] = kept | measure(pairs, rest, vgg, predictor)
    return rounded(result)


def rounded(value: Any) -> Any:
    """Round all floats of a nested value to four places."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def table(means: Table) -> str:
    """Write means as a table in Markdown."""
    terms = ("content", "style", "total", "flicker", "shift")
    lines = [f"| | {' | '.join(terms)} |", "|---" * (len(terms) + 1) + "|"]
    for way, values in means.items():
        places = (f"{values[term]:.{3 if term in terms[:3] else 2}f}" for term in terms)
        lines.append(f"| {way} | {' | '.join(places)} |")
    return "\n".join(lines)


def write(result: dict[str, Any], out: Path | None) -> None:
    """Print the tables, and write the result as JSON."""
    for name in ("record", "held out"):
        if name in result:
            print(f"\n{name}\n\n{table(result[name])}")
    if out:
        out.write_text(json.dumps(result, indent=1) + "\n")

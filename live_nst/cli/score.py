"""`live-nst score CONTENT STYLE PICTURE...`: the losses, as a table or JSON."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from live_nst.cli.console import notify, result
from live_nst.cli.paint import build_form


def run(
    *,
    content: Path,
    style: str,
    painted: Sequence[Path],
    form: str,
    network: str | None,
    vgg: Path | None,
    size: int,
    frames: int,
    device: str,
    as_json: bool,
) -> None:
    """Measure, and print one line per file; the content itself, unpainted, comes first."""
    from live_nst.objective.score import StyleScorer, score_files
    from live_nst.objective.vgg_weights import load_vgg
    from live_nst.runtime.tensorflow import pick_device

    loss = build_form(form, network)
    where = pick_device(device)
    weights = load_vgg(loss.network, vgg, notify=notify)
    scores = score_files(StyleScorer(weights, style, loss, size, where), content, painted, frames)
    if as_json:
        about = {"style": style, "form": form, "network": loss.network, "size": size}
        record = about | {"scores": [dataclasses.asdict(each) for each in scores]}
        result(json.dumps(record, indent=2))
        return
    table = Table(box=None, header_style="bold")
    table.add_column("file", overflow="fold")
    for heading in ("content", "style", "total", "of unpainted"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in scores:
        row = (f"{each.content:.3e}", f"{each.style:.3e}", f"{each.total:.3e}")
        table.add_row(each.name, *row, f"{each.relative:.3f}")
    Console(highlight=False).print(table)

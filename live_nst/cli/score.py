"""`live-nst score`: measure how close stylized pictures are to their content and style."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst.cli.console import notify, show_result
from live_nst.cli.options import (
    DeviceOption,
    JsonOption,
    LossOption,
    NetworkOption,
    VggOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_nst.objective.score import ScoreOptions, StyleScore


def score(
    content: Annotated[
        Path, typer.Argument(metavar="CONTENT", help="The original picture or video.")
    ],
    style: Annotated[
        str, typer.Argument(metavar="STYLE", help="A picture file, a built-in style or a mix.")
    ],
    stylized: Annotated[
        list[Path], typer.Argument(metavar="STYLIZED", help="The stylized pictures or videos.")
    ],
    loss: LossOption = "gatys",
    network: NetworkOption = None,
    vgg: VggOption = None,
    size: Annotated[
        int, typer.Option(metavar="PIXELS", help="Long side at which pictures are compared.")
    ] = 256,
    frames: Annotated[
        int, typer.Option(metavar="N", help="The number of frames of a video, spread evenly.")
    ] = 8,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure how well pictures keep their content and match a style; less is better."""
    from live_nst.objective.score import ScoreOptions

    options = ScoreOptions(
        content=content,
        style=style,
        stylized=tuple(stylized),
        loss=loss,
        network=network,
        vgg_file=vgg,
        size=size,
        frames=frames,
        device=device,
    )
    run(options, as_json=as_json)


def run(options: "ScoreOptions", *, as_json: bool) -> None:
    """Measure the files, and print their scores."""
    from live_nst.objective.score import score_files

    network, scores = score_files(options, notify)
    if as_json:
        settings = {"style": options.style, "form": options.loss, "network": network}
        record = settings | {"size": options.size, "scores": [asdict(each) for each in scores]}
        show_result(json.dumps(record, indent=2))
    else:
        _show_table(scores)


def _show_table(scores: "Sequence[StyleScore]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("file", overflow="fold")
    for heading in ("content", "style", "total", "of original"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in scores:
        row = (f"{each.content:.3e}", f"{each.style:.3e}", f"{each.total:.3e}")
        table.add_row(each.name, *row, f"{each.relative:.3f}")
    Console(highlight=False).print(table)

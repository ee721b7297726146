"""`live-nst export`: write a model for other programs."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from live_nst.cli.console import DownloadProgressBar, notify, show_result
from live_nst.cli.options import ModelOption, StrokeOption, complete_style
from live_nst.export.options import IMAGE_TYPES, PRECISIONS, ExportOptions


def export(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT.onnx|OUT/",
            help="A file with the network for one size; or a folder with it, the networks that "
            "compute styles, the built-in styles and a README.",
            show_default=False,
        ),
    ],
    style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STYLE",
            help="A style as in `live-nst`. A file takes one, which becomes part of it; a folder "
            "takes several, whose numbers are written to styles.json.",
            show_default="an input of the file; all built-in styles in a folder",
            autocompletion=complete_style,
        ),
    ] = None,
    model: ModelOption = "mobile",
    size: Annotated[
        str, typer.Option(metavar="WxH", help="Size of the frames. Multiples of 4 are fastest.")
    ] = "384x216",
    precision: Annotated[
        str,
        typer.Option(
            metavar="|".join(PRECISIONS), help="The number format of the network's convolutions."
        ),
    ] = PRECISIONS[0],
    images: Annotated[
        str,
        typer.Option(
            metavar="|".join(IMAGE_TYPES),
            help="The number format of frames: RGB 0..1 or RGB 0..255.",
        ),
    ] = IMAGE_TYPES[0],
    stroke: StrokeOption = 1.0,
) -> None:
    """Write a model as ONNX, for ONNX Runtime, OpenVINO, browsers and others.

    With --style, a file holds that style. Without, the style is an input.
    """
    from live_nst.sources.base import parse_size

    options = ExportOptions(
        model=model,
        size=parse_size(size),
        styles=tuple(style or ()),
        stroke=stroke,
        precision=precision,
        images=images,
    )
    options.check(output)
    run(output, options)


def run(output: Path, options: ExportOptions) -> None:
    """Export, and say what was written."""
    from live_nst.export.write import export_model

    with closing(DownloadProgressBar()) as bar:
        report = export_model(output, options, notify=notify, progress=bar)
    width, height = options.size
    size = sum(report.files.values()) / 1e6
    styles = f"style {report.styles[0]}" if len(report.styles) == 1 else "any style"
    show_result(
        f"{report.path}: {report.model}, {width}x{height}, {options.precision}, {styles}; "
        f"{size:.1f} MB"
    )

"""`live-nst styles`: list the built-in styles, or draw a contact sheet of them."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst.cli.console import DownloadProgressBar, notify, show_result
from live_nst.cli.options import (
    DeviceOption,
    Engine,
    EngineOption,
    ModelOption,
    PrecisionChoice,
    PrecisionOption,
    SizeOption,
)
from live_nst.errors import UsageError
from live_nst.styles.builtin import builtin_styles

if TYPE_CHECKING:
    from live_nst.stylizer.options import StylizerOptions
    from live_nst.types import Image

_DEMO_SECONDS = 10.6
"""A moment of the demo with a waving person and a cat."""


def styles(
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Stylize one photo in all styles, on one sheet."),
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="The photo for the sheet.", show_default="the demo"),
    ] = None,
    model: ModelOption = "auto",
    device: DeviceOption = "auto",
    engine: EngineOption = Engine.auto,
    precision: PrecisionOption = PrecisionChoice.auto,
    size: SizeOption = None,
) -> None:
    """List the built-in styles."""
    if sheet is None:
        if photo is not None:
            raise UsageError("--photo has no effect without --sheet", "add --sheet OUT.png")
        list_styles()
        return
    from live_nst.stylizer.options import StylizerOptions

    options = StylizerOptions(
        model=model,
        styles=tuple(builtin_styles()),
        size=size,
        device=device,
        engine=engine.value,
        precision=precision.value,
    )
    make_sheet(sheet, photo, options)


def list_styles() -> None:
    """Print the names and descriptions of the built-in styles."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        for name, description in builtin_styles().items():
            console.print(f"{name}  {description}", markup=False)
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, description in builtin_styles().items():
        table.add_row(name, description)
    console.print(table, soft_wrap=False)


def make_sheet(path: Path, photo: Path | None, options: "StylizerOptions") -> None:
    """Write a contact sheet of a photo in all built-in styles.

    Args:
        path: The picture to write.
        photo: The photo; None for a moment of the demo.
        options: The options of the stylizer, with all built-in styles.

    Raises:
        UsageError: The photo cannot be used, or the sheet not be written.
        LiveNstError: The model cannot be loaded.
    """
    from live_nst.files.formats import IMAGE_FORMATS
    from live_nst.files.images import write_image
    from live_nst.files.output import check_output
    from live_nst.styles.contact_sheet import (
        CELL_SIDE,
        SheetCell,
        draw_sheet,
        scale_to_fit,
    )
    from live_nst.stylizer.core import StylizerCore

    exists = UsageError(f"There is a file {path} already", "choose another name, or remove it")
    check_output(path, kind="a sheet", suffixes=IMAGE_FORMATS, exists=exists)
    original = _demo_image() if photo is None else _read_photo(photo)
    small = scale_to_fit(original, (CELL_SIDE, CELL_SIDE))
    with closing(DownloadProgressBar()) as bar:
        stylizer = StylizerCore(options, notify=notify, progress=bar)
    cells = []
    with stylizer:
        for name, description in builtin_styles().items():
            stylizer.select(name)
            cells.append(SheetCell(stylizer(small), name, description))
    first = SheetCell(original, "original", f"and in {len(cells)} styles")
    write_image(path, draw_sheet(first, cells))
    show_result(f"The sheet is in {path}.")


def _demo_image() -> "Image":
    from live_nst.sources.demo_video import DemoVideo

    return DemoVideo(1280, 720).image_at(_DEMO_SECONDS)


def _read_photo(photo: Path) -> "Image":
    from live_nst.files.images import read_image

    return read_image(
        photo,
        f"photo {photo}",
        error=UsageError,
        hint="use a JPEG, PNG, WebP or TIFF file",
    )

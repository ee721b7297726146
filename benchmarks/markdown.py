"""The page: written by people, but for its tables.

<!-- table: live -->
what stands here is replaced
<!-- end -->
"""

import re
from collections.abc import Mapping

_PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)


def places(page: str) -> list[str]:
    """The names of the places for tables."""
    return [match[2] for match in _PLACE.finditer(page)]


def fill(page: str, tables: Mapping[str, str]) -> str:
    """The page with its tables; a place without one says that it was not measured."""

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}{tables.get(match[2], 'Not measured yet.')}\n{match[3]}"

    return _PLACE.sub(filled, page)

"""The styles that live-nst brings along."""

import json
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "pictures"


@cache
def builtin_styles() -> dict[str, str]:
    """Name and one-line description of every built-in style, in the order of showing them."""
    described: dict[str, str] = json.loads((_FOLDER / "styles.json").read_text("utf-8"))
    return described


def builtin_image_path(name: str) -> Path:
    """The picture file of the built-in style `name`."""
    return _FOLDER / f"{name}.jpg"

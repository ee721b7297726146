"""The built-in styles."""

import json
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "pictures"


@cache
def builtin_styles() -> dict[str, str]:
    """Return the name and the one-line description of every built-in style, in display order."""
    descriptions: dict[str, str] = json.loads((_FOLDER / "styles.json").read_text("utf-8"))
    return descriptions


def builtin_image_path(name: str) -> Path:
    """Return the path of the image of a built-in style."""
    return _FOLDER / f"{name}.jpg"

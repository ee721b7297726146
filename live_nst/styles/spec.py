"""What a `--style` means: a built-in name, a picture file, or a weighted mix of those."""

import difflib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import StyleError
from live_nst.styles.builtin import builtin_image_path, builtin_styles

_WEIGHTED = re.compile(r"(?P<name>.+?):(?P<weight>[-+.\w]+)")
_PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}


@dataclass(frozen=True, slots=True)
class StylePart:
    """One picture of a style and its share; the shares of a style add up to 1."""

    picture: Path
    weight: float


@dataclass(frozen=True, slots=True)
class StyleSpec:
    """A style to be computed.

    Attributes:
        label: What people call it: "starry", "my.jpg", "starry 70% + wave 30%".
        parts: The pictures it is made of.
    """

    label: str
    parts: tuple[StylePart, ...]


def parse_style(text: str) -> StyleSpec:
    """Read `NAME`, `PICTURE` or `NAME:WEIGHT+NAME:WEIGHT`; a missing weight is 1.

    Raises:
        StyleError: There is no such style or picture, or the weights cannot be meant.
    """
    if text in builtin_styles() or os.path.exists(text):
        return StyleSpec(_label(text), (StylePart(_picture(text), 1.0),))
    pieces = [_weighted(piece, text) for piece in text.split("+")]
    if len(pieces) == 1:
        name, _ = pieces[0]
        return StyleSpec(_label(name), (StylePart(_picture(name), 1.0),))
    total = sum(weight for _, weight in pieces)
    if not 0 < total < math.inf:
        raise StyleError(f"The weights of the style mix {text} add up to {total:g}.", _mix_hint())
    shares = [(name, weight / total) for name, weight in pieces]
    label = " + ".join(f"{_label(name)} {share:.0%}" for name, share in shares)
    return StyleSpec(label, tuple(StylePart(_picture(name), share) for name, share in shares))


def mix_styles(first: StyleSpec, second: StyleSpec, share: float) -> StyleSpec:
    """The style `share` (0..1) of the way from one to the other."""
    if share <= 0.0 or share >= 1.0:
        return first if share <= 0.0 else second
    parts = tuple(
        StylePart(part.picture, weight * part.weight)
        for spec, weight in ((first, 1.0 - share), (second, share))
        for part in spec.parts
    )
    names = [f"({spec.label})" if len(spec.parts) > 1 else spec.label for spec in (first, second)]
    return StyleSpec(f"{names[0]} {1 - share:.0%} + {names[1]} {share:.0%}", parts)


def _weighted(piece: str, whole: str) -> tuple[str, float]:
    """Name and weight of one piece of a mix."""
    match = _WEIGHTED.fullmatch(piece)
    if not piece.strip():
        raise StyleError(f"The style mix {whole!r} has an empty part.", _mix_hint())
    if match is None or os.path.exists(piece):
        return piece, 1.0
    try:
        weight = float(match["weight"])
    except ValueError as exc:
        if "+" not in whole and ("\\" in piece or "/" in piece):  # C:\pictures\missing.jpg
            return piece, 1.0
        raise StyleError(f"{match['weight']!r} is no weight for a style.", _mix_hint()) from exc
    if not math.isfinite(weight) or weight < 0:
        raise StyleError(f"{weight:g} is no weight for a style.", _mix_hint())
    return match["name"], weight


def _picture(name: str) -> Path:
    if name in builtin_styles():
        return builtin_image_path(name)
    # The functions of os.path, unlike Path's, take names too long or too odd for this system.
    path = Path(os.path.expanduser(name))
    if os.path.exists(path):
        return path
    if path.suffix.lower() in _PICTURE_SUFFIXES or len(path.parts) > 1:
        raise StyleError(
            f"There is no style picture {name}.", "check the path, or see `live-nst styles`"
        )
    close = difflib.get_close_matches(name, builtin_styles(), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise StyleError(
        f"There is no style called {name!r}.",
        f"{hint}built in are {', '.join(builtin_styles())}; a picture file works too",
    )


def _label(name: str) -> str:
    return name if name in builtin_styles() else Path(name).name


def _mix_hint() -> str:
    return "a mix looks like starry:0.7+wave:0.3, with weights from 0 up"

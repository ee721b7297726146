"""The syntax of a style: a built-in name, an image file, or a weighted mix of those."""

import difflib
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import StyleError
from live_nst.files.formats import IMAGE_SUFFIXES
from live_nst.styles.builtin import builtin_image_path, builtin_styles

_WEIGHTED = re.compile(r"(?P<name>.+?):(?P<weight>[-+.\w]+)")
_MIX_HINT = "a mix looks like starry:0.7+wave:0.3, with weights from 0 up"


@dataclass(frozen=True, slots=True)
class StylePart:
    """One image of a style and its weight; the weights of a style add up to 1."""

    path: Path
    weight: float


@dataclass(frozen=True, slots=True)
class StyleSpec:
    """A style that is not computed yet.

    Attributes:
        label: Its name for users: "starry", "my.jpg", "starry 70% + wave 30%".
        parts: The images that it is made of.
    """

    label: str
    parts: tuple[StylePart, ...]


def as_spec(style: object) -> StyleSpec:
    """Return a style; text and paths are parsed by `parse_style`."""
    return style if isinstance(style, StyleSpec) else parse_style(str(style))


def parse_style(text: str) -> StyleSpec:
    """Parse `NAME`, `PICTURE` or `NAME:WEIGHT+NAME:WEIGHT`; a missing weight is 1.

    Raises:
        StyleError: There is no such style or image, or a weight is invalid.
    """
    if text in builtin_styles() or os.path.exists(text):
        return _single(text)
    pieces = [_parse_piece(piece, text) for piece in text.split("+")]
    if len(pieces) == 1:
        return _single(pieces[0][0])
    total = sum(weight for _, weight in pieces)
    if not 0 < total < math.inf:
        raise StyleError(f"The weights of the style mix {text} add up to {total:g}.", _MIX_HINT)
    shares = [(name, weight / total) for name, weight in pieces]
    label = " + ".join(f"{_label(name)} {share:.0%}" for name, share in shares)
    return StyleSpec(label, tuple(StylePart(_find(name), share) for name, share in shares))


def format_style(style: StyleSpec, name_picture: Callable[[Path], str] = str) -> str:
    """Return the text that `parse_style` parses to this style.

    Args:
        style: The style.
        name_picture: Returns the text for the path of a picture that is not built in.

    Raises:
        StyleError: It is a mix, and the name of a picture has a character that separates styles.
    """
    names = [_builtin_name(part.path) or name_picture(part.path) for part in style.parts]
    if len(names) == 1:
        return names[0]
    for name in names:
        if "+" in name:
            raise StyleError(
                f"A mix with {name} cannot be written down.", "rename the picture: without a +"
            )
    weights = [part.weight for part in style.parts]
    return "+".join(f"{name}:{weight:.4g}" for name, weight in zip(names, weights, strict=True))


def _builtin_name(path: Path) -> str:
    name = path.stem
    return name if name in builtin_styles() and path == builtin_image_path(name) else ""


def mix_styles(first: StyleSpec, second: StyleSpec, share: float) -> StyleSpec:
    """Return the mix that lies `share` (0 to 1) of the way from `first` to `second`."""
    if share <= 0.0 or share >= 1.0:
        return first if share <= 0.0 else second
    parts = tuple(
        StylePart(part.path, weight * part.weight)
        for spec, weight in ((first, 1.0 - share), (second, share))
        for part in spec.parts
    )
    names = [f"({spec.label})" if len(spec.parts) > 1 else spec.label for spec in (first, second)]
    return StyleSpec(f"{names[0]} {1 - share:.0%} + {names[1]} {share:.0%}", parts)


def _single(name: str) -> StyleSpec:
    return StyleSpec(_label(name), (StylePart(_find(name), 1.0),))


def _parse_piece(piece: str, text: str) -> tuple[str, float]:
    """Return name and weight of one piece of the mix `text`."""
    match = _WEIGHTED.fullmatch(piece)
    if not piece.strip():
        raise StyleError(f"The style mix {text!r} has an empty part.", _MIX_HINT)
    if match is None or os.path.exists(piece):
        return piece, 1.0
    try:
        weight = float(match["weight"])
    except ValueError as exc:
        if "+" not in text and ("\\" in piece or "/" in piece):  # C:\pictures\missing.jpg
            return piece, 1.0
        raise StyleError(f"Invalid weight {match['weight']!r} of a style.", _MIX_HINT) from exc
    if not math.isfinite(weight) or weight < 0:
        raise StyleError(f"Invalid weight {weight:g} of a style.", _MIX_HINT)
    return match["name"], weight


def _find(name: str) -> Path:
    """Return the path of the image of a style."""
    if name in builtin_styles():
        return builtin_image_path(name)
    # Unlike Path's methods, the functions of os.path accept names that are too long or invalid.
    path = Path(os.path.expanduser(name))
    if os.path.exists(path):
        return path
    if path.suffix.lower() in IMAGE_SUFFIXES or len(path.parts) > 1:
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

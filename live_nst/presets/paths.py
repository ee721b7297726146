"""Relative paths in a preset are relative to its file."""

import os
from pathlib import Path

from live_nst.files.formats import IMAGE_SUFFIXES, PLAYABLE_SUFFIXES
from live_nst.masks.regions import mask_image_path
from live_nst.styles.builtin import builtin_styles


def locate(folder: Path, key: str, text: str) -> str:
    """Return a text of a preset with its paths joined to the folder of the preset.

    Args:
        folder: The folder.
        key: The key of the text.
        text: The text: a path, a style or mix of styles, or anything else.
    """
    match key:
        case "style" | "keys":
            return _locate_style(folder, text)
        case "only":
            return _join(folder, text) if mask_image_path(text) else text
        case "record":
            return _join(folder, text)
        case "stream":
            if text.startswith("@"):
                return f"@{_join(folder, text[1:])}"
            return text if "://" in text else _join(folder, text)
        case "source":
            is_file = Path(text).suffix.lower() in PLAYABLE_SUFFIXES and "://" not in text
            return _join(folder, text) if is_file else _join_if_there(folder, text)
        case _:
            return _join_if_there(folder, text)


def _locate_style(folder: Path, text: str) -> str:
    """Return a style or mix with the paths of its pictures joined."""
    if text in builtin_styles():
        return text
    if os.path.exists(_join(folder, text)):
        return _join(folder, text)
    return "+".join(_locate_piece(folder, piece) for piece in text.split("+"))


def _locate_piece(folder: Path, piece: str) -> str:
    name, colon, weight = piece.rpartition(":")
    if not colon or Path(piece).suffix.lower() in IMAGE_SUFFIXES:
        name, weight = piece, ""
    if name in builtin_styles():
        return piece
    path = Path(name)
    if path.suffix.lower() in IMAGE_SUFFIXES or len(path.parts) > 1:
        name = _join(folder, name)
    else:
        name = _join_if_there(folder, name)
    return f"{name}:{weight}" if weight else name


def _join(folder: Path, text: str) -> str:
    return str(folder / os.path.expanduser(text)) if text else text


def _join_if_there(folder: Path, text: str) -> str:
    """Join a text that may be no path at all, such as the name of a camera or a model."""
    if not text or text.isdecimal():
        return text
    joined = _join(folder, text)
    return joined if os.path.exists(joined) else text

"""The keys of a preset: one for each field of `LiveOptions` and of the options in it."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass, replace
from functools import cache, reduce
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from live_nst.errors import UsageError
from live_nst.files.output import join_words
from live_nst.live.options import LiveOptions, parse_bitrate
from live_nst.sinks.stream_address import read_stream_address
from live_nst.sources.base import parse_size

_OTHER_NAMES = {"styles": "style", "streams": "stream"}
"""Fields whose option on the command line has another name."""

_INTERNAL = {"concurrency", "content_style_seconds"}
"""Fields that are no options for users."""

SECRET_KEYS = {"source", "stream"}
"""Keys whose values may hold a password or the key of a stream: no message shows them."""

CAMERA_SIZE = "camera-size"
"""The key of two fields: the width and the height that a camera is asked for."""

Locate = Callable[[str, str], str]
"""Returns a text, given its key and the text: a relative path becomes one that works."""


@dataclass(frozen=True, slots=True)
class PresetKey:
    """One key of a preset.

    Attributes:
        name: As the option is written, without the dashes before it.
        path: The fields that lead to it, from `LiveOptions` on.
        kind: The type of the field.
    """

    name: str
    path: tuple[str, ...]
    kind: Any

    def get(self, options: LiveOptions) -> Any:
        """Return its value in some options."""
        return reduce(getattr, self.path, options)


@cache
def preset_keys() -> dict[str, PresetKey]:
    """Return all keys by name, in the order of `LiveOptions`."""
    keys = {key.name: key for key in _walk(LiveOptions, ())}
    width, height = keys.pop("width"), keys.pop("height")
    assert width.path[:-1] == height.path[:-1]
    return {**keys, CAMERA_SIZE: PresetKey(CAMERA_SIZE, width.path[:-1], str)}


def apply_table(
    options: LiveOptions,
    table: Mapping[str, Any],
    locate: Locate = lambda key, text: text,
) -> LiveOptions:
    """Return options with the values of a table in place of theirs.

    Args:
        options: The options.
        table: Values by key, as a preset has them.
        locate: Makes paths of texts.

    Raises:
        UsageError: A key is unknown, or a value has the wrong type or is out of range.
    """
    changes: dict[str, Any] = {}
    for name, value in table.items():
        key = _find(name)
        if name == CAMERA_SIZE:
            width, height = parse_size(str(value))
            _put(changes, (*key.path, "width"), width)
            _put(changes, (*key.path, "height"), height)
        else:
            if name == "bitrate" and isinstance(value, str) and value != "auto":
                value = parse_bitrate(value)
            _put(changes, key.path, _to_field(key, value, locate))
    result: LiveOptions = _replace(options, changes)
    return result


def _walk(kind: type, path: tuple[str, ...]) -> "list[PresetKey]":
    # It stands for an import that only type checkers do, as its module needs NumPy.
    from live_nst.styles.registry import StyleInput

    hints = get_type_hints(kind, localns={"StyleInput": StyleInput})
    keys: list[PresetKey] = []
    for field in _fields(kind):
        hint, where = hints[field.name], (*path, field.name)
        if is_dataclass(hint):
            keys += _walk(hint, where)  # type: ignore[arg-type]
        elif field.name not in _INTERNAL:
            name = _OTHER_NAMES.get(field.name, field.name).replace("_", "-")
            keys.append(PresetKey(name, where, hint))
    return keys


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)


def _find(name: str) -> PresetKey:
    keys = preset_keys()
    if name in keys:
        return keys[name]
    close = difflib.get_close_matches(name.replace("_", "-"), keys, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(sorted(keys))}"
    raise UsageError(f"There is no option called {name!r}", hint)


def _to_field(key: PresetKey, value: Any, locate: Locate) -> Any:
    """Return the value of a field for a value of TOML.

    Where a field may be None, `false` is None. Where that is a text, `true` or "auto" leaves the
    choice to the program: it is "". Where that is a number, "auto" is None.
    """
    optional = NoneType in get_args(key.kind)
    kinds = [kind for kind in get_args(key.kind) if kind is not NoneType] if optional else []
    kind = kinds[0] if optional else key.kind
    if optional and value is False:
        return None
    if get_origin(kind) is tuple:
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(_to_text(key, item, locate) for item in values)
    if kind is bool:
        if isinstance(value, bool):
            return value
    elif kind in (int, float):
        if optional and (value is None or value == "auto"):
            return None
        if _is_number(value) and (kind is float or isinstance(value, int)):
            return kind(value)
    elif kind is Path:
        if isinstance(value, str | Path):
            return Path(locate(key.name, str(value)))
    elif optional and (value is True or value == "auto"):
        return ""
    else:
        return _to_text(key, value, locate)
    raise _wrong_type(key, value)


def _to_text(key: PresetKey, value: Any, locate: Locate) -> Any:
    if isinstance(value, str):
        text = locate(key.name, value)
        return read_stream_address(text) if key.name == "stream" else text
    if isinstance(value, int) and not isinstance(value, bool):  # `source = 0`
        return str(value)
    raise _wrong_type(key, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_type(key: PresetKey, value: Any) -> UsageError:
    kinds = [key.kind] if get_origin(key.kind) is tuple else get_args(key.kind) or [key.kind]
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a text in quotes",
        Path: "a path in quotes",
        NoneType: '"auto"' if int in kinds or float in kinds else "false",
    }
    allowed = [words.get(kind, "a list of texts in quotes") for kind in kinds]
    shown = "" if key.name in SECRET_KEYS else f" {value!r}"
    return UsageError(f"Invalid {key.name}{shown}", f"use {join_words(allowed, 'or')}")


def _put(changes: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *folders, name = path
    for folder in folders:
        changes = changes.setdefault(folder, {})
    changes[name] = value


def _replace(options: Any, changes: Mapping[str, Any]) -> Any:
    values = {
        name: _replace(getattr(options, name), value)
        if is_dataclass(getattr(options, name)) and isinstance(value, dict)
        else value
        for name, value in changes.items()
    }
    return replace(options, **values)

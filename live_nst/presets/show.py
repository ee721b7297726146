"""What a running session is set to, as options and as the table of a preset."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession
from live_nst.presets.keys import CAMERA_SIZE, PresetKey, preset_keys
from live_nst.styles.builtin import builtin_styles
from live_nst.styles.spec import as_spec, format_style, parse_style

NOT_SAVED = ("folder", "record", "stream", "frames", "duration")
"""Keys that belong to one run, not to a show, or that hold secrets: the addresses of streams. A
preset that is written by hand may have them."""

KeepPicture = Callable[[Path], str]
"""Returns how a preset names the picture of a style, a mask or a source, given its path."""


def current_options(session: LiveSession) -> LiveOptions:
    """Return the options that would start a session as this one is set to now."""
    options, control = session.options, session.control
    settings, styles = control.settings, control.styles
    builtin = [parse_style(name) for name in builtin_styles()]
    if all(style in styles for style in builtin):  # as they are offered if nothing else is said
        styles = (settings.style, *(style for style in styles if style not in builtin))
    stylizer = replace(
        options.stylizer,
        styles=tuple(dict.fromkeys((settings.style, *styles))),
        size=None if settings.automatic_size else settings.size,
        stroke=settings.stroke,
        look=replace(control.stylizer.look, only=settings.only),
    )
    keys = () if styles[0] == settings.style else styles
    # One that was switched on later has no device in the options: the first one found.
    camera = (options.virtual_camera or "") if session.virtual_camera else None
    return replace(
        options,
        stylizer=stylizer,
        keys=keys,
        source=session.source,
        mirror=settings.mirror,
        virtual_camera=camera,
    )


def make_table(options: LiveOptions, keep: KeepPicture = str) -> dict[str, Any]:
    """Return the table of a preset; without what it cannot say or belongs to one run only.

    Args:
        options: The options.
        keep: Names a file.

    Raises:
        StyleError: A style cannot be written as text.
    """
    table: dict[str, Any] = {}
    for key in preset_keys().values():
        if key.name == CAMERA_SIZE:
            request = options.request
            table[key.name] = f"{request.width}x{request.height}"
        elif key.name not in NOT_SAVED:
            value = _to_toml(key, key.get(options), options, keep)
            if value is not None and value != []:
                table[key.name] = value
    return table


def _to_toml(key: PresetKey, value: Any, options: LiveOptions, keep: KeepPicture) -> Any:
    if key.name in ("style", "keys"):
        return [format_style(as_spec(style), keep) for style in value]
    if key.name == "only" and options.stylizer.look.mask_file is not None:
        return keep(options.stylizer.look.mask_file)
    if isinstance(value, Path):
        return keep(value)
    if isinstance(value, tuple):
        return list(value)
    if NoneType in get_args(key.kind) and int in get_args(key.kind) and value is None:
        return "auto"
    return "auto" if value == "" and NoneType in get_args(key.kind) else value

"""The options of a live session: those that were given, over those of a preset and the defaults."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import typer

from live_nst.errors import UsageError

if TYPE_CHECKING:
    from live_nst.live.options import LiveOptions


def given_options(context: typer.Context) -> dict[str, Any]:
    """Return the options of the command line that are keys of presets, without the defaults.

    Addresses of streams, and those of sources that may hold a password, are hidden
    from other users of the machine.
    """
    from live_nst.files.secrets import hide_login
    from live_nst.presets.keys import preset_keys
    from live_nst.runtime.process_list import hide_in_process_list

    given: dict[str, Any] = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        key = parameter.opts[0].removeprefix("--")
        if key in preset_keys() and source is not None and source.name == "COMMANDLINE":
            value = context.params[parameter.name or ""]
            given[key] = value.value if isinstance(value, Enum) else value
    for address in given.get("stream", ()):
        if "://" in address:
            hide_in_process_list(address.partition("://")[2])  # it holds a key
    camera = str(given.get("source", ""))
    if hide_login(camera) != camera.strip():
        hide_in_process_list(camera.partition("://")[2])
    return given


def make_options(
    given: Mapping[str, Any], preset: str | None, base: "LiveOptions | None" = None
) -> "LiveOptions":
    """Return the options of a session: those given win over a preset, that over the defaults.

    Args:
        given: Options by key.
        preset: A file, or the name of a preset.
        base: What the user's defaults are applied to; None for the built-in defaults.

    Raises:
        UsageError: A value is out of range, or a file of options cannot be used.
    """
    from live_nst.presets.files import apply_preset, find_preset, load_defaults
    from live_nst.presets.keys import apply_table

    options = load_defaults(base)
    if preset is not None:
        options = apply_preset(options, find_preset(preset))
    return apply_table(options, given)


def check_effect(given: Mapping[str, Any], options: "LiveOptions") -> None:
    """Raise if an option of outputs was given, and no output that it is for can come.

    Only the command line is checked: a preset may hold options for streams that are given with it.
    The studio needs no check, as its page starts streams and recordings.

    Args:
        given: The options of the command line, by key.
        options: The options of the session.

    Raises:
        UsageError: An option would have no effect.
    """
    streams = bool(options.streams) or options.control is not None
    # The window has a key for recordings, and so have the messages of OSC.
    sound = streams or options.record is not None or options.window or options.osc is not None
    for name in ("bitrate", "encoder"):
        if name in given and not streams:
            raise UsageError(
                f"--{name} is for streams, and there is none", f"use --{name} with --stream"
            )
    if "audio" in given and not sound:
        raise UsageError(
            "--audio is for streams and recordings, and there is none",
            "use --audio with --stream or --record",
        )

"""Change a session by names and values from outside: OSC messages and the like.

No name leads to a file: a style is one of the session or a built-in one, and so is a mask.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, get_args, get_type_hints

from live_nst.errors import StyleError, UsageError
from live_nst.live.actions import ActionHandler, raise_error
from live_nst.live.control import SessionControl
from live_nst.live.keys import KEY_ACTIONS
from live_nst.live.session import LiveSession
from live_nst.live.settings import SettingsChange
from live_nst.masks.regions import BACKGROUND, EVERYWHERE, PERSON
from live_nst.presets.files import write_session
from live_nst.styles.builtin import builtin_styles
from live_nst.styles.spec import StylePart, StyleSpec, as_spec

Value = str | int | float | bool

_MASKS = (EVERYWHERE, PERSON, BACKGROUND)


class SessionCommands:
    """The commands of a session: its settings, its keys, and what else can be switched.

    Args:
        session: The session.
    """

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        save = partial(write_session, session)
        self._actions = ActionHandler(session.control, save, raise_error)
        hints = get_type_hints(SettingsChange)
        self._kinds = {
            field.name.replace("_", "-"): (field.name, hints[field.name])
            for field in fields(SettingsChange)
        }
        self._others: dict[str, Callable[[Value], None]] = {
            "key": self._press,
            "snapshot": self._snapshot,
            "record": self._record,
            "virtual-camera": self._virtual_camera,
            "stop": self._stop,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all commands."""
        return (*self._kinds, *self._others)

    def is_setting(self, name: str) -> bool:
        """Return whether a command sets something, so that the last of several counts."""
        return name in self._kinds

    def run(self, name: str, value: Value) -> None:
        """Run a command.

        Args:
            name: One of `names`.
            value: Its value; 0 and 1 are as good as false and true.

        Raises:
            LiveNstError: There is no such command, or it cannot be done.
        """
        if name in self._others:
            self._others[name](value)
        elif name in self._kinds:
            field, kind = self._kinds[name]
            self._session.control.change(
                SettingsChange(**{field: self._convert(name, kind, value)})
            )
        else:
            raise UsageError(f"There is no command {name!r}", f"use {', '.join(self.names)}")

    def _convert(self, name: str, kind: Any, value: Value) -> Any:
        kinds = get_args(kind)
        if name == "style":
            return find_style(self._session.control, value)
        if name == "only":
            return _find_mask(self._session, value)
        if bool in kinds:
            return _to_bool(name, value)
        if name == "size" and value == "auto":
            return "auto"
        if float in kinds or int in kinds:
            if isinstance(value, str):
                raise UsageError(f"Invalid {name} {value[:40]!r}", "use a number")
            return float(value) if float in kinds else int(value)
        return str(value)

    def _press(self, value: Value) -> None:
        key = str(value)
        if key not in KEY_ACTIONS:
            raise UsageError(f"There is no key {key[:40]!r}", "use those of the window, such as n")
        self._actions.perform(KEY_ACTIONS[key], key)

    def _snapshot(self, value: Value) -> None:
        if _to_bool("snapshot", value):
            self._session.control.save_snapshot()

    def _record(self, value: Value) -> None:
        if _to_bool("record", value):
            self._session.control.start_recording()
        else:
            self._session.control.stop_recording()

    def _virtual_camera(self, value: Value) -> None:
        if _to_bool("virtual-camera", value):
            self._session.start_virtual_camera()
        else:
            self._session.stop_virtual_camera()

    def _stop(self, value: Value) -> None:
        if _to_bool("stop", value):
            self._session.stop()


def find_style(control: SessionControl, value: Value) -> StyleSpec:
    """Return a style of the session or a built-in one.

    Args:
        control: The session.
        value: A number from 1, a label such as "wave", or a mix such as "wave:0.7+ink:0.3".

    Raises:
        StyleError: There is no such style.
    """
    styles = {style.label: style for style in control.styles}
    if isinstance(value, bool | int | float):
        number = int(value)
        if 1 <= number <= len(styles):
            return list(styles.values())[number - 1]
        raise StyleError(f"There is no style number {number}", f"use 1 to {len(styles)}")
    for name in builtin_styles():
        styles.setdefault(name, as_spec(name))
    if value in styles:
        return styles[value]
    pieces = [_weighted(piece) for piece in value.split("+")]
    total = sum(weight for _, weight in pieces)
    if not all(name in styles for name, _ in pieces) or not 0 < total < 1e9:
        raise StyleError(
            f"There is no style {value[:80]!r}", f"use one of {', '.join(styles)}, or a mix of them"
        )
    parts = tuple(
        StylePart(part.path, part.weight * weight / total)
        for name, weight in pieces
        for part in styles[name].parts
    )
    label = " + ".join(f"{name} {weight / total:.0%}" for name, weight in pieces)
    return StyleSpec(label, parts)


def _weighted(piece: str) -> tuple[str, float]:
    """Return the name and the weight of a piece of a mix; an invalid weight is -infinity."""
    name, colon, weight = piece.rpartition(":")
    if not colon:
        return piece, 1.0
    try:
        number = float(weight)
    except ValueError:
        return piece, -float("inf")
    return name, number if number >= 0 else -float("inf")


def _find_mask(session: LiveSession, value: Value) -> str:
    """Return a mask that has a name, or the one that the session began with."""
    allowed = [*_MASKS, session.options.stylizer.look.only]
    if value not in allowed:
        raise UsageError(f"There is no mask {str(value)[:80]!r}", f"use {', '.join(_MASKS)}")
    return str(value)


def _to_bool(name: str, value: Value) -> bool:
    words = {"on": True, "true": True, "off": False, "false": False}
    if isinstance(value, str):
        if value not in words:
            raise UsageError(f"Invalid {name} {value[:40]!r}", "use 1 or 0")
        return words[value]
    return value >= 0.5

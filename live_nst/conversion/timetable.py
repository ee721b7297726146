"""Styles, strokes and looks that change in the course of a video."""

import itertools
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from live_nst.errors import UsageError
from live_nst.styles.registry import StyleInput
from live_nst.styles.spec import StyleSpec
from live_nst.stylizer.look import Look

T = TypeVar("T")

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?")


@dataclass(frozen=True, slots=True)
class StyleChange:
    """A change to another style.

    Attributes:
        style: The style, in any form that a stylizer accepts.
        time: When it begins, in seconds into the input.
        stroke: Size of its strokes; None to keep the size.
    """

    style: StyleInput
    time: float
    stroke: float | None = None


@dataclass(frozen=True, slots=True)
class LookChange:
    """A change to another look.

    Attributes:
        look: The look.
        time: When it begins, in seconds into the input.
    """

    look: Look
    time: float


class TimedValue(NamedTuple, Generic[T]):
    """A value that holds from a time on, in seconds into the input."""

    time: float
    value: T


def parse_time(text: str) -> float:
    """Return the seconds that `12.5`, `12.5s`, `1:30` or `1:02:03.5` mean.

    Raises:
        UsageError: The text has none of these forms.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"Invalid time {text!r}", "write it as 90, 1:30 or 0:01:30.5")
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


def parse_timed_values(
    option: str, texts: Sequence[str], first: T, read: Callable[[str], T]
) -> tuple[TimedValue[T], ...]:
    """Return the values of an option over time, from `VALUE` and `VALUE@TIME`, in any order.

    Args:
        option: Its name, for messages: "--strength".
        texts: What the user gave.
        first: The value at the start, unless the user gave another.
        read: Converts a text to a value.

    Returns:
        The values in the order of their times, the first one at 0.

    Raises:
        UsageError: A time or a value is invalid, or two values have the same time.
    """
    values: dict[float, T] = {}
    for text in texts:
        value, time_text = _split_time(text)
        time = parse_time(time_text) if time_text else 0.0
        if time in values:
            raise UsageError(
                f"Two values of {option} begin at {time:g} s",
                f"give the second one a time: {option} {value}@0:30",
            )
        values[time] = read(value)
    return tuple(TimedValue(*item) for item in sorted(({0.0: first} | values).items()))


def parse_number(option: str) -> Callable[[str], float]:
    """Return a function that converts the texts of an option to numbers.

    It raises a `UsageError` for a text that is no number.
    """

    def read(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise UsageError(
                f"Invalid number {text!r} for {option}",
                f"write {option} 0.5, or {option} 0.5@1:30 for a change at that time",
            ) from None

    return read


def build_look_changes(
    look: Look, values: Mapping[str, Sequence[TimedValue[Any]]]
) -> tuple[LookChange, ...]:
    """Return complete looks from the values of single attributes over time.

    Args:
        look: The attributes that do not change.
        values: The others, by the names of a look's attributes, each with a value at 0.

    Raises:
        UsageError: A value is out of range.
    """
    return tuple(
        LookChange(
            replace(look, **{name: value_at(timed, time) for name, timed in values.items()}), time
        )
        for time in _times(*values.values())
    )


def with_strokes(
    changes: Sequence[StyleChange], strokes: Sequence[TimedValue[float]]
) -> tuple[StyleChange, ...]:
    """Return changes of styles and strokes together; both must have a value at 0."""
    styles = [TimedValue(change.time, change.style) for change in changes]
    return tuple(
        StyleChange(value_at(styles, time), time, value_at(strokes, time))
        for time in _times(styles, strokes)
    )


def value_at(values: Sequence[TimedValue[T]], time: float) -> T:
    """Return the value that holds at a time, which is not before the first one."""
    return next(each.value for each in reversed(values) if each.time <= time)


def parse_style_changes(
    styles: Sequence[StyleInput | tuple[StyleInput, float] | tuple[StyleInput, float, float]],
) -> tuple[StyleChange, ...]:
    """Return changes from `A`, `B@00:30` and (style, seconds[, stroke]), in any order.

    Raises:
        UsageError: No style begins at the start, or two begin at the same time.
    """
    changes = sorted(map(_parse_style_change, styles), key=lambda change: change.time)
    if not changes:
        raise UsageError("No style was given", "name one, such as starry")
    if changes[0].time > 0:
        raise UsageError(
            f"No style is given for the start: the first one begins at {changes[0].time:g} s",
            "give one without a time, too",
        )
    for before, after in itertools.pairwise(changes):
        if before.time == after.time:
            raise UsageError(
                f"Two styles begin at {after.time:g} s",
                "give the second one a time: --style starry --style wave@0:30",
            )
    return tuple(changes)


def parse_look_changes(first: Look, later: Sequence[tuple[Look, float]]) -> tuple[LookChange, ...]:
    """Return changes from a look and those that follow: pairs (look, seconds), in any order.

    Raises:
        UsageError: A time is invalid, or two looks begin at the same time.
    """
    looks = {0.0: first}
    for look, time in later:
        _check_time("look", time)
        if time in looks:
            raise UsageError(f"Two looks begin at {time:g} s", "give them different times")
        looks[time] = look
    return tuple(LookChange(look, time) for time, look in sorted(looks.items()))


def timetable(
    changes: Sequence[StyleChange], looks: Sequence[LookChange]
) -> tuple[dict[str, Any], ...]:
    """Return what changes when, in plain values.

    Returns:
        A dictionary for each time: "time", and only what changes then. The values at the start are
        in the first one where they are not the defaults.
    """
    rows: dict[float, dict[str, Any]] = {}
    stroke: float | None = 1.0
    shown: str | None = None
    for change in changes:
        row = rows.setdefault(change.time, {})
        name = _style_name(change.style)
        if name != shown:
            row["style"] = shown = name
        if change.stroke not in (stroke, None):
            row["stroke"] = stroke = change.stroke
    look = Look()
    for look_change in looks:
        row = rows.setdefault(look_change.time, {})
        for each in fields(Look):
            value = getattr(look_change.look, each.name)
            if value != getattr(look, each.name):
                row[each.name] = value
        look = look_change.look
    return tuple({"time": time, **row} for time, row in sorted(rows.items()) if row)


def _times(*tracks: Sequence[TimedValue[Any]]) -> list[float]:
    return sorted({each.time for values in tracks for each in values})


def _style_name(style: StyleInput) -> str:
    """Return the name of a style that may not be computed yet."""
    if isinstance(style, StyleSpec):
        return style.label
    return str(style) if isinstance(style, (str, Path)) else "a picture"


def _parse_style_change(style: Any) -> StyleChange:
    if isinstance(style, tuple):
        _check_time("style", style[1])
        return StyleChange(*style)
    if not isinstance(style, str):
        return StyleChange(style, 0.0)
    name, time = _split_time(style)
    return StyleChange(name, parse_time(time) if time else 0.0)


def _split_time(text: str) -> tuple[str, str]:
    """Split VALUE@TIME into (value, time); the time is empty if there is none.

    An @ can belong to a file's name: if that file exists, or if what follows is no time.
    """
    value, _, time = text.rpartition("@")
    if value and _TIME.fullmatch(time.strip()) and not os.path.exists(text):
        return value, time
    return text, ""


def _check_time(thing: str, time: float) -> None:
    if not 0 <= time < math.inf:
        raise UsageError(f"Invalid time {time:g} s of a {thing}", "use 0 or more")

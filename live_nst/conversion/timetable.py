"""What changes in the course of a video, and when: styles, strokes and looks."""

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
    """A style, and when it comes.

    Attributes:
        style: As the stylizer takes it.
        time: Seconds into the input.
        stroke: Size of its strokes; None leaves it.
    """

    style: StyleInput
    time: float
    stroke: float | None = None


@dataclass(frozen=True, slots=True)
class LookChange:
    """A look, and when it comes.

    Attributes:
        look: The look, whole.
        time: Seconds into the input.
    """

    look: Look
    time: float


class TimedValue(NamedTuple, Generic[T]):
    """A value that holds from a time on, in seconds into the input."""

    time: float
    value: T


def parse_time(text: str) -> float:
    """Seconds from `12.5`, `12.5s`, `1:30` or `1:02:03.5`.

    Raises:
        UsageError: It is none of these.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no time.", "write it as 90, 1:30 or 0:01:30.5")
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


def parse_timed_values(
    option: str, texts: Sequence[str], first: T, read: Callable[[str], T]
) -> tuple[TimedValue[T], ...]:
    """What an option is set to over time, from `VALUE` and `VALUE@TIME`, in any order.

    Args:
        option: Its name, for messages: "--strength".
        texts: What was given.
        first: What holds at the start unless something else was given for it.
        read: Makes a value of its text.

    Returns:
        The values in the order of their times, the first one at 0.

    Raises:
        UsageError: A time or a value cannot be read, or two come at the same time.
    """
    keys: dict[float, T] = {}
    for text in texts:
        value, at, time = _parted(text)
        moment = parse_time(time) if at else 0.0
        if moment in keys:
            raise UsageError(
                f"Two values of {option} come at {moment:g} s.",
                f"say when the second one comes: {option} {value}@0:30",
            )
        keys[moment] = read(value)
    return tuple(TimedValue(*item) for item in sorted(({0.0: first} | keys).items()))


def parse_number(option: str) -> Callable[[str], float]:
    """What reads the numbers of an option.

    Raises:
        UsageError: It is none.
    """

    def read(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise UsageError(
                f"{text!r} is no number for {option}.",
                f"write {option} 0.5, or {option} 0.5@1:30 for a change at that time",
            ) from None

    return read


def build_look_changes(
    look: Look, tracks: Mapping[str, Sequence[TimedValue[Any]]]
) -> tuple[LookChange, ...]:
    """Whole looks, from what each of their values is set to over time.

    Args:
        look: What holds of the values that do not change.
        tracks: By the names of a look's attributes, each with a key at 0.

    Raises:
        UsageError: A value is out of range.
    """
    return tuple(
        LookChange(
            replace(look, **{name: value_at(keys, time) for name, keys in tracks.items()}), time
        )
        for time in _moments(*tracks.values())
    )


def with_strokes(
    changes: Sequence[StyleChange], strokes: Sequence[TimedValue[float]]
) -> tuple[StyleChange, ...]:
    """Styles with the strokes that they have over time, both with a value at 0."""
    styles = [TimedValue(change.time, change.style) for change in changes]
    return tuple(
        StyleChange(value_at(styles, time), time, value_at(strokes, time))
        for time in _moments(styles, strokes)
    )


def value_at(keys: Sequence[TimedValue[T]], time: float) -> T:
    """What holds at a time that is not before the first key."""
    return next(key.value for key in reversed(keys) if key.time <= time)


def parse_style_changes(
    styles: Sequence[StyleInput | tuple[StyleInput, float] | tuple[StyleInput, float, float]],
) -> tuple[StyleChange, ...]:
    """Styles and their times, from `A`, `B@00:30` and (style, seconds[, stroke]), in any order.

    Raises:
        UsageError: None or several begin at the start, or two at the same time.
    """
    changes = sorted((_change(style) for style in styles), key=lambda change: change.time)
    if not changes:
        raise UsageError("No style was given.", "name one, such as starry")
    if changes[0].time > 0:
        raise UsageError(
            f"No style is given for the start: the first comes at {changes[0].time:g} s.",
            "give one without a time, too",
        )
    for before, after in itertools.pairwise(changes):
        if before.time == after.time:
            raise UsageError(
                f"Two styles come at {after.time:g} s.",
                "say when the second one comes: --style starry --style wave@0:30",
            )
    return tuple(changes)


def parse_look_changes(first: Look, later: Sequence[tuple[Look, float]]) -> tuple[LookChange, ...]:
    """A look, and those that come later: pairs (look, seconds), in any order.

    Raises:
        UsageError: A time cannot be meant, or two come at the same one.
    """
    keys = {0.0: first}
    for look, time in later:
        _check_time("look", time)
        if time in keys:
            raise UsageError(f"Two looks come at {time:g} s.", "give them different times")
        keys[time] = look
    return tuple(LookChange(look, time) for time, look in sorted(keys.items()))


def timetable(
    changes: Sequence[StyleChange], looks: Sequence[LookChange]
) -> tuple[dict[str, Any], ...]:
    """What is set at which time, in plain values: "time", then only what changes there.

    What holds at the start is told where it is not as it is by default.
    """
    rows: dict[float, dict[str, Any]] = {}
    stroke: float | None = 1.0
    shown: str | None = None
    for change in changes:
        row = rows.setdefault(change.time, {})
        name = _name(change.style)
        if name != shown:
            row["style"] = shown = name
        if change.stroke not in (stroke, None):
            row["stroke"] = stroke = change.stroke
    look = Look()
    for coming in looks:
        row = rows.setdefault(coming.time, {})
        for each in fields(Look):
            if getattr(coming.look, each.name) != getattr(look, each.name):
                row[each.name] = getattr(coming.look, each.name)
        look = coming.look
    return tuple({"time": time, **row} for time, row in sorted(rows.items()) if row)


def _moments(*tracks: Sequence[TimedValue[Any]]) -> list[float]:
    return sorted({key.time for keys in tracks for key in keys})


def _name(style: StyleInput) -> str:
    """What to call a style that may not be computed yet."""
    if isinstance(style, StyleSpec):
        return style.label
    return str(style) if isinstance(style, (str, Path)) else "a picture"


def _change(style: Any) -> StyleChange:
    if isinstance(style, tuple):
        _check_time("style", style[1])
        return StyleChange(*style)
    if not isinstance(style, str):
        return StyleChange(style, 0.0)
    name, at, time = _parted(style)
    return StyleChange(name, parse_time(time) if at else 0.0)


def _parted(text: str) -> tuple[str, str, str]:
    """(value, "@", time), the last two empty where no time is said.

    An @ may belong to the name of a file, which is there, or is followed by what is no time.
    """
    value, at, time = text.rpartition("@")
    if at and value and _TIME.fullmatch(time.strip()) and not os.path.exists(text):
        return value, at, time
    return text, "", ""


def _check_time(thing: str, time: float) -> None:
    if not 0 <= time < math.inf:
        raise UsageError(f"A {thing} at {time:g} s cannot be meant.", "use 0 or more")

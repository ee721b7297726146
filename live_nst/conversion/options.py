"""What a conversion is asked to do."""

import itertools
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.errors import UsageError
from live_nst.styles.picture import read_picture
from live_nst.styles.shelf import StyleInput
from live_nst.styles.spec import parse_style

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?")
_LONGEST = 1e7  # seconds: a hundred days


@dataclass(frozen=True, slots=True)
class StyleChange:
    """A style, and when it comes.

    Attributes:
        style: As the stylizer takes it.
        time: Seconds into the input.
    """

    style: StyleInput
    time: float


@dataclass(frozen=True)
class ConvertOptions:
    """How a video is converted; what concerns the picture itself is the stylizer's.

    Attributes:
        changes: The styles in the order of their times, the first one at 0.
        fade: Seconds that a change of style takes.
        start: Leave out what comes before, in seconds of the input.
        end: Leave out what comes from here on; None for nothing.
        every: Keep one frame in so many.
        codec: The encoder, by a name of `live_nst.conversion.codecs`; None for the container's.
        crf: Constant quality, in the codec's own scale, lower is better; None for its default.
        preset: The codec's name or number for its speed; None for its default.
        restart: Throw away what an earlier run left, and replace an output that is there.
    """

    changes: tuple[StyleChange, ...] = (StyleChange("starry", 0.0),)
    fade: float = 0.0
    start: float = 0.0
    end: float | None = None
    every: int = 1
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    restart: bool = False

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is opened.

        Raises:
            UsageError: A number is out of range.
            StyleError: There is no such style, or its picture cannot be read.
        """
        if not 0 <= self.fade < _LONGEST:
            raise UsageError(f"A fade of {self.fade:g} s cannot be meant.", "use 0 or more")
        if not 0 <= self.start < _LONGEST:
            raise UsageError(f"A start at {self.start:g} s cannot be meant.", "use 0 or more")
        if self.end is not None and not self.start < self.end < _LONGEST:
            raise UsageError(
                f"An end at {self.end:g} s is not after the start at {self.start:g} s.",
                "let --end be later than --start",
            )
        if self.every < 1:
            raise UsageError(f"Every {self.every} frames cannot be meant.", "use 1 or more")
        for change in self.changes:
            if isinstance(change.style, (str, Path)):
                for part in parse_style(str(change.style)).parts:
                    read_picture(part.picture)

    @property
    def trimmed(self) -> bool:
        """Whether the output begins or ends elsewhere than the input."""
        return self.start > 0 or self.end is not None

    def as_dict(self) -> dict[str, Any]:
        """What of it shapes the output, in plain values; the styles are the stylizer's to tell."""
        return {
            "style times": [change.time for change in self.changes],
            "fade": self.fade,
            "start": self.start,
            "end": self.end,
            "every": self.every,
        }


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


def parse_changes(
    styles: Sequence[StyleInput | tuple[StyleInput, float]],
) -> tuple[StyleChange, ...]:
    """Styles and their times, from `A`, `B@00:30` and pairs (style, seconds), in any order.

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


def _change(style: StyleInput | tuple[StyleInput, float]) -> StyleChange:
    if isinstance(style, tuple):
        if not 0 <= style[1] < math.inf:
            raise UsageError(f"A style at {style[1]:g} s cannot be meant.", "use 0 or more")
        return StyleChange(*style)
    if not isinstance(style, str) or os.path.exists(style):
        return StyleChange(style, 0.0)
    name, at, time = style.rpartition("@")
    if at and name and _TIME.fullmatch(time.strip()):
        return StyleChange(name, parse_time(time))
    return StyleChange(style, 0.0)

"""What a conversion is asked to do."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from live_nst.conversion.timetable import LookChange, StyleChange, timetable
from live_nst.errors import ConversionError, UsageError
from live_nst.files.output import check_output
from live_nst.masks.image import read_mask_image
from live_nst.styles.image import read_style_image
from live_nst.styles.registry import StyleInput
from live_nst.styles.spec import parse_style
from live_nst.stylizer.look import Look
from live_nst.stylizer.sizes import check_stroke

_LONGEST = 1e7  # seconds: a hundred days


class Changeable(Protocol):
    """What is needed of `live_nst.stylizer.core.StylizerCore` to set a timetable."""

    def select(  # noqa: D102
        self,
        style: StyleInput,
        *,
        stroke: float | None = None,
        fade: float = 0.0,
        time: float = 0.0,
    ) -> None: ...

    def change(self, look: Look, *, fade: float = 0.0, time: float = 0.0) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class ConvertOptions:
    """How a video is converted; what concerns the picture itself is the stylizer's.

    Attributes:
        changes: The styles in the order of their times, the first one at 0.
        fade: Seconds that a change of style or look takes.
        start: Leave out what comes before, in seconds of the input.
        end: Leave out what comes from here on; None for nothing.
        every: Keep one frame in so many.
        codec: The encoder, by a name of `live_nst.conversion.video.codecs`; None for the container's.
        crf: Constant quality, in the codec's own scale, lower is better; None for its default.
        preset: The codec's name or number for its speed; None for its default.
        restart: Throw away what an earlier run left, and replace an output that is there.
        looks: The looks in the order of their times; the stylizer's own holds until the first.
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
    looks: tuple[LookChange, ...] = ()

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is opened.

        Raises:
            UsageError: A number is out of range, or a mask picture cannot be read.
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
        for coming in self.looks:
            if coming.look.mask_file is not None:
                read_mask_image(coming.look.mask_file)
        for change in self.changes:
            if change.stroke is not None:
                check_stroke(change.stroke)
            if isinstance(change.style, (str, Path)):
                for part in parse_style(str(change.style)).parts:
                    read_style_image(part.picture)

    def check_output(self, output: Path, input: Path) -> None:
        """Raise unless `output` can be written; see `live_nst.files.output.check_output`.

        Raises:
            UsageError: It is the input or a folder, or its folder is missing or not writable.
            ConversionError: There is such a file already, and `restart` is not set.
        """
        exists = ConversionError(
            f"There is a file {output} already",
            "choose another name; --restart converts anew and replaces it when it is done",
        )
        check_output(output, input=input, exists=None if self.restart else exists)

    @property
    def trimmed(self) -> bool:
        """Whether the output begins or ends elsewhere than the input."""
        return self.start > 0 or self.end is not None

    def as_dict(self) -> dict[str, Any]:
        """What of it shapes the output, in plain values; the styles are the stylizer's to tell.

        Raises:
            OSError: A mask picture cannot be read any more.
        """
        return {
            "style times": [change.time for change in self.changes],
            "strokes": [change.stroke for change in self.changes],
            "looks": [[coming.time, coming.look.fingerprint()] for coming in self.looks],
            "fade": self.fade,
            "start": self.start,
            "end": self.end,
            "every": self.every,
        }

    def apply(self, stylizer: Changeable) -> None:
        """Tell a stylizer what shows when.

        Raises:
            LiveNstError: A style or a mask cannot be used.
        """
        for change in self.changes:
            fade, time = self._begin(change.time)
            stylizer.select(change.style, stroke=change.stroke, fade=fade, time=time)
        for coming in self.looks:
            fade, time = self._begin(coming.time)
            stylizer.change(coming.look, fade=fade, time=time)

    def timetable(self) -> tuple[dict[str, Any], ...]:
        """What is set at which time; see `live_nst.conversion.timetable.timetable`."""
        return timetable(self.changes, self.looks)

    def _begin(self, time: float) -> tuple[float, float]:
        """(fade, time) of a change; what comes at the start has always been there."""
        return (self.fade, time) if time > 0 else (0.0, -math.inf)

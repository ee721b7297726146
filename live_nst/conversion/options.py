"""The options of a conversion."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.conversion.timetable import LookChange, StyleChange, timetable
from live_nst.errors import ConversionError, UsageError
from live_nst.files.output import check_output, join_words
from live_nst.masks.image import read_mask_image
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import parse_style
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import check_stroke

AUDIO_MODES = ("copy", "encode", "none")
"""What can be done with the sound of a video; see `ConvertOptions`."""

WARM_UP_FRAMES = 32
"""How many frames the stylizer sees before each chunk. The seam then differs from an unbroken film
by 0.014 levels in the mean and 2 at most, while neighboring frames differ by 2.3."""

MAX_CHUNK = 10_000  # frames
_MAX_SECONDS = 1e7  # 115 days


@dataclass(frozen=True)
class ConvertOptions:
    """How a file is converted; what concerns the network are options of the stylizer.

    Attributes:
        changes: The styles in the order of their times, the first one at 0.
        fade: Seconds that a change of style or look takes.
        start: Frames before this are left out, in seconds into the input.
        end: Frames from here on are left out; None for none.
        every: Keep one frame in so many.
        codec: The encoder, a name in `live_nst.conversion.video.codecs`; None for the default.
        crf: Constant quality on the codec's own scale, lower is better; None for the default.
        preset: The codec's name or number of a speed; None for the default.
        audio: "copy" to copy sound, but encode what the container does not take; "encode" to encode
            all of it; "none" to leave it out.
        restart: Discard what an earlier run left, and replace an existing output.
        looks: The looks in the order of their times; the stylizer's own holds until the first.
        chunk: Number of frames in a chunk. Each chunk of a video is painted by itself, after
            `WARM_UP_FRAMES` frames before it, and encoded with the same number of threads anywhere:
            so one machine and many give the same file. None to paint the video in one go.
    """

    changes: tuple[StyleChange, ...] = (StyleChange("starry", 0.0),)
    fade: float = 0.0
    start: float = 0.0
    end: float | None = None
    every: int = 1
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    audio: str = "copy"
    restart: bool = False
    looks: tuple[LookChange, ...] = ()
    chunk: int | None = None

    def check(self) -> None:
        """Raise if a value is invalid, before anything is opened.

        Raises:
            UsageError: A number is out of range, or a mask image cannot be read.
            StyleError: A style does not exist, or its image cannot be read.
        """
        if not 0 <= self.fade < _MAX_SECONDS:
            raise UsageError(f"Invalid fade of {self.fade:g} s", "use 0 or more")
        if not 0 <= self.start < _MAX_SECONDS:
            raise UsageError(f"Invalid start at {self.start:g} s", "use 0 or more")
        if self.end is not None and not self.start < self.end < _MAX_SECONDS:
            raise UsageError(
                f"The end at {self.end:g} s is not after the start at {self.start:g} s",
                "use an --end that is later than --start",
            )
        if self.every < 1:
            raise UsageError(f"Invalid --every {self.every}", "use 1 or more")
        if self.chunk is not None and not 1 <= self.chunk <= MAX_CHUNK:
            raise UsageError(f"Invalid --chunk {self.chunk}", f"use 1 to {MAX_CHUNK} frames")
        if self.audio not in AUDIO_MODES:
            raise UsageError(
                f"Invalid --audio {self.audio!r}", f"use {join_words(AUDIO_MODES, 'or')}"
            )
        for look_change in self.looks:
            if look_change.look.mask_file is not None:
                read_mask_image(look_change.look.mask_file)
        for change in self.changes:
            if change.stroke is not None:
                check_stroke(change.stroke)
            if isinstance(change.style, (str, Path)):
                for part in parse_style(str(change.style)).parts:
                    read_style_image(part.path)

    def check_output(self, output: Path, input: Path) -> None:
        """Raise unless `output` can be written; see `live_nst.files.output.check_output`.

        Raises:
            UsageError: It is the input or a folder, or its folder is missing or not writable.
            ConversionError: The file exists, and `restart` is not set.
        """
        exists = ConversionError(
            f"There is a file {output} already",
            "choose another name; --restart converts anew and replaces it when it is done",
        )
        check_output(output, input=input, exists=None if self.restart else exists)

    @property
    def trimmed(self) -> bool:
        """Whether frames at the beginning or at the end are left out."""
        return self.start > 0 or self.end is not None

    def as_dict(self) -> dict[str, Any]:
        """Return what determines the output, in plain values; styles are the stylizer's to tell.

        Raises:
            OSError: A mask image cannot be read any more.
        """
        chunks = {} if self.chunk is None else {"chunk": self.chunk, "warm-up": WARM_UP_FRAMES}
        return {
            **chunks,
            "style times": [change.time for change in self.changes],
            "strokes": [change.stroke for change in self.changes],
            "looks": [[change.time, change.look.fingerprint()] for change in self.looks],
            "fade": self.fade,
            "start": self.start,
            "end": self.end,
            "every": self.every,
        }

    def apply(self, stylizer: StylizerCore) -> None:
        """Schedule all changes of style and look on a stylizer.

        Raises:
            LiveNstError: A style or a mask cannot be used.
        """
        for change in self.changes:
            fade, time = self._fade_and_time(change.time)
            stylizer.select(change.style, stroke=change.stroke, fade=fade, time=time)
        for look_change in self.looks:
            fade, time = self._fade_and_time(look_change.time)
            stylizer.change_look(look_change.look, fade=fade, time=time)

    def timetable(self) -> tuple[dict[str, Any], ...]:
        """Return what changes when; see `live_nst.conversion.timetable.timetable`."""
        return timetable(self.changes, self.looks)

    def _fade_and_time(self, time: float) -> tuple[float, float]:
        """Return the fade and time of a change; there is nothing to fade from at the start."""
        return (self.fade, time) if time > 0 else (0.0, -math.inf)

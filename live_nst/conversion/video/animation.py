"""Make videos of animated pictures that FFmpeg does not read as videos.

FFmpeg has no decoder for animated WebP, drops the transparency of animated AVIF and PNG, and takes
the still that begins an AVIF for the video. Pillow decodes such pictures; their frames go to a
temporary video without loss, with the very times. Of an AVIF without transparency the animation is
copied as it is encoded.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image as Pillow

from live_nst.errors import SourceError
from live_nst.files.decoding import DECODE_ERRORS, to_rgb
from live_nst.files.formats import recognize_image
from live_nst.files.images import flatten_on_white, open_image
from live_nst.files.output import write_errors
from live_nst.files.webp import complete_frames
from live_nst.runtime.pyav import fraction, open_for_reading, open_for_writing
from live_nst.types import Size

if TYPE_CHECKING:
    from av.container import InputContainer

_TICKS = 100_000  # per second: times of WebP are in milliseconds, those of PNG often in hundredths
_UNTIMED = Fraction(1, 10)  # seconds of a frame that has no duration, as browsers show it
_HINT = "choose another file; a download may be incomplete"


@dataclass(frozen=True)
class DecodedAnimation:
    """A temporary video of the frames of an animated picture.

    Attributes:
        path: The video. It is deleted when this object is.
        notes: Sentences about what the video lacks.
        folder: The folder of the video.
    """

    path: Path
    notes: tuple[str, ...]
    folder: "tempfile.TemporaryDirectory[str]"


def decode_animation(path: Path) -> DecodedAnimation | None:
    """Make a video of an animated WebP, PNG or AVIF.

    Returns:
        The video; None for every other file, which FFmpeg reads itself.

    Raises:
        SourceError: The picture is damaged.
        SinkError: The temporary video cannot be written.
    """
    try:
        kind = recognize_image(path)
    except OSError:
        return None  # what is wrong with it is said where videos are opened
    if kind not in ("WEBP", "PNG", "AVIF"):
        return None
    with open_image(path, f"picture {path.name}", error=SourceError, hint=_HINT) as pil_image:
        cut_off = complete_frames(path) is not None
        if getattr(pil_image, "n_frames", 1) < 2 and not cut_off:
            return None
        folder = tempfile.TemporaryDirectory(prefix="live-nst-", ignore_cleanup_errors=True)
        target = Path(folder.name) / f"frames{path.suffix}"
        notes: list[str] = []
        if kind == "AVIF" and pil_image.mode == "RGB":
            _copy_avif(path, target)
        else:
            durations = _avif_durations(path) if kind == "AVIF" else None
            frames = _Frames(pil_image, durations, cut_off=cut_off)
            if _write_frames(frames, pil_image.size, target):
                notes.append("Transparent parts become white")
            if frames.cut_off:
                notes.append(
                    f"{path.name} is cut off or damaged after frame {frames.number}: what follows "
                    "is left out"
                )
        return DecodedAnimation(target, tuple(notes), folder)


def _copy_avif(path: Path, target: Path) -> None:
    """Copy the animation of an AVIF to a video."""
    with (
        open_for_reading(path) as source,
        write_errors(target),
        open_for_writing(target, format="mp4") as out,
    ):
        stream = _avif_stream(source)
        copy = out.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = copy
                out.mux(packet)


def _avif_durations(path: Path) -> list[Fraction]:
    """Return the seconds of every frame of an AVIF; Pillow rounds them to milliseconds."""
    with open_for_reading(path) as source:
        stream = _avif_stream(source)
        base = fraction(stream.time_base) or Fraction(1, 1000)
        return [(packet.duration or 0) * base for packet in source.demux(stream) if packet.size]


def _avif_stream(source: "InputContainer") -> av.VideoStream:
    """Return the animation: a still comes before it, for programs that know no animation."""
    return max(source.streams.video, key=lambda stream: stream.frames)


def _write_frames(
    frames: Iterable[tuple[Pillow.Image, Fraction]], size: Size, target: Path
) -> bool:
    """Write frames as a video; return whether they have transparent parts.

    Args:
        frames: The frames and their durations in seconds.
        size: (width, height) of the frames in pixels.
        target: The video.
    """
    transparent = False
    with (
        write_errors(target),
        open_for_writing(
            target, format="mov", options={"video_track_timescale": str(_TICKS)}
        ) as out,
    ):
        stream = out.add_stream("png", rate=25, options={"compression_level": "1"})
        stream.width, stream.height = size
        stream.pix_fmt = "rgb24"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        time = Fraction(0)
        for frame, duration in frames:
            rgb = to_rgb(frame)
            if rgb.mode == "RGBA":
                transparent |= bool((np.asarray(rgb.getchannel("A")) < 255).any())
            pixels = np.asarray(flatten_on_white(rgb), np.uint8)
            av_frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            begin, time = time, time + duration
            av_frame.time_base = Fraction(1, _TICKS)
            av_frame.pts = round(begin * _TICKS)
            for packet in stream.encode(av_frame):
                packet.duration = round(time * _TICKS) - round(begin * _TICKS)
                out.mux(packet)
        out.mux(stream.encode(None))
    return transparent


class _Frames:
    """The frames of an animation and the duration of each, in seconds.

    Args:
        pil_image: The animation.
        durations: The durations if they are known; None to take those of Pillow.
        cut_off: Whether frames are missing at the end.

    Attributes:
        cut_off: The same, or whether a frame but the first cannot be decoded, which ends them.
        number: Number of frames that were decoded.
    """

    def __init__(
        self, pil_image: Pillow.Image, durations: list[Fraction] | None, *, cut_off: bool
    ) -> None:
        self._pil_image = pil_image
        self._durations = durations
        self.cut_off = cut_off
        self.number = 0

    def __iter__(self) -> Iterator[tuple[Pillow.Image, Fraction]]:
        pil_image, durations = self._pil_image, self._durations
        # The picture that programs show that know no animation need not be a part of it.
        first = 1 if getattr(pil_image, "default_image", False) else 0
        count = getattr(pil_image, "n_frames", 1)
        for number in range(first, count):
            try:
                pil_image.seek(number)
                pil_image.load()
            except DECODE_ERRORS:
                if not self.number:
                    raise
                self.cut_off = True
                return
            milliseconds = Fraction(pil_image.info.get("duration") or 0).limit_denominator(1000)
            duration = milliseconds / 1000 or _UNTIMED
            if durations is not None and len(durations) == count:
                duration = durations[number]
            self.number += 1
            yield pil_image, duration

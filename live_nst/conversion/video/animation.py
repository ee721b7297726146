"""Decode animated pictures that FFmpeg does not read as videos, for it to read.

FFmpeg has no decoder for animated WebP, and drops the transparency of animated AVIF and PNG. Pillow
decodes them; their frames go to a temporary video without loss, with the very times.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image as Pillow

from live_nst.errors import SourceError
from live_nst.files.decoding import to_rgb
from live_nst.files.formats import recognize_image
from live_nst.files.images import flatten_on_white, open_image
from live_nst.files.output import write_errors
from live_nst.runtime.pyav import open_for_writing

_TICKS = 100_000  # per second: times of WebP are in milliseconds, those of PNG often in hundredths
_UNTIMED = 100.0  # milliseconds of a frame that has no duration, as browsers show it
_HINT = "choose another file; a download may be incomplete"


@dataclass(frozen=True)
class DecodedAnimation:
    """A temporary video of the frames of an animated picture.

    Attributes:
        path: The video. It is deleted when this object is.
        transparent: Whether the picture has transparent parts, which are white in the video.
        folder: The folder of the video.
    """

    path: Path
    transparent: bool
    folder: "tempfile.TemporaryDirectory[str]"


def decode_animation(path: Path) -> DecodedAnimation | None:
    """Decode an animated WebP or PNG, or an animated AVIF with transparency.

    Returns:
        The decoded animation; None for every other file, which FFmpeg reads itself.

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
        if getattr(pil_image, "n_frames", 1) < 2:
            return None
        if kind == "AVIF" and pil_image.mode == "RGB":
            return None
        folder = tempfile.TemporaryDirectory(prefix="live-nst-", ignore_cleanup_errors=True)
        target = Path(folder.name) / path.name
        return DecodedAnimation(target, _write_frames(pil_image, target), folder)


def _write_frames(pil_image: Pillow.Image, target: Path) -> bool:
    """Write all frames as a video; return whether they have transparent parts."""
    transparent = False
    with (
        write_errors(target),
        open_for_writing(
            str(target), format="mov", options={"video_track_timescale": str(_TICKS)}
        ) as out,
    ):
        stream = out.add_stream("png", rate=25, options={"compression_level": "1"})
        stream.width, stream.height = pil_image.size
        stream.pix_fmt = "rgb24"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        time = 0.0  # milliseconds
        for frame, duration in _frames(pil_image):
            rgb = to_rgb(frame)
            if rgb.mode == "RGBA":
                transparent |= rgb.getchannel("A").getextrema()[0] < 255  # type: ignore[operator]
            pixels = np.asarray(flatten_on_white(rgb), np.uint8)
            av_frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            begin, time = time, time + duration
            av_frame.time_base = Fraction(1, _TICKS)
            av_frame.pts = round(begin * _TICKS / 1000)
            for packet in stream.encode(av_frame):
                packet.duration = round(time * _TICKS / 1000) - round(begin * _TICKS / 1000)
                out.mux(packet)
        out.mux(stream.encode(None))
    return transparent


def _frames(pil_image: Pillow.Image) -> Iterator[tuple[Pillow.Image, float]]:
    """Yield every frame of an animation and its duration in milliseconds."""
    # The picture that programs show that know no animation need not be a part of it.
    first = 1 if getattr(pil_image, "default_image", False) else 0
    for number in range(first, getattr(pil_image, "n_frames", 1)):
        pil_image.seek(number)
        pil_image.load()
        yield pil_image, float(pil_image.info.get("duration") or 0) or _UNTIMED

"""Write the segments of a video as an animated WebP."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.gif import decode_segments
from live_nst.conversion.video.segments import SegmentStore, output_errors
from live_nst.conversion.video.timestamps import OutputSpan
from live_nst.errors import ConversionError
from live_nst.runtime.pyav import open_for_writing
from live_nst.types import Size

_TICK = Fraction(1, 1000)  # WebP's unit of time, in seconds
_MAX_SIDE = 16_383  # pixels
_MAX_TICKS = 2**24 - 1  # that a frame can last
_QUALITY = "95"

LONGEST = _MAX_TICKS * _TICK
"""The longest time, in seconds, for which a WebP can show a frame."""


def write_webp(
    path: Path,
    store: SegmentStore,
    settings: EncoderSettings,
    span: OutputSpan,
    tick: Callable[[], None],
) -> Fraction:
    """Write the frames of all segments as an animated WebP that repeats without end.

    See `live_nst.conversion.video.gif.write_gif` for the arguments and the result.

    Raises:
        SinkError: The file cannot be written.
    """
    last = longest = 1
    with (
        output_errors(store.output),
        open_for_writing(path, format="webp", options={"loop": "0"}) as out,
    ):
        stream = out.add_stream("libwebp_anim", rate=settings.rate, options={"quality": _QUALITY})
        stream.width, stream.height = settings.size
        stream.pix_fmt = "bgra"
        stream.time_base = stream.codec_context.time_base = _TICK
        for frame, begin, end in decode_segments(store, settings):
            tick()
            picture = frame.reformat(format="bgra")
            picture.time_base = _TICK
            picture.pts = round((begin * settings.time_base - span.shift) / _TICK)
            last = round((end * settings.time_base - span.shift) / _TICK) - picture.pts
            longest = max(longest, last)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    with output_errors(store.output), path.open("r+b") as file:
        # FFmpeg gives the last frame the average duration.
        data = file.read()
        place = data.rfind(b"ANMF")
        if place >= 0:
            file.seek(place + 20)
            file.write(min(max(1, last), _MAX_TICKS).to_bytes(3, "little"))
    return longest * _TICK


def check_webp_size(path: Path, size: Size) -> None:
    """Raise if frames of that (width, height) in pixels are too large for the WebP at `path`.

    Raises:
        ConversionError: They are.
    """
    if max(size) > _MAX_SIDE:
        raise ConversionError(
            f"{path.name} cannot be {size[0]}x{size[1]}: WebP stores at most "
            f"{_MAX_SIDE} pixels a side",
            "write a .mp4",
        )

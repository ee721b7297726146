"""Tell before a conversion that a frame lasts longer than an animated picture can show it."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import av.error

from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.video import gif, webp
from live_nst.conversion.video.clock import time_base_of
from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.probe import VideoInfo

_LIMITS = {"gif": (gif.LONGEST, "a GIF"), "webp": (webp.LONGEST, "a WebP")}


def pause_note(muxer: str, longest: Fraction) -> str | None:
    """Return a sentence if a frame is shown for less time than in the input; else None.

    Args:
        muxer: FFmpeg's name of the output's container.
        longest: For how long a frame is shown in the input at most, in seconds.
    """
    limit, name = _LIMITS[muxer]
    if longest <= limit:
        return None
    return (
        f"A pause of {float(longest):.0f} s becomes {float(limit):.0f} s: {name} cannot show a "
        "frame for longer"
    )


def longest_pause(info: VideoInfo, options: ConvertOptions) -> Fraction:
    """Return for how long a frame of the output is shown at most, in seconds.

    All packets of the input are read for that, and none is decoded.

    Raises:
        SourceError: The input cannot be read.
    """
    begin = info.first + Fraction(options.start)
    end = None if options.end is None else info.first + Fraction(options.end)
    shown = sorted(_times(info))
    kept = [
        (time, until)
        for time, until in shown
        if time >= begin - info.time_base and (end is None or time < end)
    ][:: options.every]
    lengths = [later[0] - frame[0] for frame, later in pairwise(kept)]
    for time, until in kept[-1:]:  # see `IncreasingTimestamps.end`
        cut = until if end is None else max(end, time + 1 / info.rate)
        lengths.append(min(until, cut) - time)
    return max(lengths, default=Fraction(0))


def _times(info: VideoInfo) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield when the frame of each packet is shown, and when it ends by itself."""
    correct = info.clock.corrector() if info.clock is not None else None
    with open_video(info.path) as container:
        stream = container.streams[info.index]
        try:
            for packet in container.demux(stream):
                if correct is not None:
                    correct(packet)
                ticks = packet.dts if info.decoding_order or packet.pts is None else packet.pts
                if packet.size and ticks is not None:
                    base = time_base_of(packet.time_base)
                    length = packet.duration * base if packet.duration else 1 / info.rate
                    yield ticks * base, ticks * base + length
        except av.error.FFmpegError:
            return  # the file ends too early here, which the reader of its frames finds

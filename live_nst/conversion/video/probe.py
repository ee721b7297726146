"""Read the properties of a video: size, rotation, pixel shape, clock, length and color."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from live_nst.conversion.video.clock import (
    CLOCK_STARTS_ANYWHERE,
    ClockCorrection,
    needs_scan,
    scan_clock,
    time_base_of,
)
from live_nst.conversion.video.input_file import (
    find_video_stream,
    open_video,
    read_errors,
)
from live_nst.conversion.video.truncation import is_joined_matroska
from live_nst.errors import SourceError
from live_nst.runtime.pyav import fraction
from live_nst.types import Size
from live_nst.video.color import ColorTags, color_tags_of
from live_nst.video.geometry import Orientation, orientation_of, pixel_aspect_of, upright_size
from live_nst.video.transparency import is_transparent

if TYPE_CHECKING:
    from av.container import InputContainer

_OPUS_DELAY = Fraction(1, 50)  # Opus begins so much earlier at most, with what is not played
_USUAL_RATES = (1, 240)
_MAX_PIXELS = 1 << 27
_MAX_PROBE_PACKETS = 2000
_MAX_GIF_FRAMES = 300  # of which the transparency is looked at
_GIF_ON_WHITE = "Transparent parts become white"


@dataclass(frozen=True)
class VideoInfo:
    """The video stream of a file, as a player shows it.

    Attributes:
        path: The file.
        index: The stream's number in the file.
        size: (width, height) of the upright frames.
        stored: (width, height) of the frames as they are stored.
        orientation: How stored frames become upright.
        aspect: Shape of an upright pixel: width divided by height.
        time_base: Seconds per tick of the video's timestamps.
        rate: Frames per second, on average or as the file says.
        frames: Number of frames: an estimate, or 0 if there is none.
        origin: Where the output begins, in seconds of the file's clock: the first sound or frame.
        first: Where the first frame is shown; times of the options count from here.
        starts_anywhere: Whether a file of this format can begin with frames that lack others.
        decoding_order: Whether the file stores no times of display, as AVI: the frames are shown
            in steps of the times of decoding.
        clock: How the jumps of the file's clock are closed; None if its format has none.
        duration: Seconds of the video; None if the file does not say.
        color: How colors are encoded.
        codec: FFmpeg's name of the codec.
        notes: Sentences about what the conversion changes.
    """

    path: Path
    index: int
    size: Size
    stored: Size
    orientation: Orientation
    aspect: Fraction
    time_base: Fraction
    rate: Fraction
    frames: int
    origin: Fraction
    first: Fraction
    starts_anywhere: bool
    decoding_order: bool
    clock: ClockCorrection | None
    duration: Fraction | None
    color: ColorTags
    codec: str
    notes: tuple[str, ...]


def probe(path: Path) -> VideoInfo:
    """Return the properties of a video file. The first frame is decoded for them.

    Raises:
        SourceError: The file cannot be read, contains no video, or is encrypted.
    """
    clock = _clock(path)
    with open_video(path) as container:
        stream = find_video_stream(container, path)
        with read_errors(path):
            first = _first_frame(container, stream, path)
        color = color_tags_of(first)
        stored = (first.width, first.height)
        orientation = orientation_of(first)
        size, aspect = upright_size(stored, pixel_aspect_of(stream), orientation)
        if size[0] * size[1] > _MAX_PIXELS:
            raise SourceError(
                f"{path.name} has frames of {size[0]}x{size[1]} pixels", "choose a smaller video"
            )
        rate = _rate(stream)
        time_base = fraction(stream.time_base) or 1 / rate
        decoding_order = container.format.name == "avi"
        begin = _first_time(first, stream, decoding_order) * time_base
        starts_anywhere = bool(container.format.flags & CLOCK_STARTS_ANYWHERE)
        origin = _origin(container, begin, starts_anywhere)
        duration = _duration(container, stream, time_base)
        frames = stream.frames or (round(duration * rate) if duration else 0)
        if container.format.name == "gif":
            notes = [_GIF_ON_WHITE] if _is_transparent_gif(container, stream, first) else []
        else:
            notes = list(_notes(stream, first, color, orientation))
        if clock is not None and clock.frames:
            frames, duration = clock.frames, clock.end - begin
            notes += [clock.note(begin)] if clock.jumps else []
        return VideoInfo(
            path=path,
            index=stream.index,
            size=size,
            stored=stored,
            orientation=orientation,
            aspect=aspect,
            time_base=time_base,
            rate=rate,
            frames=frames,
            origin=origin,
            first=begin,
            starts_anywhere=starts_anywhere,
            decoding_order=decoding_order,
            clock=clock,
            duration=duration,
            color=color,
            codec=stream.codec_context.name,
            notes=tuple(notes),
        )


def no_frames_error(info: VideoInfo) -> SourceError:
    """Return the error for a part of a video that contains no frame."""
    return SourceError(
        f"{info.path.name} has no frame between --start and --end", "choose other times"
    )


def _clock(path: Path) -> ClockCorrection | None:
    """Read all packets of a file whose clock may jump; None for other files."""
    with open_video(path) as container:
        index = find_video_stream(container, path).index
        with read_errors(path):
            needed = needs_scan(container, index) or is_joined_matroska(path)
            return scan_clock(container, index) if needed else None


def _first_time(frame: av.VideoFrame, stream: av.VideoStream, decoding_order: bool) -> int:
    """Return when the first frame is shown, in ticks."""
    ticks = frame.dts if decoding_order and frame.dts is not None else frame.pts
    return (stream.start_time or 0) if ticks is None else ticks


def _origin(container: "InputContainer", first: Fraction, starts_anywhere: bool) -> Fraction:
    """Return when the first sound or frame begins, in seconds of the file's clock.

    Only a clock that starts anywhere counts below 0: otherwise this is what decoders need earlier.

    Args:
        container: The file.
        first: When the first frame of the video is shown.
        starts_anywhere: Whether the format's clock starts anywhere.
    """
    begins = [first]
    for stream in container.streams:
        if stream.type == "audio" and stream.start_time is not None:
            begin = stream.start_time * time_base_of(stream.time_base)
            codec = stream.codec_context
            if codec is None or codec.name != "opus" or begin + _OPUS_DELAY < first:
                begins.append(begin)
    return min(begins) if starts_anywhere else max(Fraction(0), min(begins))


def _first_frame(container: "InputContainer", stream: av.VideoStream, path: Path) -> av.VideoFrame:
    """Decode until a frame comes out.

    Raises:
        SourceError: No frame comes out, or the file is encrypted.
    """
    stream.thread_type = "SLICE"  # threads that decode whole frames would delay the first one
    for number, packet in enumerate(container.demux(stream)):
        if packet.has_sidedata("encryption_info"):
            raise SourceError(f"{path.name} is encrypted", "choose a video without DRM")
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            frames = []
        if frames:
            return frames[0]
        if number > _MAX_PROBE_PACKETS:
            break
    raise SourceError(
        f"{path.name} contains no complete frame", "the file may be incomplete or damaged"
    )


def _is_transparent_gif(
    container: "InputContainer", stream: av.VideoStream, first: av.VideoFrame
) -> bool:
    """Return whether a GIF has transparent parts; its decoder makes them white.

    Args:
        container: The file; the frames that follow the first one are consumed.
        stream: Its video.
        first: Its first frame.
    """
    if is_transparent(stream, first):
        return True
    try:
        following = itertools.islice(container.decode(stream), _MAX_GIF_FRAMES)
        return any(is_transparent(stream, frame) for frame in following)
    except av.error.FFmpegError:
        return False  # the damage is found where all frames are read


def _rate(stream: av.VideoStream) -> Fraction:
    """Return the first plausible frame rate that the file gives; 25 if there is none."""
    for value in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        rate = fraction(value)
        if rate is not None and _USUAL_RATES[0] <= rate <= _USUAL_RATES[1]:
            return rate.limit_denominator(1001)
    return Fraction(25)


def _duration(
    container: "InputContainer", stream: av.VideoStream, time_base: Fraction
) -> Fraction | None:
    """Return the seconds of the stream, else of the file; None if neither is known."""
    if stream.duration and stream.duration > 0:
        return stream.duration * time_base
    if container.duration and container.duration > 0:
        seconds = Fraction(container.duration, av.time_base)
        begin = Fraction(container.start_time or 0, av.time_base)
        # Some programs write when the file ends instead of how long it is.
        return seconds - begin if 1 < begin < seconds else seconds
    return None


def _notes(
    stream: av.VideoStream, first: av.VideoFrame, color: ColorTags, orientation: Orientation
) -> Iterator[str]:
    """Yield a sentence for each property of the video that the output does not have."""
    depth = max((component.bits for component in first.format.components), default=8)
    if color.hdr:
        kind = "PQ" if color.transfer == 16 else "HLG"
        yield f"The video is HDR ({kind}, {depth} bits): it is converted to BT.709 and 8 bits"
    elif depth > 8:
        yield f"The video has {depth} bits per color: it is converted to 8 bits"
    if is_transparent(stream, first):
        yield "The video has transparent parts: they become opaque"
    if first.interlaced_frame:
        yield "The video is interlaced: it is not deinterlaced"
    if first.rotation % 90 and -180 <= first.rotation <= 180:
        yield (
            f"The video is rotated by {first.rotation} degrees: {orientation.rotation} are applied"
        )

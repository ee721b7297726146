"""Read the properties of a video: size, rotation, pixel shape, clock, length and color."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from live_nst.conversion.video.input_file import find_video_stream, open_video, read_errors
from live_nst.errors import SourceError
from live_nst.runtime.pyav import fraction
from live_nst.types import Size
from live_nst.video.color import ColorTags, color_tags_of, is_rgb
from live_nst.video.geometry import Orientation, orientation_of, pixel_aspect_of, upright_size

if TYPE_CHECKING:
    from av.container import InputContainer

_CLOCK_STARTS_ANYWHERE = 0x200  # AVFMT_TS_DISCONT, which MPEG-TS has
_USUAL_RATES = (1, 240)
_MAX_PIXELS = 1 << 27
_MAX_PROBE_PACKETS = 2000


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
        origin: Seconds at which the file's clock begins: 0 except for MPEG-TS.
        begin: Seconds at which the video begins, by the file's clock.
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
    begin: Fraction
    duration: Fraction | None
    color: ColorTags
    codec: str
    notes: tuple[str, ...]


def probe(path: Path) -> VideoInfo:
    """Return the properties of a video file. The first frame is decoded for them.

    Raises:
        SourceError: The file cannot be read, contains no video, or is encrypted.
    """
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
        duration = _duration(container, stream, time_base)
        starts_anywhere = bool(container.format.flags & _CLOCK_STARTS_ANYWHERE)
        return VideoInfo(
            path=path,
            index=stream.index,
            size=size,
            stored=stored,
            orientation=orientation,
            aspect=aspect,
            time_base=time_base,
            rate=rate,
            frames=stream.frames or (round(duration * rate) if duration else 0),
            origin=Fraction((starts_anywhere and container.start_time) or 0, av.time_base),
            begin=Fraction(stream.start_time or 0) * time_base,
            duration=duration,
            color=color,
            codec=stream.codec_context.name,
            notes=tuple(_notes(stream, first, color, orientation)),
        )


def no_frames_error(info: VideoInfo) -> SourceError:
    """Return the error for a part of a video that contains no frame."""
    return SourceError(
        f"{info.path.name} has no frame between --start and --end", "choose other times"
    )


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
        return Fraction(container.duration, av.time_base)
    return None


def _has_alpha_layer(stream: av.VideoStream) -> bool:
    """Return whether a WebM says that the transparency of its frames is stored beside them."""
    return any(
        key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items()
    )


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
    has_alpha = any(component.is_alpha for component in first.format.components)
    # WebM stores the transparency of VP8 and VP9 beside the frames, where it is not decoded.
    if (has_alpha and not is_rgb(first)) or _has_alpha_layer(stream):
        yield "The video has transparent parts: they become opaque"
    if first.interlaced_frame:
        yield "The video is interlaced: it is not deinterlaced"
    if first.rotation % 90 and -180 <= first.rotation <= 180:
        yield (
            f"The video is rotated by {first.rotation} degrees: {orientation.rotation} are applied"
        )

"""What an input holds: its video, its other streams, and who it is."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from live_nst.conversion.video.color import ColorTags, color_tags_of, is_rgb, rotated_size
from live_nst.errors import SourceError
from live_nst.runtime.pyav import fraction, open_for_reading
from live_nst.types import Size

if TYPE_CHECKING:
    from av.container import InputContainer

_STARTS_ANYWHERE = 0x200  # AVFMT_TS_DISCONT: the clock of a broadcast begins where it likes
_SAMPLE = 1 << 20
_SAMPLES = 8
_USUAL_RATES = (1, 240)
_MOST_PIXELS = 1 << 27
_NO_VIDEO = {"tty", "image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe"}
_PREVIEW_PACKETS = 2000


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells an input from another, and from itself after a change.

    Attributes:
        size: Bytes.
        modified: Nanoseconds since 1970.
        digest: SHA-256 over samples of the content, head and tail among them.
    """

    size: int
    modified: int
    digest: str


def identify_file(path: Path) -> FileIdentity:
    """Who a file is; a few megabytes of it are read.

    Raises:
        SourceError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            last = max(0, status.st_size - _SAMPLE)
            for number in range(_SAMPLES):
                file.seek(last * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE))
    except OSError as exc:
        raise SourceError(
            f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}", "check the file"
        ) from exc
    return FileIdentity(status.st_size, status.st_mtime_ns, digest.hexdigest())


@dataclass(frozen=True)
class VideoInfo:
    """An input's video, as it is to be seen.

    Attributes:
        path: The file.
        index: The stream's position in the file.
        size: (width, height) of the frames, turned upright.
        stored: (width, height) as they are stored.
        turn: Degrees counterclockwise by which stored frames are turned upright.
        aspect: Shape of an upright pixel, width by height.
        time_base: Seconds per tick of the video's timestamps.
        rate: Frames per second, on average or by the file's own word.
        frames: How many there are; an estimate, or 0 where there is not even that.
        origin: Seconds at which the file's clock begins: 0 but for broadcasts.
        begin: Seconds at which the video begins, by the file's clock.
        duration: Seconds of the video; None if the file does not say.
        color: How its colors are written down.
        codec: FFmpeg's name of its codec.
        notes: Sentences about what is changed of it.
    """

    path: Path
    index: int
    size: Size
    stored: Size
    rotation: int
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
    """Look at an input, and decode its first frame.

    Raises:
        SourceError: It cannot be read, holds no video, or is encrypted.
    """
    with open_video(path) as container:
        stream = find_video_stream(container, path)
        with read_errors(path):
            first = _first_frame(container, stream, path)
        color = color_tags_of(first)
        size, aspect = rotated_size(
            (first.width, first.height),
            _aspect(fraction(stream.sample_aspect_ratio)),
            first.rotation,
        )
        if size[0] * size[1] > _MOST_PIXELS:
            raise SourceError(
                f"{path.name} has frames of {size[0]}x{size[1]} pixels", "choose a smaller video"
            )
        rate = _rate(stream)
        time_base = fraction(stream.time_base) or 1 / rate
        begin = Fraction(stream.start_time or 0) * time_base
        duration = _duration(container, stream, time_base)
        shifts = bool(container.format.flags & _STARTS_ANYWHERE)
        frames = stream.frames or (round(duration * rate) if duration else 0)
        return VideoInfo(
            path=path,
            index=stream.index,
            size=size,
            stored=(first.width, first.height),
            rotation=_quarter_turns(first.rotation),
            aspect=aspect,
            time_base=time_base,
            rate=rate,
            frames=frames,
            origin=Fraction(container.start_time or 0, av.time_base) if shifts else Fraction(0),
            begin=begin,
            duration=duration,
            color=color,
            codec=stream.codec_context.name,
            notes=tuple(_notes(first, color)),
        )


@contextmanager
def open_video(path: Path) -> "Iterator[InputContainer]":
    """Open a file for reading.

    Raises:
        SourceError: There is none, or it is no video.
    """
    check_input_file(path)
    with (
        read_errors(path),
        open_for_reading(os.path.abspath(path)) as container,
    ):
        if container.format.name in _NO_VIDEO:  # FFmpeg draws any text as a picture
            raise SourceError(f"{path.name} is no video", "choose a video file")
        yield container


def check_input_file(path: Path) -> None:
    """Refuse what cannot be a video.

    Raises:
        SourceError: There is no such file, or it is a folder, or empty.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as exc:
        raise SourceError(f"there is no file {path}", "check its name and folder") from exc
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{path} is a folder", "name a video file in it")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is no file", "a conversion reads it more than once")
    if status.st_size == 0:
        raise SourceError(f"{path} is empty", "choose a video file")


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Translate FFmpeg's errors about a file."""
    try:
        yield
    except (av.error.FFmpegError, MemoryError) as exc:
        if isinstance(exc, av.error.PermissionError):
            raise SourceError(f"{path.name} may not be read", "check its permissions") from exc
        raise SourceError(
            f"{path.name} cannot be read as a video: it is none, or a broken one",
            "choose another file; a download may have been cut off",
        ) from exc


def find_video_stream(container: "InputContainer", path: Path) -> av.VideoStream:
    """The stream to paint: the first that is not the cover picture of a song.

    Raises:
        SourceError: There is none.
    """
    for stream in container.streams.video:
        if not is_cover_art(stream):
            if stream.codec_context is None:
                raise SourceError(
                    f"the video in {path.name} is in a format that is not known", "convert it first"
                )
            return stream
    raise SourceError(f"{path.name} holds no video", "choose a file with moving pictures")


def is_cover_art(stream: av.stream.Stream) -> bool:
    """Whether a video stream is but a picture that goes with the file."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _first_frame(container: "InputContainer", stream: av.VideoStream, path: Path) -> av.VideoFrame:
    """Decode until a frame appears.

    Raises:
        SourceError: None does, or what there is is encrypted.
    """
    stream.thread_type = "SLICE"  # frame by frame: the first comes without delay
    for number, packet in enumerate(container.demux(stream)):
        if packet.has_sidedata("encryption_info"):
            raise SourceError(f"{path.name} is encrypted", "only films without DRM can be painted")
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            frames = []
        if frames:
            return frames[0]
        if number > _PREVIEW_PACKETS:
            break
    raise SourceError(f"{path.name} holds no whole frame", "the file may be cut off or damaged")


def _aspect(aspect: Fraction | None) -> Fraction:
    """The shape of a stored pixel; square where it is not told or cannot be meant."""
    if not aspect or not Fraction(1, 100) < aspect < 100:
        return Fraction(1)
    return aspect.limit_denominator(4096)


def _rate(stream: av.VideoStream) -> Fraction:
    for told in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        rate = fraction(told)
        if rate and _USUAL_RATES[0] <= rate <= _USUAL_RATES[1]:
            return rate.limit_denominator(1001)
    return Fraction(25)


def _duration(
    container: "InputContainer", stream: av.VideoStream, time_base: Fraction
) -> Fraction | None:
    if stream.duration and stream.duration > 0:
        return stream.duration * time_base
    if container.duration and container.duration > 0:
        return Fraction(container.duration, av.time_base)
    return None


def _quarter_turns(degrees: int) -> int:
    """The multiple of 90 degrees that is meant."""
    return 90 * round(degrees / 90) % 360


def _notes(first: av.VideoFrame, color: ColorTags) -> Iterator[str]:
    """What of the pictures is not as it was."""
    depth = max((component.bits for component in first.format.components), default=8)
    if color.hdr:
        kind = "PQ" if color.transfer == 16 else "HLG"
        yield f"The video is HDR ({kind}, {depth} bits): it is brought to BT.709 and 8 bits"
    elif depth > 8:
        yield f"The video has {depth} bits per color: it is brought to 8 bits"
    if any(component.is_alpha for component in first.format.components) and not is_rgb(first):
        yield "The video has transparent parts: they become opaque"
    if first.interlaced_frame:
        yield "The video is interlaced: its lines are painted as they are"
    if first.rotation % 90:
        yield (
            f"The video is turned by {first.rotation} degrees: {_quarter_turns(first.rotation)}"
            " are applied"
        )

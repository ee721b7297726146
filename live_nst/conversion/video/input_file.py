"""Open a video file, find its video stream, and recognize the file after an interruption."""

import hashlib
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from live_nst.errors import SourceError
from live_nst.files.formats import IMAGE_SUFFIXES
from live_nst.runtime.pyav import open_for_reading

if TYPE_CHECKING:
    from av.container import InputContainer

_SAMPLE_BYTES = 1 << 20
_SAMPLES = 8
# Formats of FFmpeg's that are no video. "tty" draws any text file as a picture.
_NO_VIDEO = {"tty", "image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe"}


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Identifies a file and its content: a changed file has another identity.

    Attributes:
        size: Size in bytes.
        modified: Time of the last change, in nanoseconds since 1970.
        digest: SHA-256 of samples of the content, its head and tail among them.
    """

    size: int
    modified: int
    digest: str


def identify_file(path: Path) -> FileIdentity:
    """Return the identity of a file. At most 8 MB of it are read.

    Raises:
        SourceError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            last = max(0, status.st_size - _SAMPLE_BYTES)
            for number in range(_SAMPLES):
                file.seek(last * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    except OSError as exc:
        raise SourceError(
            f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}", "check the file"
        ) from exc
    return FileIdentity(status.st_size, status.st_mtime_ns, digest.hexdigest())


@contextmanager
def open_video(path: Path) -> "Iterator[InputContainer]":
    """Open a video file for reading; errors in the `with` block are translated, too.

    Raises:
        SourceError: The file is missing, empty, or no video.
    """
    check_input_file(path)
    with read_errors(path), _open(path) as container:
        if container.format.name in _NO_VIDEO:
            raise SourceError(f"{path.name} is no video", "choose a video file")
        yield container


def _open(path: Path) -> "InputContainer":
    container = open_for_reading(path)
    is_photo = path.suffix.lower() in IMAGE_SUFFIXES  # some contain several JPEG images
    if container.format.name != "jpeg_pipe" or is_photo or _packets(container) < 2:
        return container
    # JPEG images one after the other, as cameras send them. FFmpeg recognizes only an image.
    container.close()
    return open_for_reading(path, format="mjpeg")


def _packets(container: "InputContainer") -> int:
    """Return the number of packets, at most 2. They are lost for whoever reads further."""
    return sum(1 for packet in itertools.islice(container.demux(), 2) if packet.size)


def check_input_file(path: Path) -> None:
    """Raise if a path cannot be a video file.

    Raises:
        SourceError: The file is missing, empty, a folder, or a device or pipe.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as exc:
        raise SourceError(f"there is no file {path}", "check its name and folder") from exc
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{path} is a folder", "name a video file in it")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is not a regular file", "a conversion reads it more than once")
    if status.st_size == 0:
        raise SourceError(f"{path} is empty", "choose a video file")


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Translate FFmpeg's errors of reading `path` into `SourceError`."""
    try:
        yield
    except (av.error.FFmpegError, MemoryError) as exc:
        # FFmpeg's demuxers raise PermissionError for damaged files as well.
        if isinstance(exc, av.error.PermissionError) and not os.access(path, os.R_OK):
            raise SourceError(f"{path.name} may not be read", "check its permissions") from exc
        raise SourceError(
            f"{path.name} cannot be read as a video: it is none, or it is damaged",
            "choose another file; a download may be incomplete",
        ) from exc


def find_video_stream(container: "InputContainer", path: Path) -> av.VideoStream:
    """Return the stream to stylize: the first one that is not cover art.

    Raises:
        SourceError: There is no such stream, or its codec is unknown.
    """
    for stream in container.streams.video:
        if not is_cover_art(stream):
            if stream.codec_context is None:
                raise SourceError(
                    f"the video in {path.name} has an unknown format", "convert it first"
                )
            return stream
    raise SourceError(f"{path.name} contains no video", "choose a video file")


def is_cover_art(stream: av.stream.Stream) -> bool:
    """Return whether a video stream is a single picture that belongs to the file."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)

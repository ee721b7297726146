"""Stylized frames in a video file."""

import errno
import io
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Colorspace

from live_nst.errors import RecordingError, UsageError
from live_nst.runtime.pyav import open_for_reading, open_for_writing
from live_nst.sinks.geometry import letterbox, pad_to_even
from live_nst.types import Closeable, Frame, Image

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FRAGMENTED = {"movflags": "hybrid_fragmented+frag_keyframe"}
MUXERS = {".mp4": ("mp4", FRAGMENTED), ".mov": ("mov", FRAGMENTED), ".mkv": ("matroska", {})}
"""FFmpeg's name and options of what each suffix stands for."""
COMMENT = "Recorded by live-nst"
TICKS = 90_000
"""Units of time per second: a multiple of all usual frame rates."""
KEYFRAME_SECONDS = 2.0
"""A player seeks to within this; a killed recording loses this and what the encoder holds."""
LONGEST_LAST_FRAME = 1.0
BT709 = 1
"""Primaries and transfer function of ITU-T H.273, as FFmpeg numbers them."""
ENCODER_OPTIONS = {
    "preset": "veryfast",
    "crf": "20",
    # Without B-frames a killed file has the same times as a finished one.
    "bf": "0",
    # Keyframes come by time and not by count, as frames come at any rate.
    "g": "1000000",
    "sc_threshold": "0",
    "forced-idr": "1",
}


class Recorder(Closeable):
    """A recording in H.264: a sink that writes each frame once, at its own time.

    The frame rate is variable: a frame lasts until the next one, however long that takes. The
    first frame is at 0 and gives the size; odd sides get their last row or column repeated. Later
    frames of another size are scaled into the first one's, in proportion, on black.

    MP4 and MOV are written in fragments and turned into an ordinary file at the end, so a
    recording whose process dies plays up to its last fragment.

    Nothing is created before the first frame. An earlier recording of ours at `path` is set aside
    under a numbered name, which `notice` tells; any other file there is an error.

    Args:
        path: A file ending in .mp4, .mov or .mkv.
        fps_hint: Frames per second that may be expected; rate control starts from it.

    Raises:
        UsageError: The suffix names no format that is written here.
        RecordingError: Nothing can be written at `path`, or what is there is not ours.
    """

    def __init__(self, path: Path | str, fps_hint: float = 30.0) -> None:
        self._path = Path(path)
        self._fps_hint = fps_hint
        self.name = f"recording {self._path}"
        self.rate: float | None = None
        self.notice = ""
        self._writer: _Writer | None = None
        self._closed = False
        _check_place(self._path)
        self._set_aside = _set_aside(self._path)
        if self._set_aside:
            self.notice = f"the recording that was at {self._path} is now {self._set_aside}"

    @property
    def path(self) -> Path:
        """The file that is written."""
        return self._path

    def write(self, frame: Frame) -> None:
        """Append one frame.

        Raises:
            RecordingError: It cannot be written; what was written before stays playable.
        """
        if self._closed:
            raise RecordingError(f"the recording {self._path} is closed")
        if self._writer is None:
            self._writer = _Writer(self._path, pad_to_even(frame.image), self._fps_hint)
        self._writer.write(frame)

    def close(self) -> None:
        """Finish the file. Calling it again does nothing.

        Without a frame there is no file, and an earlier recording gets its name back.

        Raises:
            RecordingError: The end could not be written; the file plays up to there.
        """
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            self._writer.close()
        elif self._set_aside is not None and not self._path.exists():
            self._set_aside.rename(self._path)
            self.notice = ""


class _File(io.FileIO):
    """A file that FFmpeg writes to, opened by us.

    Those that FFmpeg opens stay open when they cannot be written, and keep up to 256 KiB back
    that a killed process would lose.
    """

    def write(self, data: "ReadableBuffer") -> int:
        """Write all of it: a disk that is nearly full takes a part and does not complain."""
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += super().write(view[done:])
        return done


class _Writer:
    """An open file and its encoder.

    Args:
        path: A file that does not exist yet.
        first: The first picture, whose even size is the file's.
        fps_hint: Expected frames per second.
    """

    def __init__(self, path: Path, first: Image, fps_hint: float) -> None:
        self._path = path
        self._size = first.shape[1], first.shape[0]
        self._start: float | None = None
        self._last_pts = -1
        self._step = round(TICKS / fps_hint)
        self._last_keyframe = 0
        self._broken = False
        self._whole_bytes = 0  # the length of the file without a half-written fragment
        try:
            self._file = _File(path, "x")
        except OSError as exc:
            raise _write_error(path, exc) from exc
        muxer, options = MUXERS[path.suffix.lower()]
        self._container = open_for_writing(self._file, format=muxer, options=options)
        self._container.metadata["comment"] = COMMENT
        self._stream = self._container.add_stream(
            "libx264", rate=Fraction(fps_hint).limit_denominator(1001), options=ENCODER_OPTIONS
        )
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, TICKS)
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = BT709
        context.color_trc = BT709

    def write(self, frame: Frame) -> None:
        picture = av.VideoFrame.from_ndarray(
            letterbox(pad_to_even(frame.image), self._size), format="bgr24"
        )
        picture = picture.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        picture.time_base = Fraction(1, TICKS)
        picture.pts = self._next_pts(frame.time)
        if picture.pts == 0 or picture.pts - self._last_keyframe >= KEYFRAME_SECONDS * TICKS:
            picture.pict_type = av.video.frame.PictureType.I
            self._last_keyframe = picture.pts
        self._encode(picture)

    def close(self) -> None:
        """Write the encoder's last frames and the file's end, as far as that can be."""
        try:
            if not self._broken:
                self._encode(None)
        finally:
            self._finish()

    def _next_pts(self, time: float) -> int:
        """Ticks since the first frame; always later than the frame before."""
        if self._start is None:
            self._start = time
        pts = max(round((time - self._start) * TICKS), self._last_pts + 1)
        if self._last_pts >= 0:
            self._step = pts - self._last_pts
        self._last_pts = pts
        return pts

    def _encode(self, picture: av.VideoFrame | None) -> None:
        try:
            self._mux(self._stream.encode(picture))
        except (OSError, av.FFmpegError) as exc:
            self._broken = True
            raise _write_error(self._path, exc) from exc

    def _mux(self, packets: "Iterable[av.Packet[av.VideoStream]]") -> None:
        for packet in packets:
            if packet.pts == self._last_pts:
                # Nothing follows that would end the last frame: it lasts as long as the one before.
                packet.duration = min(self._step, round(LONGEST_LAST_FRAME * TICKS))
            self._container.mux(packet)
            self._whole_bytes = os.fstat(self._file.fileno()).st_size

    def _finish(self) -> None:
        """Write the file's end; after a failed write, cut the file to what is whole."""
        was_broken = self._broken
        try:
            self._container.close()
        except (OSError, av.FFmpegError) as exc:
            # FFmpeg writes nothing after a failed write, so the fragments are as they were.
            self._broken = True
            if not was_broken:
                raise _write_error(self._path, exc) from exc
        finally:
            if self._broken:
                self._file.truncate(self._whole_bytes)
            self._file.close()
            if self._broken and not self._whole_bytes:
                self._path.unlink()


def _check_place(path: Path) -> None:
    """Raise unless a recording can be made at `path`; touch nothing."""
    if path.is_dir():
        raise RecordingError(
            f"{path} is a folder", f"name a file in it, such as {path / 'live.mp4'}"
        )
    if path.suffix.lower() not in MUXERS:
        suffixes = list(MUXERS)
        raise UsageError(
            f"the wrong suffix: a recording cannot be written to '{path.name}'",
            f"let the name end in {', '.join(suffixes[:-1])} or {suffixes[-1]}",
        )
    if not path.parent.is_dir():
        raise RecordingError(
            f"there is no folder {path.parent}",
            f'make it with `mkdir -p "{path.parent}"`, or record somewhere else',
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise RecordingError(
            f"nothing can be written into the folder {path.parent}", "record somewhere else"
        )


def _set_aside(path: Path) -> Path | None:
    """Rename an earlier recording of ours; return its new name, or None if nothing was there."""
    if not path.exists():
        return None
    if not _is_ours(path):
        raise RecordingError(
            f"{path} exists and was not recorded by live-nst", "choose another name, or remove it"
        )
    try:
        free = _reserve(path)
        os.replace(path, free)
    except OSError as exc:
        raise RecordingError(
            f"the earlier recording {path} cannot be renamed: {exc.strerror}",
            "choose another name, or remove it",
        ) from exc
    return free


def _reserve(path: Path) -> Path:
    """Create the first of name-1, name-2, ... that is free, as an empty file."""
    number = 1
    while True:
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            free.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return free


def _is_ours(path: Path) -> bool:
    """Whether the file says that we recorded it."""
    try:
        with open_for_reading(str(path)) as container:
            metadata = container.metadata
    except (OSError, av.FFmpegError):
        return False
    # Matroska returns its keys in capitals.
    return COMMENT in (value for key, value in metadata.items() if key.lower() == "comment")


def _write_error(path: Path, exc: OSError | av.FFmpegError) -> RecordingError:
    if exc.errno == errno.ENOSPC:
        return RecordingError(
            f"the disk is full: the recording {path} ends here",
            "make room, or record to another disk",
        )
    if exc.errno == errno.EFBIG:
        return RecordingError(
            f"the recording {path} ends here: it is as large as a file may be",
            "record to another disk, or raise the limit that `ulimit -f` shows",
        )
    if exc.errno == errno.EEXIST:
        return RecordingError(f"{path} has appeared meanwhile", "choose another name")
    return RecordingError(f"the recording {path} cannot be written: {exc.strerror}")

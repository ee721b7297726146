"""Record stylized frames to a video file."""

import errno
import io
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from live_nst.errors import LiveNstError, RecordingError
from live_nst.files.output import check_output, write_error
from live_nst.runtime.pyav import open_for_writing
from live_nst.sinks.earlier_recording import COMMENT, rename_earlier
from live_nst.sinks.geometry import letterbox, pad_to_even
from live_nst.sinks.sound import (
    PACKET_SAMPLES,
    SAMPLE_RATE,
    SoundReader,
    SoundTrack,
    add_sound_stream,
)
from live_nst.types import Closeable, Frame, Image
from live_nst.video.color import BT709, LIMITED, ColorTags, FromBgr

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FRAGMENTED = {"movflags": "hybrid_fragmented+frag_keyframe"}
MUXERS = {".mp4": ("mp4", FRAGMENTED), ".mov": ("mov", FRAGMENTED), ".mkv": ("matroska", {})}
"""Name and options of FFmpeg's muxer for each suffix."""
TICKS_PER_SECOND = 90_000
"""Time base: a multiple of all usual frame rates."""
KEYFRAME_SECONDS = 2.0
"""Between keyframes. A killed recording loses at most this and what the encoder holds."""
MAX_LAST_FRAME_SECONDS = 1.0
"""No frame follows the last one that would end it."""
COLOR = ColorTags(BT709, LIMITED, BT709, BT709)
ENCODER_OPTIONS = {
    "preset": "veryfast",
    "crf": "20",
    # Without B-frames, a killed file has the same times as a finished one.
    "bf": "0",
    # Keyframes are set by time and not by count, as frames come at any rate.
    "g": "1000000",
    "sc_threshold": "0",
    "forced-idr": "1",
}


class Recorder(Closeable):
    """A sink that records H.264: each frame once, at its own time.

    The frame rate is variable: a frame lasts until the next one. The first frame has time 0 and
    gives the size; an odd side is padded with its last row or column. Later frames of another size
    are scaled to fit, with black bars.

    MP4 and MOV are written in fragments and converted to ordinary files at the end. A recording
    whose process was killed plays up to its last fragment.

    No file is created before the first frame. An earlier recording at `path` is renamed to a
    numbered name; any other file there is an error.

    Args:
        path: A file that ends in .mp4, .mov or .mkv.
        fps_hint: Expected frames per second, for the rate control of the encoder.
        sound: Its sound; None for a recording without a sound track.

    Attributes:
        notice: What the user should know after the opening; empty if nothing.

    Raises:
        UsageError: The suffix is not one of these.
        RecordingError: Nothing can be written at `path`, or another file is there.
    """

    def __init__(
        self, path: Path | str, fps_hint: float = 30.0, *, sound: SoundTrack | None = None
    ) -> None:
        self._path = Path(path)
        self._fps_hint = fps_hint
        self._sound = sound
        self.name = f"recording {self._path}"
        self.rate: float | None = None
        self.notice = ""
        self._writer: _Writer | None = None
        self._closed = False
        check_output(self._path, kind="a recording", suffixes=tuple(MUXERS), error=RecordingError)
        self._renamed = rename_earlier(self._path)  # the earlier recording
        if self._renamed:
            self.notice = f"the recording that was at {self._path} is now {self._renamed}"

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, frame: Frame) -> None:
        """Append one frame.

        Raises:
            RecordingError: It cannot be written. What was written before can be played.
        """
        if self._closed:
            raise RecordingError(f"the recording {self._path} is closed")
        if self._writer is None:
            sound = None if self._sound is None else SoundReader(self._sound, frame.time)
            self._writer = _Writer(self._path, pad_to_even(frame.image), self._fps_hint, sound)
        self._writer.write(frame)

    def close(self) -> None:
        """Finish the file. Calling it again does nothing.

        If there was no frame, there is no file, and an earlier recording gets its name back.

        Raises:
            RecordingError: The end cannot be written. The file can be played up to there.
        """
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            self._writer.close()
        elif self._renamed is not None and not self._path.exists():
            self._renamed.rename(self._path)
            self.notice = ""


class _UnbufferedFile(io.FileIO):
    """A file for FFmpeg to write to.

    FFmpeg's own files stay open when they cannot be written, and buffer up to 256 KiB that a killed
    process would lose.
    """

    def write(self, data: "ReadableBuffer") -> int:
        """Write all of the data. A disk that is nearly full takes only a part, without an error."""
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += super().write(view[done:])
        return done


class _Writer:
    """An open file and its encoder.

    Args:
        path: A file that does not exist yet.
        first: The first image; its size, which must be even, is that of the file.
        fps_hint: Expected frames per second.
        sound: Gives the sound; None for no sound track.
    """

    def __init__(
        self, path: Path, first: Image, fps_hint: float, sound: SoundReader | None
    ) -> None:
        self._path = path
        self._size = first.shape[1], first.shape[0]
        self._start: float | None = None
        self._last_pts = -1
        self._step = round(TICKS_PER_SECOND / fps_hint)
        self._last_keyframe = 0
        self._broken = False
        self._complete_bytes = 0  # length of the file without an incomplete fragment
        try:
            self._file = _UnbufferedFile(path, "x")
        except OSError as exc:
            raise _recording_error(path, exc) from exc
        muxer, options = MUXERS[path.suffix.lower()]
        self._container = open_for_writing(self._file, format=muxer, options=options)
        self._container.metadata["comment"] = COMMENT
        self._stream = self._container.add_stream(
            "libx264", rate=Fraction(fps_hint).limit_denominator(1001), options=ENCODER_OPTIONS
        )
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, TICKS_PER_SECOND)
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS_PER_SECOND)
        context.colorspace, context.color_range = COLOR.matrix, COLOR.range
        context.color_primaries, context.color_trc = COLOR.primaries, COLOR.transfer
        self._from_bgr = FromBgr("yuv420p", COLOR)
        self._sound = sound
        if sound is not None:
            self._sound_stream = add_sound_stream(self._container)
            self._last_sound_pts = -1

    def write(self, frame: Frame) -> None:
        video_frame = self._from_bgr(letterbox(pad_to_even(frame.image), self._size))
        video_frame.time_base = Fraction(1, TICKS_PER_SECOND)
        video_frame.pts = self._next_pts(frame.time)
        since_keyframe = (video_frame.pts - self._last_keyframe) / TICKS_PER_SECOND
        if video_frame.pts == 0 or since_keyframe >= KEYFRAME_SECONDS:
            video_frame.pict_type = av.video.frame.PictureType.I
            self._last_keyframe = video_frame.pts
        self._encode(video_frame)
        self._write_sound(frame.time)

    def close(self) -> None:
        """Write the last frames of the encoder and the end of the file, as far as possible."""
        try:
            if not self._broken:
                self._encode(None)
                if self._start is not None:
                    end = self._start + (self._last_pts + self._step) / TICKS_PER_SECOND
                    self._write_sound(end, last=True)
        finally:
            self._finish()

    def _next_pts(self, time: float) -> int:
        """Return the ticks since the first frame; always more than for the frame before."""
        if self._start is None:
            self._start = time
        pts = max(round((time - self._start) * TICKS_PER_SECOND), self._last_pts + 1)
        if self._last_pts >= 0:
            self._step = pts - self._last_pts
        self._last_pts = pts
        return pts

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            self._mux(self._stream.encode(frame))
        except (OSError, av.FFmpegError) as exc:
            self._broken = True
            raise _recording_error(self._path, exc) from exc

    def _write_sound(self, until: float, *, last: bool = False) -> None:
        """Write the sound up to a time; packets of the encoder may come later than pictures."""
        if self._sound is None or self._start is None:
            return
        packets = []
        for each in self._sound.read(until, last=last):
            packet = av.Packet(each.data)
            packet.stream, packet.time_base = self._sound_stream, Fraction(1, SAMPLE_RATE)
            pts = max(round((each.time - self._start) * SAMPLE_RATE), self._last_sound_pts + 1)
            packet.pts = packet.dts = self._last_sound_pts = pts
            packet.duration = PACKET_SAMPLES
            packets.append(packet)
        try:
            self._mux(packets)
        except (OSError, av.FFmpegError) as exc:
            self._broken = True
            raise _recording_error(self._path, exc) from exc

    def _mux(self, packets: "Iterable[av.Packet[Any]]") -> None:
        for packet in packets:
            if packet.stream is self._stream and packet.pts == self._last_pts:
                # The last frame lasts as long as the one before.
                packet.duration = min(self._step, round(MAX_LAST_FRAME_SECONDS * TICKS_PER_SECOND))
            self._container.mux(packet)
            self._complete_bytes = os.fstat(self._file.fileno()).st_size

    def _finish(self) -> None:
        """Write the end of the file; after a failed write, cut off what is incomplete."""
        was_broken = self._broken
        try:
            self._container.close()
        except (OSError, av.FFmpegError) as exc:
            # FFmpeg wrote nothing after the failed write, so the fragments are intact.
            self._broken = True
            if not was_broken:
                raise _recording_error(self._path, exc) from exc
        finally:
            if self._broken:
                self._file.truncate(self._complete_bytes)
            self._file.close()
            if self._broken and not self._complete_bytes:
                self._path.unlink()


def _recording_error(path: Path, exc: OSError | av.FFmpegError) -> LiveNstError:
    if exc.errno == errno.EEXIST:
        return RecordingError(f"{path} was created by another program", "choose another name")
    return write_error(path, exc, error=RecordingError, retry="record again")

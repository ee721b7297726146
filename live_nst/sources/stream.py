"""A video file or a network stream as a source, through PyAV (FFmpeg)."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import av
import av.error

from live_nst.errors import SourceError, SourceLostError
from live_nst.files.secrets import hide_login
from live_nst.runtime.pyav import fraction, open_for_reading
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo
from live_nst.sources.playback import PlaybackClock, SteadyPositions
from live_nst.types import Closeable, Frame
from live_nst.video.display import ToDisplay
from live_nst.video.timestamps import BestEffortTimestamps
from live_nst.video.transparency import is_transparent

if TYPE_CHECKING:
    from av.container import InputContainer

_NETWORK_OPTIONS = {
    "rtsp_transport": "tcp",  # UDP loses packets, and home routers block it
    "flags": "low_delay",
    "analyzeduration": "1000000",  # microseconds; the first frame shows size and rate
    "fpsprobesize": "0",
}

_LIVE_OPTIONS = _NETWORK_OPTIONS | {"fflags": "nobuffer"}
"""For protocols that are always live. "nobuffer" drops the data that FFmpeg read to detect the
format. Behind http that may be the beginning of a video file."""

_SEGMENTED = {"hls", "dash"}
"""Formats that deliver several seconds at once, and so need playback timing although live."""

_CLOCK_MAY_JUMP = 0x200  # AVFMT_TS_DISCONT, a flag of formats such as MPEG-TS


class StreamSource(Closeable):
    """Frames of a video file at its own speed, or of a network stream as they arrive.

    A video of known length (a file, also behind http) plays in real time by its timestamps. Late
    frames are skipped, and `Frame.index` jumps over them. A stream without a known length (a camera
    behind rtsp, http or mpegts) is passed on as it arrives.

    Args:
        url: `rtsp://`, `http(s)://`, `udp://`, `tcp://` or another URL that FFmpeg knows; a
            path; or a `file://` URL.
        clock: Times the playback and the frames.
        timeout: Seconds without data after which a network stream counts as lost.

    Raises:
        SourceError: It cannot be opened or has no video.
    """

    def __init__(self, url: str, clock: Clock | None = None, timeout: float = 5.0) -> None:
        self._clock = clock or SystemClock()
        self._timeout = timeout
        self._network = "://" in url and not url.startswith("file://")
        self._name = hide_login(url) if self._network else _local_path(url).name
        target = url if self._network else _checked(_local_path(url))
        self._container = _open(target, self._name, timeout if self._network else None)
        with contextlib.ExitStack() as on_error:
            on_error.callback(self.close)
            self._stream = self._find_video()
            self._endless = self._network and not self._container.duration
            timed = not self._endless or self._container.format.name in _SEGMENTED
            self._playback = PlaybackClock(self._clock) if timed else None
            self._timestamps = BestEffortTimestamps()
            self._positions = self._new_positions()
            self._to_display = ToDisplay(self._stream)
            self._index = -1
            self._decoded = self._decode()
            self._first: av.VideoFrame | None = self._open_first()
            self._info = self._describe(self._first)
            on_error.pop_all()

    @property
    def info(self) -> SourceInfo:
        """Size of the first frame, the nominal rate, and as `detail` the codec and what is lost."""
        return self._info

    def read(self) -> Frame | None:
        """Wait until the next frame is due and return it; None after the last one of a file.

        Raises:
            SourceLostError: The stream ended or has been silent for too long.
            SourceError: The file is damaged; opening it again does not help.
        """
        while (decoded := self._next()) is not None:
            arrival = self._clock.now()
            self._index += 1
            if self._playback is None:
                return Frame(self._to_display(decoded), self._index, arrival)
            if self._playback.wait_for(self._position_of(decoded)):
                return Frame(self._to_display(decoded), self._index, self._clock.now())
        return None

    def close(self) -> None:
        """Close the file or connection. Calling it again does nothing."""
        self._container.close()

    def _find_video(self) -> av.VideoStream:
        """Return the first video stream; the cover art of a song is none."""
        for stream in self._container.streams.video:
            if not stream.disposition & av.stream.Disposition.attached_pic:
                # One thread per frame would delay live frames.
                stream.thread_type = "SLICE" if self._network else "AUTO"
                return stream
        raise SourceError(f"{self._name} holds no video", "choose a file or stream with video")

    def _new_positions(self) -> SteadyPositions:
        """Return the positions of the frames, from the properties of the file."""
        rate = fraction(self._stream.average_rate)
        jumps_ahead = bool(self._container.format.flags & _CLOCK_MAY_JUMP)
        return SteadyPositions(min(1.0, float(1 / rate)) if rate else 0.04, jumps_ahead=jumps_ahead)

    def _position_of(self, decoded: av.VideoFrame) -> float:
        """Return when a frame is due, in seconds; call it for each frame, in order."""
        timestamp, time_base = self._timestamps.next(decoded), fraction(decoded.time_base)
        if timestamp is None or time_base is None:
            return self._positions.next(None)
        return self._positions.next(float(timestamp * time_base))

    def _describe(self, first: av.VideoFrame) -> SourceInfo:
        """Return the stream's own description, and the size of its first frame."""
        height, width = self._to_display(first).shape[:2]
        rate = float(fraction(self._stream.average_rate) or 0)
        detail = self._stream.codec_context.name
        if is_transparent(self._stream, first):
            detail += ", transparent parts become opaque"
        return SourceInfo(
            self._name, width, height, rate, detail, paused_until_read=not self._endless
        )

    def _open_first(self) -> av.VideoFrame:
        """Decode the first frame, so that opening fails if there is none."""
        first = next(self._decoded, None)
        if first is None:
            raise SourceError(
                f"{self._name} has no complete frame", "the file may be incomplete or damaged"
            )
        return first

    def _next(self) -> av.VideoFrame | None:
        """Return the next decoded frame, or None at the end."""
        first, self._first = self._first, None
        return first or next(self._decoded, None)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Yield every frame that can be decoded, until the end.

        Raises:
            SourceLostError: A live stream ended, failed, or had no frame for too long.
            SourceError: A file is damaged; opening it again does not help.
        """
        deadline = self._clock.now() + self._timeout
        try:
            for packet in self._container.demux():
                if self._endless and self._clock.now() > deadline:
                    raise SourceLostError(
                        f"{self._name} sent no frame for {self._timeout:g} s",
                        "check the camera and the network",
                    )
                if packet.stream is not self._stream:
                    continue
                for decoded in _decode_packet(packet):
                    yield decoded
                    deadline = self._clock.now() + self._timeout
        except av.error.FFmpegError as exc:
            message = f"{self._name} cannot be read further: {_reason(exc)}"
            if self._network:
                raise SourceLostError(message, "check the camera and the network") from exc
            raise SourceError(message, "the file is damaged") from exc
        if self._endless:
            raise SourceLostError(f"{self._name} ended", "check whether it is still sent")


def _open(target: str, name: str, timeout: float | None) -> "InputContainer":
    """Open a file, or with a `timeout` in seconds a network stream.

    Raises:
        SourceError: It cannot be opened.
    """
    options: dict[str, str] = {}
    if timeout:
        options = _NETWORK_OPTIONS if target.startswith("http") else _LIVE_OPTIONS
    try:
        container = open_for_reading(target, options=dict(options), timeout=timeout)
    except av.error.FFmpegError as exc:
        raise SourceError(f"{name} cannot be opened: {_reason(exc)}", _advice(exc)) from exc
    # FFmpeg reads any text file as the video of a terminal.
    if container.format.name == "tty":
        container.close()
        raise SourceError(f"{name} cannot be opened: it is no video", "choose a video file")
    return container


def _decode_packet(packet: "av.Packet[Any]") -> list[av.VideoFrame]:
    """Return the frames that `packet` completes; none if it is damaged or lacks its key frame."""
    try:
        return [item for item in packet.decode() if isinstance(item, av.VideoFrame)]
    except av.error.FFmpegError:  # decoders report damage in many ways
        return []


def _local_path(url: str) -> Path:
    """Return the path that a path or a `file://` URL names."""
    return Path(url2pathname(urlsplit(url).path) if url.startswith("file://") else url)


def _checked(path: Path) -> str:
    """Return the absolute path, which FFmpeg cannot take for a URL.

    Raises:
        SourceError: The file is missing, empty, or a folder.
    """
    try:
        status = path.stat()
    except OSError as exc:
        raise SourceError(f"there is no file {path}", "check its name and folder") from exc
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{path} is a folder", "name a video file in it")
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise SourceError(f"{path} is empty", "choose a video file")
    return os.path.abspath(path)


def _reason(exc: av.error.FFmpegError) -> str:
    """Return the cause in a few words."""
    for kind, reason in _REASONS:
        if isinstance(exc, kind):
            return reason
    return (exc.strerror or "unknown error").lower()


def _advice(exc: av.error.FFmpegError) -> str:
    """Return the hint for a stream or file that cannot be opened."""
    if isinstance(exc, (av.error.InvalidDataError, av.error.EOFError)):
        return "choose another file or address; a download may have been cut off"
    if isinstance(exc, av.error.ProtocolNotFoundError):
        return "use rtsp://, http://, https://, tcp:// or udp://"
    if isinstance(exc, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return "put user and password into the address: rtsp://user:password@host/path"
    if isinstance(exc, av.error.PermissionError):
        return "check the permissions of the file"
    return "check the address, the network, and whether the camera is on"


_REASONS: tuple[tuple[type[av.error.FFmpegError], str], ...] = (
    (av.error.ConnectionRefusedError, "nothing answers at that address"),
    (av.error.ExitError, "no answer in time"),
    (av.error.TimeoutError, "no answer in time"),
    (av.error.InvalidDataError, "it is no video, or a broken one"),
    (av.error.EOFError, "it is cut off"),
    (av.error.ProtocolNotFoundError, "that kind of address is not known"),
    (av.error.HTTPUnauthorizedError, "it asks for a password"),
    (av.error.HTTPForbiddenError, "access is denied"),
    (av.error.HTTPNotFoundError, "the server has no such page"),
    (av.error.PermissionError, "permission denied"),
)

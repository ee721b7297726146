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
import cv2

from live_nst.errors import SourceError, SourceLostError
from live_nst.runtime.pyav import open_for_reading
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo
from live_nst.types import Closeable, Frame, Image

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

_ROTATIONS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


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
        self._name = _without_password(url) if self._network else _local_path(url).name
        target = url if self._network else _checked(_local_path(url))
        self._container = _open(target, self._name, timeout if self._network else None)
        with contextlib.ExitStack() as on_error:
            on_error.callback(self.close)
            self._stream = self._find_video()
            self._endless = self._network and not self._container.duration
            timed = not self._endless or self._container.format.name in _SEGMENTED
            self._playback = _PlaybackClock(self._clock) if timed else None
            self._index = -1
            self._position = 0.0
            self._decoded = self._decode()
            self._first: av.VideoFrame | None = self._open_first()
            self._info = self._describe(self._first)
            on_error.pop_all()

    @property
    def info(self) -> SourceInfo:
        """Size of the first frame, the nominal rate, and the codec as `detail`."""
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
                return Frame(_to_bgr(decoded), self._index, arrival)
            if self._playback.wait_for(self._position_of(decoded)):
                return Frame(_to_bgr(decoded), self._index, self._clock.now())
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

    def _describe(self, first: av.VideoFrame) -> SourceInfo:
        """Return the stream's own description, and the size of its first frame."""
        height, width = _to_bgr(first).shape[:2]
        rate = float(self._stream.average_rate or 0)
        codec = self._stream.codec_context.name
        return SourceInfo(
            self._name, width, height, rate, codec, paused_until_read=not self._endless
        )

    def _open_first(self) -> av.VideoFrame:
        """Decode the first frame, so that opening fails if there is none."""
        first = next(self._decoded, None)
        if first is None:
            raise SourceError(f"{self._name} has no complete frame", "the file may be cut off")
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

    def _position_of(self, decoded: av.VideoFrame) -> float:
        """Return the time of a frame in seconds from the start of the video."""
        if decoded.time is None:
            self._position += 1 / float(self._stream.average_rate or 25)
        else:
            self._position = float(decoded.time)
        return self._position


class _PlaybackClock:
    """Plays a file in real time: waits for frames that are early and skips those that are late."""

    _TOLERANCE = 0.05
    """Seconds that a frame may be late and still be shown."""

    _MAX_SKIPPING = 0.25
    """Seconds without a shown frame after which skipping ends; see `wait_for`."""

    _MAX_WAIT = 4.0
    """Seconds to wait for one frame at most. Longer, and the reader would report a lost source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: float | None = None
        self._late_since: float | None = None

    def wait_for(self, position: float) -> bool:
        """Wait until the frame at `position` (seconds) is due; return False at once if it is late.

        A machine that decodes too slowly would skip every frame. So after a quarter of a second the
        playback time is set to the current frame, and the video plays slowly instead. The same
        handles a jump in the timestamps.
        """
        now = self._clock.now()
        if self._start is None:
            self._start = now - position
        wait = self._start + position - now
        if wait < -self._TOLERANCE:
            self._late_since = now if self._late_since is None else self._late_since
            if now - self._late_since < self._MAX_SKIPPING:
                return False
        self._late_since = None
        if not -self._TOLERANCE <= wait <= self._MAX_WAIT:
            wait = min(max(wait, 0.0), self._MAX_WAIT)
            self._start = now + wait - position
        self._clock.sleep(wait)
        return True


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
    except av.error.InvalidDataError:
        return []


def _to_bgr(decoded: av.VideoFrame) -> Image:
    """Return BGR uint8 ``[height, width, 3]``, rotated as the file asks for."""
    image: Any = decoded.to_ndarray(format="bgr24")
    rotation = _ROTATIONS.get(decoded.rotation % 360)
    upright: Image = image if rotation is None else cv2.rotate(image, rotation)
    return upright


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


def _without_password(url: str) -> str:
    """Return `url` without its password, for messages and logs."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@", 1) if parts.password else url


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

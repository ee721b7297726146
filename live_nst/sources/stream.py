"""A video file or a network stream, through PyAV (FFmpeg)."""

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
    "analyzeduration": "1000000",  # microseconds; size and rate are seen on the first picture
    "fpsprobesize": "0",
}

_LIVE_OPTIONS = _NETWORK_OPTIONS | {"fflags": "nobuffer"}
"""For what can only be live. It drops what was read to find out the format: behind http that may
be the beginning of a film."""

_IN_BURSTS = {"hls", "dash"}
"""Formats that deliver several seconds at once, and so must be paced although they are live."""

_ROTATIONS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


class StreamSource(Closeable):
    """Frames of a video file, at its own speed, or of a network stream, as they come.

    What has a known length (a file, also one behind http) is played in real time by its
    presentation timestamps; pictures that are late are left out, and `Frame.index` jumps over
    them. What has none (a camera behind rtsp, http or mpegts) is given as it arrives.

    Args:
        url: `rtsp://`, `http(s)://`, `udp://`, `tcp://` or another URL that FFmpeg knows; a
            path; or a `file://` URL.
        clock: Paces files and stamps frames.
        timeout: Seconds that a network stream may be silent.

    Raises:
        SourceError: It cannot be opened or holds no video.
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
            bursts = self._container.format.name in _IN_BURSTS
            self._pace = None if self._endless and not bursts else _PlaybackClock(self._clock)
            self._index = -1
            self._position = 0.0
            self._pictures = self._decode()
            self._first: av.VideoFrame | None = self._open_first()
            self._info = self._describe(self._first)
            on_error.pop_all()

    @property
    def info(self) -> SourceInfo:
        """Size of the first picture, the rate the stream claims, and the codec as `detail`."""
        return self._info

    def read(self) -> Frame | None:
        """The next frame, when it is due; None after the last one of a file.

        Raises:
            SourceLostError: The stream broke off or has been silent for too long.
            SourceError: The file is damaged; opening it again would not help.
        """
        while (picture := self._next()) is not None:
            arrival = self._clock.now()
            self._index += 1
            if self._pace is None:
                return Frame(_upright(picture), self._index, arrival)
            if self._pace.admit(self._place(picture)):
                return Frame(_upright(picture), self._index, self._clock.now())
        return None

    def close(self) -> None:
        """Close the file or connection. Calling it again does nothing."""
        self._container.close()

    def _find_video(self) -> av.VideoStream:
        """The stream to show; the cover picture of a song is none."""
        for stream in self._container.streams.video:
            if not stream.disposition & av.stream.Disposition.attached_pic:
                # Threads that each decode a frame of their own would hold live frames back.
                stream.thread_type = "SLICE" if self._network else "AUTO"
                return stream
        raise SourceError(f"{self._name} holds no video", "choose a file or stream with pictures")

    def _describe(self, first: av.VideoFrame) -> SourceInfo:
        """What the stream says of itself, and the size at which its first picture is shown."""
        height, width = _upright(first).shape[:2]
        rate = float(self._stream.average_rate or 0)
        codec = self._stream.codec_context.name
        return SourceInfo(
            self._name, width, height, rate, codec, paused_until_read=not self._endless
        )

    def _open_first(self) -> av.VideoFrame:
        """Decode the first picture, so that opening fails where nothing can be shown."""
        first = next(self._pictures, None)
        if first is None:
            raise SourceError(f"{self._name} holds no whole picture", "the file may be cut off")
        return first

    def _next(self) -> av.VideoFrame | None:
        """The next picture in order, or None at the end."""
        first, self._first = self._first, None
        return first or next(self._pictures, None)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Every picture that can be decoded, until the end.

        Raises:
            SourceLostError: An endless stream ended, failed, or held no picture for too long.
            SourceError: A file is damaged; opening it again would not help.
        """
        deadline = self._clock.now() + self._timeout
        try:
            for packet in self._container.demux():
                if self._endless and self._clock.now() > deadline:
                    raise SourceLostError(
                        f"{self._name} sent no picture for {self._timeout:g} s",
                        "check the camera and the network",
                    )
                if packet.stream is not self._stream:
                    continue
                for picture in _decoded(packet):
                    yield picture
                    deadline = self._clock.now() + self._timeout
        except av.error.FFmpegError as exc:
            message = f"{self._name} broke off: {_reason(exc)}"
            if self._network:
                raise SourceLostError(message, "check the camera and the network") from exc
            raise SourceError(message, "the file is damaged") from exc
        if self._endless:
            raise SourceLostError(f"{self._name} ended", "check whether it is still sent")

    def _place(self, picture: av.VideoFrame) -> float:
        """Seconds from the start of the video at which `picture` is due."""
        if picture.time is None:
            self._position += 1 / float(self._stream.average_rate or 25)
        else:
            self._position = float(picture.time)
        return self._position


class _PlaybackClock:
    """Lets the pictures of a file through when they are due in real time."""

    _LATE = 0.05
    """Seconds by which a picture may be late and still be shown."""

    _PATIENCE = 0.25
    """Seconds for which late pictures are left out at a stretch; see `admit`."""

    _LONGEST = 4.0
    """Seconds that one picture is waited for: a reader must not take the file for stalled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: float | None = None
        self._behind_since: float | None = None

    def admit(self, position: float) -> bool:
        """Wait until `position` (seconds) is due; False at once if it is late.

        A machine that cannot decode in time would leave out everything. So after a quarter of a
        second the video's clock is set anew by the picture at hand, and it plays slowly instead.
        The same sets it right after a jump in the timestamps.
        """
        now = self._clock.now()
        if self._start is None:
            self._start = now - position
        wait = self._start + position - now
        if wait < -self._LATE:
            self._behind_since = now if self._behind_since is None else self._behind_since
            if now - self._behind_since < self._PATIENCE:
                return False
        self._behind_since = None
        if not -self._LATE <= wait <= self._LONGEST:
            wait = min(max(wait, 0.0), self._LONGEST)
            self._start = now + wait - position
        self._clock.sleep(wait)
        return True


def _open(target: str, name: str, timeout: float | None) -> "InputContainer":
    """Open what FFmpeg calls `target`; with a `timeout` (seconds) as a network stream.

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
    # FFmpeg draws any text file as a picture of a terminal.
    if container.format.name == "tty":
        container.close()
        raise SourceError(f"{name} cannot be opened: it is no video", "choose a video")
    return container


def _decoded(packet: "av.Packet[Any]") -> list[av.VideoFrame]:
    """The pictures that `packet` completes; none from a damaged one, as after joining midway."""
    try:
        return [item for item in packet.decode() if isinstance(item, av.VideoFrame)]
    except av.error.InvalidDataError:
        return []


def _upright(picture: av.VideoFrame) -> Image:
    """BGR uint8 ``[height, width, 3]``, turned as the file says that it is to be seen."""
    image: Any = picture.to_ndarray(format="bgr24")
    turn = _ROTATIONS.get(picture.rotation % 360)
    upright: Image = image if turn is None else cv2.rotate(image, turn)
    return upright


def _local_path(url: str) -> Path:
    """The path that a path or a `file://` URL means."""
    return Path(url2pathname(urlsplit(url).path) if url.startswith("file://") else url)


def _checked(path: Path) -> str:
    """The absolute form of `path`, which FFmpeg cannot take for a protocol.

    Raises:
        SourceError: There is no file that could be a video.
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
    """`url` as it may be shown and logged."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@", 1) if parts.password else url


def _reason(exc: av.error.FFmpegError) -> str:
    """What went wrong, in few words."""
    for kind, reason in _REASONS:
        if isinstance(exc, kind):
            return reason
    return (exc.strerror or "unknown error").lower()


def _advice(exc: av.error.FFmpegError) -> str:
    """What to do about a stream or file that cannot be opened."""
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

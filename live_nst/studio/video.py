"""The stylized video for pages: H.264, encoded once for all viewers."""

import struct
import threading
from collections.abc import Callable

from live_nst.live.session import LiveSession
from live_nst.sinks.encoder import EncodedFrame, EncodedReader, VideoEncoder
from live_nst.studio.viewers import Viewer, Viewers
from live_nst.types import Closeable, Size

HEADER = struct.Struct("<BBHHHdQ")
"""Kind, flags, width, height, 0, time in seconds, index: what precedes each frame."""
KIND_VIDEO, KIND_CAMERA = 1, 2
KEYFRAME = 1
MOST_VIEWERS = 64
_QUEUE_FRAMES = 30  # a second; a viewer that is further behind starts at the next keyframe
_KEYFRAME_PAUSE = 0.5  # seconds between keyframes for new viewers
_POLL_SECONDS = 0.5

Message = str | bytes
"""What a WebSocket sends: text or binary."""


class VideoViewer(Viewer[Message]):
    """A viewer that begins at a keyframe, and again at one after it lost frames."""

    def __init__(self) -> None:
        super().__init__(_QUEUE_FRAMES)
        self._needs_keyframe = True
        self._format = ""

    def put_frame(self, message: bytes, form: str, keyframe: bool) -> None:
        """Add a frame.

        Args:
            message: Header and frame.
            form: What describes the video; sent before the first frame and when it changes.
            keyframe: Whether a decoder can start at this frame.
        """
        if self.full:
            self.clear()
            self._needs_keyframe = True
        if self._needs_keyframe and not keyframe:
            self.lost += 1
            return
        self._needs_keyframe = False
        if form != self._format:
            self._format = form
            self.put(form)
        self.put(message)


class VideoHub:
    """Hands the encoded frames of each session to all viewers.

    A thread waits for frames while there are viewers. Nothing is encoded while there are none.
    """

    def __init__(self) -> None:
        self.viewers: Viewers[Message] = Viewers("the video", MOST_VIEWERS)
        self._wanted = threading.Event()
        self._encoder: VideoEncoder | None = None
        self._asked = self._asked_again = False  # for a keyframe, a moment ago

    def attach(self, session: LiveSession) -> Closeable:
        """Encode the frames of a session for the viewers, until the result is closed."""
        return self.pump(session.streams.encoder)

    def pump(self, encoder: VideoEncoder) -> Closeable:
        """Hand on what an encoder encodes, until the result is closed."""
        self._encoder = encoder
        return _Pump(encoder, self._wanted, self._deliver)

    def add(self, viewer: VideoViewer) -> None:
        """Add a viewer; in the event loop."""
        self.viewers.add(viewer)
        self._wanted.set()
        self.request_keyframe()

    def remove(self, viewer: VideoViewer) -> None:
        """Remove a viewer; in the event loop."""
        self.viewers.remove(viewer)
        if not len(self.viewers):
            self._wanted.clear()

    def request_keyframe(self) -> None:
        """Ask for a keyframe soon; in the event loop. Many requests at once give one."""
        if self._encoder is None:
            return
        if self._asked:
            self._asked_again = True
            return
        self._asked = True
        self._encoder.request_keyframe()
        self.viewers.call_later(_KEYFRAME_PAUSE, self._allow_keyframes)

    def _allow_keyframes(self) -> None:
        self._asked = False
        if self._asked_again:
            self._asked_again = False
            self.request_keyframe()

    def _deliver(self, frame: EncodedFrame, form: str) -> None:
        """Give all viewers a frame; called by the thread of a pump."""
        flags = KEYFRAME if frame.keyframe else 0
        width, height = frame.size
        header = HEADER.pack(KIND_VIDEO, flags, width, height, 0, frame.time, frame.index)
        message = header + frame.data

        def put() -> None:
            for viewer in self.viewers:
                assert isinstance(viewer, VideoViewer)
                viewer.put_frame(message, form, frame.keyframe)

        self.viewers.call(put)


class _Pump(Closeable):
    """A thread that reads an encoder while there are viewers."""

    def __init__(
        self,
        encoder: VideoEncoder,
        wanted: threading.Event,
        deliver: Callable[[EncodedFrame, str], None],
    ) -> None:
        self._encoder = encoder
        self._wanted = wanted
        self._deliver = deliver
        self._closed = False
        self._form = ""
        self._size: Size | None = None
        self._thread = threading.Thread(target=self._run, name="live-nst viewers", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            if self._wanted.wait(_POLL_SECONDS):
                with self._encoder.subscribe() as reader:
                    self._read(reader)
                    if reader.closed:
                        return

    def _read(self, reader: EncodedReader) -> None:
        while self._wanted.is_set() and not self._closed:
            frame = reader.get(_POLL_SECONDS)
            if frame is not None:
                if frame.keyframe:
                    self._form = describe_video(frame)
                self._deliver(frame, self._form)
            elif reader.closed:
                return

    def close(self) -> None:
        """End the thread. Calling it again does nothing."""
        self._closed = True
        self._thread.join(2 * _POLL_SECONDS)


def describe_video(keyframe: EncodedFrame) -> str:
    """Return the text that tells a decoder about the frames that follow, as JSON."""
    width, height = keyframe.size
    return f'{{"codec":"{codec_string(keyframe.data)}","width":{width},"height":{height}}}'


def codec_string(data: bytes) -> str:
    """Return the codec of H.264 in the form of Annex B, as WebCodecs names it (RFC 6381).

    Its six digits are the first three bytes of the sequence parameter set: profile, constraints
    and level.
    """
    position = data.find(b"\0\0\1")
    while 0 <= position < len(data) - 6:
        if data[position + 3] & 0x1F == 7:
            return f"avc1.{data[position + 4 : position + 7].hex().upper()}"
        position = data.find(b"\0\0\1", position + 3)
    return "avc1.42E02A"

"""The streams of a session: started and stopped while it runs, all fed by one encoder."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from live_nst.errors import UsageError
from live_nst.sinks.base import Sink
from live_nst.sinks.encoder import VideoEncoder
from live_nst.sinks.h264 import SOFTWARE_ENCODER
from live_nst.sinks.sound import SoundTrack
from live_nst.sinks.stream import NetworkStream, StreamState
from live_nst.sinks.stream_address import parse_stream_address
from live_nst.sinks.stream_start import check_process
from live_nst.types import Closeable, Notify


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """What a stream does now.

    Attributes:
        id: Its number, from 1; never used again.
        address: Where it goes, without its key.
        state: "connecting", "live", "reconnecting" or "failed".
        sentence: The state for people, without a key.
    """

    id: int
    address: str
    state: StreamState
    sentence: str


class LiveStreams(Closeable):
    """Starts and stops the streams of a session. Any thread may call each method.

    Args:
        add_sink: Adds a sink to the running pipeline, which closes it in the end.
        fps: Expected frames per second.
        bitrate: Bits per second; None to choose it by size and rate.
        encoder: Which encoder; see `live_nst.sinks.h264.ENCODER_OPTIONS`.
        sound: The sound of all streams; None for silence.
        notify: Called with a sentence when a stream is live, lost or back.
    """

    def __init__(
        self,
        add_sink: Callable[[Sink], None],
        *,
        fps: float = 30.0,
        bitrate: int | None = None,
        encoder: str = SOFTWARE_ENCODER,
        sound: SoundTrack | None = None,
        notify: Notify = lambda sentence: None,
    ) -> None:
        self._add_sink = add_sink
        self._fps = fps
        self._bitrate = bitrate
        self._encoder_name = encoder
        self._sound = sound
        self._notify = notify
        self._lock = threading.Lock()
        self._encoder: VideoEncoder | None = None
        self._streams: dict[int, NetworkStream] = {}
        self._ids = itertools.count(1)
        self._closed = False

    @property
    def encoder(self) -> VideoEncoder:
        """The encoder of the session. Its first use opens it and adds it to the pipeline.

        Raises:
            StreamError: It cannot be used here.
        """
        with self._lock:
            return self._open_encoder()

    def start(self, url: str) -> StreamStatus:
        """Start a stream and return at once; it connects beside the session.

        Args:
            url: The address with its key, or the path of an HLS playlist.

        Raises:
            UsageError: It is no address, or that address is streamed to already.
            StreamError: What it needs is missing here.
        """
        address = parse_stream_address(url)
        check_process(address)
        with self._lock:
            if any(stream.address.url == address.url for stream in self._streams.values()):
                raise UsageError(f"There is a stream to {address} already.", "stop it first")
            if self._closed:
                raise UsageError("The session has ended.")
            encoder = self._open_encoder()
            number = next(self._ids)
            stream = NetworkStream(
                address, encoder, self._sound, fps=self._fps, notify=self._notify
            )
            self._streams[number] = stream
        return _status(number, stream)

    def stop(self, id: int) -> None:
        """End a stream; wait until the server has its last frame, some seconds at most.

        Raises:
            UsageError: There is no such stream.
        """
        with self._lock:
            stream = self._streams.pop(id, None)
        if stream is None:
            raise UsageError(f"There is no stream {id}.")
        stream.close()

    def statuses(self) -> tuple[StreamStatus, ...]:
        """Return the state of all streams, in the order in which they were started."""
        with self._lock:
            streams = dict(self._streams)
        return tuple(_status(number, stream) for number, stream in streams.items())

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of all streams, as `start` takes them. They hold keys: never show them."""
        with self._lock:
            return tuple(stream.address.url for stream in self._streams.values())

    def close(self) -> None:
        """End all streams. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            streams, self._streams = list(self._streams.values()), {}
            encoder = self._encoder
        for stream in streams:
            stream.stop()
        for stream in streams:
            stream.close()
        if encoder is not None:
            encoder.close()

    def _open_encoder(self) -> VideoEncoder:
        if self._encoder is None:
            self._encoder = VideoEncoder(
                self._fps, bitrate=self._bitrate, encoder=self._encoder_name
            )
            self._add_sink(self._encoder)
        return self._encoder


def _status(number: int, stream: NetworkStream) -> StreamStatus:
    return StreamStatus(number, stream.address.shown, stream.state, f"{stream.sentence}.")

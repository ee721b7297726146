"""Keep one stream to a server alive, whatever the server does."""

import threading
from typing import Literal

from live_nst.errors import StreamError
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.encoder import EncodedReader, VideoEncoder
from live_nst.sinks.sound import SoundTrack
from live_nst.sinks.stream_address import StreamAddress
from live_nst.sinks.stream_process import StreamProcess
from live_nst.sinks.stream_start import ProcessStarter, start_process
from live_nst.sinks.transport_stream import TransportStream
from live_nst.types import Closeable, Notify

StreamState = Literal["connecting", "live", "reconnecting", "failed"]

CONNECT_SECONDS = 5.0
"""How long a server may take to accept a stream."""
STALL_SECONDS = 2.0
"""How long a server may take nothing of what it is sent."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0  # seconds between the starts of two attempts
STEADY_SECONDS = 10.0
"""After this time a stream counts as working: the next pause is the first one again."""
_POLL_SECONDS = 0.1
_FINISH_SECONDS = 2.0


class NetworkStream(Closeable):
    """One stream: reads the encoder in a thread of its own and feeds the process that sends.

    It owns three threads, so that no server can stop the pipeline or another stream: one watches
    over the process, one feeds it, one reads its reports. A process that ends or makes no progress
    is replaced, after growing pauses, until `close`.

    Args:
        address: Where it goes.
        encoder: Where its pictures come from.
        sound: Its sound; None for silence.
        fps: Expected frames per second.
        notify: Called with a sentence when the stream is live, lost or back.
        clock: The time; None for that of the system.
        start: Starts the process.

    Attributes:
        address: Where it goes.
        state: What it does now.
        sentence: The same for people, without a key.
    """

    def __init__(
        self,
        address: StreamAddress,
        encoder: VideoEncoder,
        sound: SoundTrack | None = None,
        *,
        fps: float = 30.0,
        notify: Notify = lambda sentence: None,
        clock: Clock | None = None,
        start: ProcessStarter = start_process,
    ) -> None:
        self.address = address
        self.state: StreamState = "connecting"
        self.sentence = f"The stream {address} connects"
        self._encoder = encoder
        self._sound = sound
        self._fps = fps
        self._notify = notify
        self._clock = clock or SystemClock()
        self._start = start
        self._stop = threading.Event()
        self._was_live = False
        self._told = False  # that it cannot connect
        self._thread = threading.Thread(target=self._run, name="live-nst stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the stream to end; return at once."""
        self._stop.set()

    def close(self) -> None:
        """End the stream as its format asks for. Calling it again does nothing."""
        self.stop()
        self._thread.join(2 * _FINISH_SECONDS + STALL_SECONDS)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            began = self._clock.now()
            try:
                reason = self._attempt()
            except StreamError as exc:
                self._set("failed", f"The stream {self.address} has ended: {exc}")
                return
            except Exception as exc:  # a defect; its message may contain the key
                kind = type(exc).__name__
                self._set("failed", f"The stream {self.address} failed: {kind}", tell=True)
                return
            if self._stop.is_set():
                return
            seconds = self._clock.now() - began
            pause = FIRST_PAUSE if seconds > STEADY_SECONDS else min(2 * pause, LONGEST_PAUSE)
            self._on_lost(reason)
            self._stop.wait(began + pause - self._clock.now())

    def _attempt(self) -> str:
        """Stream until something breaks or ends; return what, in a few words."""
        process = self._start(self.address, self._clock)
        feeder = _Feeder(process, self._encoder, self._sound, self._fps, self._clock)
        try:
            reason = self._watch(process, feeder)
        finally:
            feeder.stop()
            # An orderly end, unless the server does not answer.
            wanted = self._stop.is_set() or feeder.ended
            if not wanted or not process.join(_FINISH_SECONDS):
                process.kill()
            process.join(_FINISH_SECONDS)
            feeder.join(_FINISH_SECONDS)
        if feeder.failure is not None:
            raise feeder.failure
        if feeder.ended and not self._stop.is_set():
            raise StreamError("no more pictures come")
        return process.reason or reason

    def _watch(self, process: StreamProcess, feeder: "_Feeder") -> str:
        while not self._stop.wait(_POLL_SECONDS):
            if not process.alive:
                return "the server closed the connection"
            if feeder.failure is not None or feeder.ended:
                return ""
            if process.live and self.state != "live":
                self._on_live()
            waiting = feeder.seconds_waiting(process.progress)
            if process.live and waiting > STALL_SECONDS:
                return f"the server has taken nothing for {STALL_SECONDS:g} s"
            patient = process.live or self.address.waits_for_reader
            if not patient and waiting > CONNECT_SECONDS:
                return "the server does not answer"
        return ""

    def _on_live(self) -> None:
        word = "is back" if self._was_live else "is live"
        self._was_live = True
        self._set("live", f"The stream {self.address} {word}", tell=True)

    def _on_lost(self, reason: str) -> None:
        if self.state == "live":
            self._set(
                "reconnecting",
                f"The stream {self.address} was lost: {reason}; reconnecting",
                tell=True,
            )
            return
        sentence = f"The stream {self.address} cannot connect: {reason}; trying again"
        tell = not self._was_live and not self._told
        self._told = True
        self._set("reconnecting" if self._was_live else "connecting", sentence, tell=tell)

    def _set(self, state: StreamState, sentence: str, *, tell: bool = False) -> None:
        self.state, self.sentence = state, sentence
        if tell:
            self._notify(sentence + ".")


class _Feeder:
    """Feeds one process with encoded frames, in a thread that may wait in a write.

    Attributes:
        ended: Whether the encoder was closed.
        failure: The error that ended it, if one did.
    """

    def __init__(
        self,
        process: StreamProcess,
        encoder: VideoEncoder,
        sound: SoundTrack | None,
        fps: float,
        clock: Clock,
    ) -> None:
        self.ended = False
        self.failure: Exception | None = None
        self._process = process
        self._reader: EncodedReader = encoder.subscribe()
        self._sound = sound
        self._fps = fps
        self._clock = clock
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._writing = False
        self._waiting_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="live-nst stream feed", daemon=True)
        self._thread.start()

    def seconds_waiting(self, progress: float | None) -> float:
        """Return how long a frame has been given to the process without any progress.

        Args:
            progress: When the process last made progress; None if it never did.
        """
        with self._lock:
            if self._waiting_since is None:
                return 0.0
            if progress is not None and progress > self._waiting_since:
                # The next frame starts the count again, unless it is being written already.
                self._waiting_since = progress if self._writing else None
                return 0.0
            return self._clock.now() - self._waiting_since

    def stop(self) -> None:
        """End after the current frame."""
        self._stopping.set()
        self._reader.close()

    def join(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the thread."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            with self._reader:
                self._feed(TransportStream(self._sound, self._fps))
        except OSError:
            pass  # the process has ended
        except Exception as exc:  # kept for the thread that watches
            self.failure = exc
        self._process.finish()

    def _feed(self, container: TransportStream) -> None:
        while not self._stopping.is_set():
            frame = self._reader.get(_POLL_SECONDS * 5)
            if frame is not None:
                with self._lock:
                    self._writing = True
                    if self._waiting_since is None:
                        self._waiting_since = self._clock.now()
                self._process.write(container.add(frame))
                with self._lock:
                    self._writing = False
            elif self._reader.closed:
                break
        self.ended = not self._stopping.is_set()
        self._process.write(container.close())

"""The thread that reads the sound of a session and encodes it for streams and recordings."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial

from live_nst.errors import SourceError, SourceLostError
from live_nst.sinks.sound import SoundEncoder, SoundTrack
from live_nst.sources.sound import SoundSource, open_sound
from live_nst.types import Closeable, Notify

RETRY_SECONDS = 2.0
_AHEAD_SECONDS = 0.5  # how much earlier than it is due a file's sound is encoded
_POLL_SECONDS = 0.02


class SoundWorker(Closeable):
    """Reads sound in a thread of its own. A device that was lost is opened again.

    A session goes on without sound if its device is lost or its file ends.

    Args:
        open_source: Opens the sound. Its first call is made here, the others in the thread.
        origin: Returns when a file's sound begins, in seconds of `time.monotonic()`; None while
            this is not known.
        notify: Called when a device is lost or is back, or a file is damaged.

    Attributes:
        track: The encoded sound.
        name: The name of the source.

    Raises:
        SourceError: The sound cannot be opened.
    """

    def __init__(
        self,
        open_source: Callable[[], SoundSource],
        origin: Callable[[], float | None],
        notify: Notify = lambda sentence: None,
    ) -> None:
        self.track = SoundEncoder()
        self._open_source = open_source
        self._origin = origin
        self._notify = notify
        self._stop = threading.Event()
        first = open_source()
        self.name = first.name
        # A daemon, because a driver may never return from a read.
        self._thread = threading.Thread(
            target=self._run, args=(first,), name="live-nst sound", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop reading. Calling it again does nothing."""
        self._stop.set()
        self._thread.join(RETRY_SECONDS + 1)

    def _run(self, source: SoundSource | None) -> None:
        while not self._stop.is_set():
            if source is None:
                source = self._reopen()
                continue
            with closing(source):
                try:
                    self._read(source)
                    return
                except SourceLostError as exc:
                    self._notify(f"Sound: {exc.message}; the session goes on without it.")
                except SourceError as exc:
                    self._notify(f"Sound: {exc.message}.")
                    return
            source = None

    def _read(self, source: SoundSource) -> None:
        while not self._stop.is_set():
            block = source.read()
            if block is None:
                return
            heard = block.time if source.live else self._wait_until_due(block.time)
            self.track.write(block.frame, heard)

    def _wait_until_due(self, position: float) -> float:
        """Wait until a position of a file is nearly due; return when it is heard."""
        while (origin := self._origin()) is None:
            if self._stop.wait(_POLL_SECONDS):
                return position
        due = origin + position
        self._stop.wait(max(0.0, due - _AHEAD_SECONDS - time.monotonic()))
        return due

    def _reopen(self) -> SoundSource | None:
        self._stop.wait(RETRY_SECONDS)
        if self._stop.is_set():
            return None
        try:
            source = self._open_source()
        except SourceError:
            return None
        self._notify("Sound: it is back.")
        return source


def start_sound(
    name: str | None, origin: Callable[[], float | None], notify: Notify, stack: ExitStack
) -> SoundTrack | None:
    """Start reading the sound of a session.

    Args:
        name: What `--audio` names; None for no sound.
        origin: See `SoundWorker`.
        notify: Called with one sentence at a time, from any thread.
        stack: Ends it.

    Returns:
        The encoded sound; None if there is none.

    Raises:
        SourceError: It cannot be opened.
    """
    if name is None:
        return None
    worker = stack.enter_context(SoundWorker(partial(open_sound, name), origin, notify))
    notify(f"Sound from the {worker.name}.")
    return worker.track

"""The frames that a page sends, on their way from the server to the source that decodes them."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from live_nst.errors import SourceError

_QUEUE_FRAMES, _QUEUE_BYTES = 90, 16_000_000

VideoFormat = Literal["h264", "jpeg"]


@dataclass(frozen=True, slots=True)
class SentFrame:
    """One frame as a page sent it.

    Attributes:
        data: An access unit of H.264 in the form of Annex B, or a JPEG file.
        keyframe: Whether a decoder can start here.
        index: Its number, by the page.
        time: When it was captured, in seconds of `time.monotonic()`; by the page, so it may be
            anything.
    """

    data: bytes
    keyframe: bool
    index: int
    time: float


class BrowserFeed:
    """The frames that one page sends, on their way to the source.

    Args:
        name: What it is for people: "browser's camera".
        form: How the frames are encoded.
        on_decoded: Called with the index of each frame that was decoded, in another thread.
        on_keyframe_needed: Called when decoding can go on only from a keyframe.
        on_refused: Called once with an error if the frames cannot be used.
    """

    def __init__(
        self,
        name: str,
        form: VideoFormat,
        *,
        on_decoded: Callable[[int], None] = lambda index: None,
        on_keyframe_needed: Callable[[], None] = lambda: None,
        on_refused: Callable[[SourceError], None] = lambda error: None,
    ) -> None:
        self.name = name
        self.form = form
        self.on_decoded = on_decoded
        self.on_keyframe_needed = on_keyframe_needed
        self.on_refused = on_refused
        self._frames: deque[SentFrame] = deque()
        self._bytes = 0
        self._needs_keyframe = form == "h264"
        self._changed = threading.Condition()
        self._ended = False

    def put(self, frame: SentFrame) -> None:
        """Add a frame without blocking. If too many wait, those up to the next keyframe go."""
        with self._changed:
            keyframe = frame.keyframe or self.form == "jpeg"
            full = (
                len(self._frames) >= _QUEUE_FRAMES or self._bytes + len(frame.data) > _QUEUE_BYTES
            )
            if self.form == "jpeg" or full:
                self._frames.clear()
                self._bytes = 0
                self._needs_keyframe = self.form == "h264"
            if self._needs_keyframe and not keyframe:
                needed = True
            else:
                needed = self._needs_keyframe = False
                self._frames.append(frame)
                self._bytes += len(frame.data)
                self._changed.notify_all()
        if needed:
            self.on_keyframe_needed()

    def restart(self) -> None:
        """Go on only from a keyframe: what came before cannot be decoded."""
        with self._changed:
            self._frames.clear()
            self._bytes = 0
            self._needs_keyframe = self.form == "h264"
        self.on_keyframe_needed()

    def take(self, timeout: float, given_up: Callable[[], bool] = lambda: False) -> list[SentFrame]:
        """Return all frames that wait; wait for one up to `timeout` seconds.

        Args:
            timeout: Seconds.
            given_up: Returns whether to wait no longer; asked again after `wake`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._ended or given_up(), timeout)
            frames = list(self._frames)
            self._frames.clear()
            self._bytes = 0
            return frames

    def wake(self) -> None:
        """Let those who wait ask whether they have given up."""
        with self._changed:
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether the page has gone."""
        return self._ended

    def end(self) -> None:
        """Say that no frame will follow."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class BrowserInbox:
    """Where the feed of a page and the source meet. Any thread may call everything here."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._feed: BrowserFeed | None = None

    @property
    def taken(self) -> bool:
        """Whether a page sends already."""
        return self._feed is not None

    def connect(self, feed: BrowserFeed) -> None:
        """Take the frames of a page.

        Raises:
            SourceError: Another page sends already.
        """
        with self._changed:
            if self._feed is not None:
                raise SourceError(
                    "another page sends its camera already", "close it, or stop its camera"
                )
            self._feed = feed
            self._changed.notify_all()

    def disconnect(self, feed: BrowserFeed) -> None:
        """Forget a page that has gone."""
        feed.end()
        with self._changed:
            if self._feed is feed:
                self._feed = None

    def wait(
        self, timeout: float, given_up: Callable[[], bool] = lambda: False
    ) -> BrowserFeed | None:
        """Return the feed of the page that sends; wait for one up to `timeout` seconds.

        Args:
            timeout: Seconds.
            given_up: Returns whether to wait no longer; asked again after `wake`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._feed is not None or given_up(), timeout)
            return self._feed

    def wake(self) -> None:
        """Let those who wait, here or for a frame, ask whether they have given up."""
        with self._changed:
            self._changed.notify_all()
            feed = self._feed
        if feed is not None:
            feed.wake()

"""Thumbnails of the current frame in each style, made beside the stream while somebody looks."""

import threading
from collections.abc import Callable, Sequence

import cv2

from live_nst.errors import LiveNstError
from live_nst.live.session import LiveSession
from live_nst.studio.pictures import encode_jpeg
from live_nst.studio.styles import ShelvedStyle
from live_nst.types import Closeable, Image

WIDTH = 192  # pixels
INTERVAL = 0.5  # seconds between two thumbnails: more would slow the stream
FIRST_INTERVAL = 0.15  # the same for a style that has none yet
QUALITY = 75


class Thumbnails:
    """Makes one thumbnail after the other, those that are missing first.

    Args:
        styles: Returns all styles.
        wanted: Returns whether somebody looks at them.
        changed: Called in another thread when there is a new one.
    """

    def __init__(
        self,
        styles: Callable[[], Sequence[ShelvedStyle]],
        wanted: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._styles = styles
        self._wanted = wanted
        self._changed = changed
        self._made: dict[str, tuple[int, bytes]] = {}  # id -> version, JPEG

    @property
    def versions(self) -> dict[str, int]:
        """The version of each thumbnail by the id of its style."""
        made = self._made
        return {style.id: made[style.id][0] for style in self._styles() if style.id in made}

    def find(self, style_id: str) -> bytes | None:
        """Return the newest thumbnail of a style as JPEG; None if there is none yet."""
        made = self._made.get(style_id)
        return None if made is None else made[1]

    def attach(self, session: LiveSession) -> Closeable:
        """Make thumbnails of a session's frames until the result is closed."""
        return _Painter(self, session)

    def next_style(self) -> tuple[ShelvedStyle, bool] | None:
        """Return the style whose turn it is, and whether it has no thumbnail; None for nobody."""
        if not self._wanted():
            return None
        made = self._made.copy()
        styles = self._styles()
        missing = [style for style in styles if style.id not in made]
        if missing:
            uploads = [style for style in missing if style.kind == "upload"]
            return (uploads or missing)[0], True
        return min(styles, key=lambda style: made[style.id][0]), False

    def keep(self, style_id: str, picture: bytes) -> None:
        """Keep a new thumbnail."""
        version = 1 + max((version for version, _ in self._made.values()), default=0)
        self._made[style_id] = version, picture
        self._changed()


class _Painter(Closeable):
    """The thread that makes thumbnails of one session."""

    def __init__(self, thumbnails: Thumbnails, session: LiveSession) -> None:
        self._thumbnails = thumbnails
        self._session = session
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-nst thumbnails", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pause = INTERVAL
        while not self._stop.wait(pause):
            pause = INTERVAL
            image = self._session.pipeline.newest_captured
            turn = self._thumbnails.next_style() if image is not None else None
            if image is None or turn is None:
                continue
            style, missing = turn
            self._paint(style, image)
            pause = FIRST_INTERVAL if missing else INTERVAL

    def _paint(self, style: ShelvedStyle, image: Image) -> None:
        height = max(1, round(image.shape[0] * WIDTH / image.shape[1]))
        small = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
        if self._session.pipeline.view.mirror:
            small = cv2.flip(small, 1)
        try:
            painted = self._session.stylizer.preview(small, style.spec)  # type: ignore[arg-type]
        except LiveNstError:
            painted = small  # type: ignore[assignment]  # it cannot be used: choosing it says why
        self._thumbnails.keep(style.id, encode_jpeg(painted, quality=QUALITY))

    def close(self) -> None:
        """End the thread after the current thumbnail. Calling it again does nothing."""
        self._stop.set()
        self._thread.join(10.0)

"""The sources that a page may choose from: requests name these and nothing else.

An answer shows no address or path, only an id: the address of a camera may hold its password.
"""

import re
import threading
import time
from collections.abc import Callable

from live_nst.errors import SourceError
from live_nst.files.secrets import hide_login
from live_nst.sources.devices import CameraDevice, list_cameras
from live_nst.sources.screen import Screen, list_screens
from live_nst.studio.models import SourceEntry

_FRESH_SECONDS = 3.0  # devices are asked no more often
_PLAIN = re.compile(r"\d+|browser|demo|screen:\d+")
"""Sources that are their own ids."""


class SourceList:
    """Lists the sources. Any thread may call everything here.

    Args:
        given: The source that was given at the start.
        browser: Whether a page can send its camera.
        cameras: Lists the cameras of the machine.
        screens: Lists its screens; None for those that can be captured.
    """

    def __init__(
        self,
        given: str,
        *,
        browser: bool = True,
        cameras: Callable[[], list[CameraDevice]] = list_cameras,
        screens: Callable[[], list[Screen]] | None = None,
    ) -> None:
        self._given = [given]
        self._browser = browser
        self._cameras = cameras
        self._screens = screens or _list_screens
        self._lock = threading.Lock()
        self._entries: list[SourceEntry] = []
        self._read = 0.0

    def entries(self) -> list[SourceEntry]:
        """Return all sources that can be chosen now."""
        now = time.monotonic()
        if not self._entries or now - self._read > _FRESH_SECONDS:
            self._entries, self._read = self._list(), now
        return self._entries

    def add(self, spec: str) -> None:
        """Let pages choose one more source, as if it had been given at the start."""
        with self._lock:
            if spec not in self._given:
                self._given.append(spec)
                self._read = 0.0

    def id_of(self, spec: str) -> str:
        """Return the id by which answers and requests name a source."""
        if _PLAIN.fullmatch(spec):
            return spec
        self.add(spec)
        return f"given-{self._given.index(spec) + 1}"

    def find(self, wanted: str) -> str | None:
        """Return the source that a request means; None if it may choose none such.

        Args:
            wanted: Its id; or what was given at the start, by someone who knows it.
        """
        for spec in self._given:
            if wanted in (spec, self.id_of(spec)):
                return spec
        return wanted if any(entry.id == wanted for entry in self.entries()) else None

    def _list(self) -> list[SourceEntry]:
        entries = [
            SourceEntry(id=str(camera.index), label=str(camera), kind="camera")
            for camera in self._cameras()
            if camera.index >= 0 and (camera.usable or str(camera.index) in self._given)
        ]
        if self._browser:
            entries.append(
                SourceEntry(id="browser", label="this browser's camera or screen", kind="browser")
            )
        entries += [
            SourceEntry(id=f"screen:{screen.number}", label=str(screen), kind="screen")
            for screen in self._screens()
        ]
        entries.append(SourceEntry(id="demo", label="demo", kind="demo"))
        listed = {entry.id for entry in entries}
        given = [
            SourceEntry(id=self.id_of(spec), label=_label(spec), kind="given")
            for spec in tuple(self._given)
            if spec not in listed
        ]
        return [*given, *entries]


def _list_screens() -> list[Screen]:
    """Return the screens; none where they cannot be captured."""
    try:
        return list_screens()
    except SourceError:
        return []


def _label(spec: str) -> str:
    """Return a source as people may see it: a URL without user, password and query."""
    if "://" in spec:
        return hide_login(spec)
    return spec.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def choose_source(given: str, cameras: Callable[[], list[CameraDevice]] = list_cameras) -> str:
    """Return the source to start with.

    Args:
        given: A source, or "auto" for the first camera that can be used, else the demo.
        cameras: Lists the cameras of the machine.
    """
    if given != "auto":
        return given
    usable = [camera for camera in cameras() if camera.usable and camera.index >= 0]
    return str(usable[0].index) if usable else "demo"

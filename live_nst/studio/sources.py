"""The sources that a page may choose from: requests name these and nothing else."""

import time
from collections.abc import Callable

from live_nst.errors import SourceError
from live_nst.sources.devices import CameraDevice, list_cameras
from live_nst.sources.screen import Screen, list_screens
from live_nst.studio.models import SourceEntry

_FRESH_SECONDS = 3.0  # devices are asked no more often


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
        if spec not in self._given:
            self._given.append(spec)
            self._read = 0.0

    def knows(self, spec: str) -> bool:
        """Return whether a page may choose a source."""
        return any(entry.spec == spec for entry in self.entries())

    def _list(self) -> list[SourceEntry]:
        entries = [
            SourceEntry(spec=str(camera.index), label=str(camera), kind="camera")
            for camera in self._cameras()
            if camera.index >= 0 and (camera.usable or str(camera.index) in self._given)
        ]
        if self._browser:
            entries.append(
                SourceEntry(spec="browser", label="this browser's camera or screen", kind="browser")
            )
        entries += [
            SourceEntry(spec=f"screen:{screen.number}", label=str(screen), kind="screen")
            for screen in self._screens()
        ]
        entries.append(SourceEntry(spec="demo", label="demo", kind="demo"))
        listed = {entry.spec for entry in entries}
        given = [
            SourceEntry(spec=spec, label=_label(spec), kind="given")
            for spec in self._given
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
        from urllib.parse import urlsplit

        parts = urlsplit(spec)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
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

"""The sources that a page may choose from: requests name these and nothing else."""

import time
from collections.abc import Callable

from live_nst.sources.devices import CameraDevice, list_cameras
from live_nst.studio.models import SourceEntry

_FRESH_SECONDS = 3.0  # devices are asked no more often


class SourceList:
    """Lists the sources. Any thread may call everything here.

    Args:
        given: The source that was given at the start.
        browser: Whether a page can send its camera.
        cameras: Lists the cameras of the machine.
    """

    def __init__(
        self,
        given: str,
        *,
        browser: bool = True,
        cameras: Callable[[], list[CameraDevice]] = list_cameras,
    ) -> None:
        self._given = given
        self._browser = browser
        self._cameras = cameras
        self._entries: list[SourceEntry] = []
        self._read = 0.0

    def entries(self) -> list[SourceEntry]:
        """Return all sources that can be chosen now."""
        now = time.monotonic()
        if not self._entries or now - self._read > _FRESH_SECONDS:
            self._entries, self._read = self._list(), now
        return self._entries

    def knows(self, spec: str) -> bool:
        """Return whether a page may choose a source."""
        return any(entry.spec == spec for entry in self.entries())

    def _list(self) -> list[SourceEntry]:
        entries = [
            SourceEntry(spec=str(camera.index), label=str(camera), kind="camera")
            for camera in self._cameras()
            if camera.index >= 0 and (camera.usable or str(camera.index) == self._given)
        ]
        if self._browser:
            entries.append(
                SourceEntry(spec="browser", label="this browser's camera or screen", kind="browser")
            )
        entries.append(SourceEntry(spec="demo", label="demo", kind="demo"))
        if all(entry.spec != self._given for entry in entries):
            entries.insert(
                0, SourceEntry(spec=self._given, label=_label(self._given), kind="given")
            )
        return entries


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

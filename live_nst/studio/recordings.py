"""The recordings of all sessions of a studio, so that a page can download them."""

from pathlib import Path

from live_nst.live.session import LiveSession
from live_nst.sinks.recorder import Recorder
from live_nst.studio.models import RecordingState


class Recordings:
    """Remembers recordings. Any thread may call everything here."""

    def __init__(self) -> None:
        self._recorders: dict[str, tuple[Recorder, LiveSession]] = {}

    def remember(self, session: LiveSession | None) -> None:
        """Remember the recording that runs in a session, if one does."""
        recorder = session.control.recorder if session is not None else None
        if recorder is not None and session is not None:
            self._recorders.setdefault(recorder.path.name, (recorder, session))

    def find(self, name: str) -> Path | None:
        """Return the file of a finished recording; None if there is none of that name."""
        if name not in self._recorders:
            return None
        recorder, session = self._recorders[name]
        if session.pipeline.is_writing(recorder) or not recorder.path.is_file():
            return None
        return recorder.path

    def state(self, session: LiveSession | None) -> RecordingState:
        """Return what a page shows of the recordings."""
        self.remember(session)
        recorder = session.control.recorder if session is not None else None
        return RecordingState(
            on=recorder is not None,
            file=recorder.path.name if recorder is not None else "",
            seconds=round(session.control.recording_seconds, 1) if session is not None else 0.0,
            finished=[name for name in self._recorders if self.find(name) is not None],
        )

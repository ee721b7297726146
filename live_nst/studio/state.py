"""Everything that a page shows, read from the session and what is around it."""

import threading
import time
from typing import Any

from live_nst.live.session import LiveSession
from live_nst.studio.host import Host
from live_nst.studio.models import (
    Figures,
    Runs,
    SessionState,
    SettingsState,
    SourceState,
    State,
    StreamState,
)
from live_nst.studio.sources import SourceList
from live_nst.studio.styles import StyleShelf
from live_nst.styles.spec import as_spec


class StateReader:
    """Reads what the session and its settings are. Any thread may call everything here.

    Args:
        host: Runs the session.
        shelf: The styles.
        sources: The sources.
    """

    def __init__(self, host: Host, shelf: StyleShelf, sources: SourceList) -> None:
        self._host = host
        self._shelf = shelf
        self._sources = sources
        self._lock = threading.Lock()
        self._version = 0
        self._last: Any = None

    def number(self, state: State) -> State:
        """Return a state with its version, which grows with each change.

        Figures and durations change all the time; a version stands for the rest.
        """
        rest = state.model_dump(exclude={"figures": True, "version": True})
        rest["session"].pop("seconds"), rest["recording"].pop("seconds")
        with self._lock:
            if rest != self._last:
                self._last, self._version = rest, self._version + 1
            state.version = self._version
        return state

    def session(self, session: LiveSession | None) -> SessionState:
        """Return whether a session runs, with which source."""
        host = self._host
        if session is None:
            source = SourceState(id=self._sources.id_of(host.options.source))
            return SessionState(
                running=False,
                starting=host.starting,
                source=source,
                problem=host.problem,
                seconds=0,
            )
        info = session.info
        return SessionState(
            running=True,
            starting=host.starting,
            source=SourceState(
                id=self._sources.id_of(session.source),
                name=info.name,
                width=info.width,
                height=info.height,
                fps=info.fps,
            ),
            problem=session.pipeline.notice or host.problem,
            seconds=round(time.monotonic() - host.started, 1),
        )

    def settings(self, session: LiveSession | None) -> SettingsState:
        """Return the settings of a session; without one, those that the next begins with."""
        if session is None:
            return self._settings_of_options()
        now = session.control.settings
        return SettingsState(
            style=self._shelf.weights_of(now.style),
            style_label=now.style.label,
            strength=now.strength,
            keep_colors=now.keep_colors,
            detail=now.detail,
            blend=now.blend,
            stroke=now.stroke,
            only=now.only,
            size="auto" if now.automatic_size else now.size,
            mirror=now.mirror,
            split=now.split,
            frozen=now.frozen,
            split_at=now.split_at,
        )

    def _settings_of_options(self) -> SettingsState:
        """Return the settings that the next session begins with."""
        options = self._host.options
        look, style = options.stylizer.look, as_spec(options.stylizer.styles[0])
        return SettingsState(
            style=self._shelf.weights_of(style),
            style_label=style.label,
            strength=look.strength,
            keep_colors=look.keep_colors,
            detail=look.detail,
            blend=look.blend,
            stroke=options.stylizer.stroke,
            only=look.only,
            size=options.stylizer.size or "auto",
            mirror=options.mirror,
            split=self._host.view.split,
            frozen=False,
            split_at=self._host.view.split_at,
        )


def read_figures(session: LiveSession | None) -> Figures:
    """Return how fast a session runs."""
    if session is None:
        return Figures()
    stats = session.pipeline.stats
    return Figures(
        fps=round(stats.current_fps, 1),
        latency_ms=round(1000 * stats.current_latency, 1),
        frames=stats.frames,
        dropped=session.pipeline.dropped,
        repeated=stats.repeated,
        static=session.pipeline.worker.is_static,
    )


def read_runs(session: LiveSession | None) -> Runs:
    """Return what runs where."""
    if session is None:
        return Runs()
    stylizer, worker = session.stylizer, session.pipeline.worker
    return Runs(
        model=stylizer.model_name,
        engine=stylizer.engine,
        precision=stylizer.precision,
        device=stylizer.device,
        size=worker.network_size,
        automatic_size=worker.size_controller.automatic,
    )


def read_streams(session: LiveSession | None) -> list[StreamState]:
    """Return the streams of a session, without their keys."""
    if session is None:
        return []
    return [
        StreamState(
            id=str(status.id), url=status.address, state=status.state, sentence=status.sentence
        )
        for status in session.streams.statuses()
    ]

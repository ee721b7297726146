"""What the studio knows and does, without any HTTP: the requests of pages and programs end here."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from live_nst.errors import VirtualCameraError
from live_nst.files.secrets import hide_login
from live_nst.live.control import SettingsChange
from live_nst.live.session import LiveSession
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.virtual_camera_setup import HostSystem
from live_nst.studio.host import Host
from live_nst.studio.models import (
    Figures,
    RecordingState,
    Runs,
    SessionRequest,
    SessionState,
    SettingsPatch,
    SettingsState,
    SourceState,
    State,
    StreamState,
    VirtualCameraState,
)
from live_nst.studio.pictures import encode_png
from live_nst.studio.requests import RequestError, no_session
from live_nst.studio.sources import SourceList
from live_nst.studio.styles import ShelvedStyle, StyleShelf
from live_nst.styles.spec import as_spec

_CAMERAS_FRESH_SECONDS = 5.0  # virtual cameras are looked for no more often


@dataclass
class Studio:
    """Answers requests. Any thread may call everything here.

    Attributes:
        host: Runs the session.
        shelf: The styles.
        sources: The sources.
        thumbnails: Returns the version of each style's thumbnail.
        viewers: Returns how many see the video.
        virtual_cameras: Returns the devices that frames can be written to; None where that is not
            known before one is opened.
    """

    host: Host
    shelf: StyleShelf
    sources: SourceList
    thumbnails: Callable[[], Mapping[str, int]] = dict
    viewers: Callable[[], int] = lambda: 0
    virtual_cameras: Callable[[], list[str] | None] = lambda: None
    _recorders: dict[str, tuple[Recorder, LiveSession]] = field(default_factory=dict)
    _version: int = 0
    _last: Any = None
    _camera_problem: str = ""
    _cameras: tuple[float, list[str] | None] = (-1e9, None)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def session(self) -> LiveSession:
        """Return the session that runs.

        Raises:
            RequestError: None does.
        """
        session = self.host.session
        if session is None:
            raise no_session()
        return session

    # What there is.

    def state(self) -> State:
        """Return everything that a page shows. `State.secure` is for the caller to set."""
        session = self.host.session
        self._remember_recorder(session)
        state = State(
            version=0,
            session=self._session_state(session),
            settings=self._settings_state(session),
            figures=_figures(session),
            runs=_runs(session),
            recording=self._recording_state(session),
            virtual_camera=self._virtual_camera_state(session),
            streams=_streams(session),
            viewers=self.viewers(),
            thumbnails=dict(self.thumbnails()),
            secure=False,
        )
        with self._lock:
            # Figures and durations change all the time; a version stands for the rest.
            rest = state.model_dump(exclude={"figures": True, "version": True})
            rest["session"].pop("seconds"), rest["recording"].pop("seconds")
            if rest != self._last:
                self._last, self._version = rest, self._version + 1
            state.version = self._version
        return state

    def _session_state(self, session: LiveSession | None) -> SessionState:
        host = self.host
        if session is None:
            source = SourceState(id=self.sources.id_of(host.options.source))
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
                id=self.sources.id_of(session.source),
                name=info.name,
                width=info.width,
                height=info.height,
                fps=info.fps,
            ),
            problem=session.pipeline.notice or host.problem,
            seconds=round(time.monotonic() - host.started, 1),
        )

    def _settings_state(self, session: LiveSession | None) -> SettingsState:
        if session is None:
            return self._settings_of_options()
        now = session.control.settings
        return SettingsState(
            style=self.shelf.weights_of(now.style),
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
        options = self.host.options
        look, style = options.stylizer.look, as_spec(options.stylizer.styles[0])
        return SettingsState(
            style=self.shelf.weights_of(style),
            style_label=style.label,
            strength=look.strength,
            keep_colors=look.keep_colors,
            detail=look.detail,
            blend=look.blend,
            stroke=options.stylizer.stroke,
            only=look.only,
            size=options.stylizer.size or "auto",
            mirror=options.mirror,
            split=self.host.view.split,
            frozen=False,
            split_at=self.host.view.split_at,
        )

    def _remember_recorder(self, session: LiveSession | None) -> None:
        recorder = session.control.recorder if session is not None else None
        if recorder is not None and session is not None:
            self._recorders.setdefault(recorder.path.name, (recorder, session))

    def _recording_state(self, session: LiveSession | None) -> RecordingState:
        recorder = session.control.recorder if session is not None else None
        return RecordingState(
            on=recorder is not None,
            file=recorder.path.name if recorder is not None else "",
            seconds=round(session.control.recording_seconds, 1) if session is not None else 0.0,
            finished=[name for name in self._recorders if self.recording(name) is not None],
        )

    def _virtual_camera_state(self, session: LiveSession | None) -> VirtualCameraState:
        now = time.monotonic()
        if now - self._cameras[0] > _CAMERAS_FRESH_SECONDS:
            self._cameras = now, self.virtual_cameras()
        devices = self._cameras[1]
        name = session.virtual_camera if session is not None else None
        return VirtualCameraState(
            on=name is not None,
            device=(name or "").removeprefix("virtual camera "),
            problem="" if name else self._camera_problem,
            available=devices is None or bool(devices),
        )

    # What is asked for.

    def change(self, patch: SettingsPatch) -> None:
        """Change settings: all of them, or none.

        Raises:
            LiveNstError: A value is invalid, or no session runs.
        """
        session = self.session()
        values = patch.model_dump(exclude_none=True)
        style = values.pop("style", None)
        if style is not None:
            values["style"] = self.shelf.mix({style: 1.0} if isinstance(style, str) else style)
        session.control.change(SettingsChange(**values))

    def add_style(self, data: bytes, label: str) -> ShelvedStyle:
        """Add an uploaded picture to the styles.

        Raises:
            StyleError: It cannot be used.
        """
        style = self.shelf.add_upload(data, label)
        self.offer_styles()
        return style

    def remove_style(self, style_id: str) -> None:
        """Remove an uploaded picture.

        Raises:
            RequestError: There is no upload with this id.
        """
        if not self.shelf.remove(style_id):
            raise RequestError(404, f"There is no uploaded picture {style_id!r}.")
        self.offer_styles()

    def offer_styles(self) -> None:
        """Let the keys of the session know the styles of the shelf."""
        session = self.host.session
        if session is not None:
            session.control.set_styles([style.spec for style in self.shelf.styles])

    def snapshot(self, *, save: bool) -> bytes:
        """Return the newest stylized image as PNG.

        Args:
            save: Save it in the folder of the session as well.

        Raises:
            LiveNstError: There is no image yet, or it cannot be saved.
        """
        session = self.session()
        image = session.control.newest
        if image is None:
            raise RequestError(409, "There is no picture yet.", "try again in a moment")
        if save:
            session.control.save_snapshot()
        return encode_png(image)

    def record(self, on: bool) -> None:
        """Start or end a recording.

        Raises:
            LiveNstError: It cannot be written, or no session runs.
        """
        session = self.session()
        if not on:
            self._remember_recorder(session)
            session.control.stop_recording()
            return
        session.control.start_recording()
        self._remember_recorder(session)

    def recording(self, name: str) -> Path | None:
        """Return the file of a finished recording; None if there is none of that name."""
        if name not in self._recorders:
            return None
        recorder, session = self._recorders[name]
        if session.pipeline.is_writing(recorder) or not recorder.path.is_file():
            return None
        return recorder.path

    def feed_virtual_camera(self, on: bool, device: str | None) -> None:
        """Feed a virtual camera, or stop it.

        Args:
            on: Whether it is fed.
            device: One that this machine has; None for the first one found.

        Raises:
            LiveNstError: It cannot be opened, or no session runs.
        """
        session = self.session()
        self._camera_problem = ""
        if not on:
            session.stop_virtual_camera()
            return
        devices = self.virtual_cameras()
        if device is not None and device not in (devices if devices is not None else [device]):
            raise RequestError(422, "There is no such virtual camera.", "leave out the device")
        try:
            session.start_virtual_camera(device)
        except VirtualCameraError as exc:
            self._camera_problem = str(exc)
            raise

    def start_stream(self, url: str) -> None:
        """Send the session to a server.

        Args:
            url: Its address with the key. The path of a playlist is refused: no request names a
                file.

        Raises:
            LiveNstError: It is no such address, or no session runs.
        """
        if "://" not in url:
            raise RequestError(422, "This is no address of a server.", "use rtmp://HOST/APP/KEY")
        self.session().streams.start(url)

    def stop_stream(self, stream_id: int) -> None:
        """Stop a stream.

        Raises:
            RequestError: There is none with this id.
        """
        streams = self.session().streams
        if all(status.id != stream_id for status in streams.statuses()):
            raise RequestError(404, f"There is no stream {stream_id}.")
        streams.stop(stream_id)

    def run(self, request: SessionRequest) -> None:
        """Start a session, or change the one that runs.

        Raises:
            LiveNstError: It cannot run so.
        """
        options, session = self.host.options, self.host.session
        source = session.source if session is not None else options.source
        if request.source is not None:
            found = self.sources.find(request.source)
            if found is None:
                shown = hide_login(request.source)[:60]
                raise RequestError(422, f"There is no source {shown!r}.", "see the list of sources")
            source = found
        stylizer = options.stylizer
        wanted = {
            name: value
            for name in ("model", "engine", "device", "precision")
            if (value := getattr(request, name)) not in (None, "given")
        }
        fps = options.request.fps if request.fps is None else request.fps
        changed = replace(
            options,
            stylizer=replace(stylizer, **wanted),
            source=source,
            request=replace(options.request, fps=fps),
        )
        if session is not None and changed == replace(options, source=source):
            if source != session.source:
                session.change_source(source)
                self.host.options = changed
            return
        self.host.start(changed)


def _figures(session: LiveSession | None) -> Figures:
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


def _runs(session: LiveSession | None) -> Runs:
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


def _streams(session: LiveSession | None) -> list[StreamState]:
    if session is None:
        return []
    return [
        StreamState(
            id=str(status.id), url=status.address, state=status.state, sentence=status.sentence
        )
        for status in session.streams.statuses()
    ]


def installed_virtual_cameras() -> list[str] | None:
    """Return the virtual cameras of this machine; None where there is no list of them."""
    if not sys.platform.startswith("linux"):
        return None
    return HostSystem().loopbacks()

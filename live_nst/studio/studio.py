"""What the studio knows and does, without any HTTP: the requests of pages and programs end here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from live_nst.files.secrets import hide_login
from live_nst.live.session import LiveSession
from live_nst.live.settings import SettingsChange
from live_nst.models.handles import no_model
from live_nst.runtime.device_words import check_device
from live_nst.studio.host import Host
from live_nst.studio.models import MODELS, SessionRequest, SettingsPatch, State
from live_nst.studio.pictures import encode_png
from live_nst.studio.recordings import Recordings
from live_nst.studio.requests import RequestError, no_session
from live_nst.studio.sources import SourceList
from live_nst.studio.state import StateReader, read_figures, read_runs, read_streams
from live_nst.studio.styles import ShelvedStyle, StyleShelf
from live_nst.studio.virtual_cameras import VirtualCameras

# No request names a file or another host, so not all that the command line takes.
_CHOICE_OF_MODELS = (
    ", ".join(f"`{name}`" for name in MODELS)
    + "; start with `live-nst studio --model` for any other one"
)


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

    def __post_init__(self) -> None:
        """Make what reads the state."""
        self._reader = StateReader(self.host, self.shelf, self.sources)
        self._recordings = Recordings()
        self._cameras = VirtualCameras(self.virtual_cameras)

    def session(self) -> LiveSession:
        """Return the session that runs.

        Raises:
            RequestError: None does.
        """
        session = self.host.session
        if session is None:
            raise no_session(starting=self.host.starting)
        return session

    def state(self) -> State:
        """Return everything that a page shows. `State.secure` is for the caller to set."""
        session = self.host.session
        reader = self._reader
        state = State(
            version=0,
            session=reader.session(session),
            settings=reader.settings(session),
            figures=read_figures(session),
            runs=read_runs(session),
            recording=self._recordings.state(session),
            virtual_camera=self._cameras.state(session),
            streams=read_streams(session),
            viewers=self.viewers(),
            thumbnails=dict(self.thumbnails()),
            secure=False,
        )
        return reader.number(state)

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
            self._recordings.remember(session)
            session.control.stop_recording()
            return
        session.control.start_recording()
        self._recordings.remember(session)

    def recording(self, name: str) -> Path | None:
        """Return the file of a finished recording; None if there is none of that name."""
        return self._recordings.find(name)

    def feed_virtual_camera(self, on: bool, device: str | None) -> None:
        """Feed a virtual camera, or stop it.

        Args:
            on: Whether it is fed.
            device: One that this machine has; None for the first one found.

        Raises:
            LiveNstError: It cannot be opened, or no session runs.
        """
        self._cameras.feed(self.session(), on, device)

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
        if request.model not in (None, "given", *MODELS):
            raise no_model(request.model[:80], _CHOICE_OF_MODELS)
        if request.device is not None:
            check_device(request.device[:80])
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

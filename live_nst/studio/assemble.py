"""Put the parts of the studio together, for a session of its own or one that runs already."""

from collections.abc import Callable

from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession
from live_nst.sources.base import Source, SourceRequest
from live_nst.sources.browser import BrowserSource
from live_nst.sources.browser_feed import BrowserInbox
from live_nst.sources.factory import open_source
from live_nst.studio.app import AppParts, Hubs
from live_nst.studio.attached import AttachedSession
from live_nst.studio.events import EventHub
from live_nst.studio.host import Host, SessionHost
from live_nst.studio.models import State
from live_nst.studio.pictures import PictureHub
from live_nst.studio.security import Access
from live_nst.studio.sources import SourceList
from live_nst.studio.studio import Studio
from live_nst.studio.styles import StyleShelf
from live_nst.studio.thumbnails import Thumbnails
from live_nst.studio.video import VideoHub
from live_nst.studio.virtual_cameras import installed_virtual_cameras
from live_nst.types import Closeable, DownloadProgress, Notify


def studio_parts(
    options: LiveOptions,
    shelf: StyleShelf,
    access: Access,
    notify: Notify,
    progress: DownloadProgress,
) -> tuple[SessionHost, AppParts]:
    """Return a host of sessions, and the parts of an application that shows them.

    Args:
        options: What the first session is asked to do.
        shelf: The styles; the caller closes it.
        access: Who may ask.
        notify: Called with one sentence at a time, from any thread.
        progress: Called while a model is downloaded.
    """
    inbox = BrowserInbox()
    studio: Studio

    def read_state() -> State:
        return studio.state()

    def open_named(spec: str, request: SourceRequest) -> Source:
        return BrowserSource(inbox, request) if spec == "browser" else open_source(spec, request)

    hubs = _hubs(shelf, read_state)

    def tell(sentence: str) -> None:
        notify(sentence)
        hubs.events.message(sentence)

    host = SessionHost(
        options,
        tell,
        progress,
        open_source=open_named,
        attach=(*hubs.attach, lambda session: _Styles(session, shelf)),
        changed=hubs.events.changed,
    )
    studio = _studio(host, shelf, hubs, SourceList(options.source))
    return host, AppParts(studio, hubs, access, notify, inbox)


def attached_parts(
    session: LiveSession, shelf: StyleShelf, access: Access, notify: Notify
) -> AppParts:
    """Return the parts of an application without a page, for a session that someone else runs.

    `AppParts.hubs.attach` is to be called with the session.

    Args:
        session: The session.
        shelf: The styles; the caller closes it.
        access: Who may ask.
        notify: Called with one sentence at a time, from any thread.
    """
    studio: Studio

    def read_state() -> State:
        return studio.state()

    hubs = _hubs(shelf, read_state)
    sources = SourceList(session.source, browser=False)
    studio = _studio(AttachedSession(session), shelf, hubs, sources)
    return AppParts(studio, hubs, access, notify, page=False)


def _hubs(shelf: StyleShelf, read_state: Callable[[], State]) -> Hubs:
    events = EventHub(read_state)
    thumbnails = Thumbnails(
        lambda: shelf.styles, wanted=lambda: len(events.viewers) > 0, changed=events.changed
    )
    return Hubs(VideoHub(), PictureHub(), events, thumbnails)


def _studio(host: Host, shelf: StyleShelf, hubs: Hubs, sources: SourceList) -> Studio:
    return Studio(
        host,
        shelf,
        sources,
        thumbnails=lambda: hubs.thumbnails.versions,
        viewers=lambda: hubs.viewers,
        virtual_cameras=installed_virtual_cameras,
    )


class _Styles(Closeable):
    """Lets the keys of a session choose from the shelf."""

    def __init__(self, session: LiveSession, shelf: StyleShelf) -> None:
        session.control.set_styles([style.spec for style in shelf.styles])

    def close(self) -> None:
        """Nothing to do."""

"""The application: every request and WebSocket, behind the checks and limits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from live_nst import __version__
from live_nst.errors import LiveNstError
from live_nst.files.secrets import hide_keys
from live_nst.live.run import Attach
from live_nst.sources.browser_feed import BrowserInbox
from live_nst.studio.events import EventHub
from live_nst.studio.limits import BodyLimitMiddleware
from live_nst.studio.page_files import page_routes
from live_nst.studio.pictures import PictureHub
from live_nst.studio.presets import preset_routes
from live_nst.studio.requests import as_sentence, http_status
from live_nst.studio.routes import picture_routes, session_routes, style_routes
from live_nst.studio.security import Access, AsgiApp, Receive, Scope, SecurityMiddleware, Send
from live_nst.studio.sockets import camera_route, socket_routes
from live_nst.studio.studio import Studio
from live_nst.studio.thumbnails import Thumbnails
from live_nst.studio.video import VideoHub
from live_nst.types import Notify

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address takes no such request.",
}


@dataclass
class Hubs:
    """What sends things to viewers while a session runs.

    Attributes:
        video: The video as H.264.
        pictures: The video as JPEG.
        events: States and sentences.
        thumbnails: The current frame in each style.
    """

    video: VideoHub
    pictures: PictureHub
    events: EventHub
    thumbnails: Thumbnails

    @property
    def attach(self) -> Sequence[Attach]:
        """What is attached to each session."""
        hubs = (self.video, self.pictures, self.events, self.thumbnails)
        return tuple(hub.attach for hub in hubs)

    @property
    def viewers(self) -> int:
        """How many see the video."""
        return len(self.video.viewers) + len(self.pictures.viewers)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use an event loop."""
        for viewers in (self.video.viewers, self.pictures.viewers, self.events.viewers):
            viewers.bind(loop)

    def end(self) -> None:
        """Let all viewers go; from any thread."""
        for viewers in (self.video.viewers, self.pictures.viewers, self.events.viewers):
            viewers.call(viewers.end)


@dataclass
class AppParts:
    """What an application is made of.

    Attributes:
        studio: Answers the requests.
        hubs: Send things to viewers.
        access: Who may ask.
        notify: Gets a sentence about each request that failed unexpectedly.
        inbox: Takes the camera of a page; None where pages cannot send one.
        page: Whether the page itself is served.
        routers: Further requests.
    """

    studio: Studio
    hubs: Hubs
    access: Access
    notify: Notify
    inbox: BrowserInbox | None = None
    page: bool = True
    routers: Sequence[APIRouter] = field(default_factory=tuple)


def create_app(parts: AppParts) -> AsgiApp:
    """Return the application, with the checks around it."""
    app = create_api(parts)
    limited = BodyLimitMiddleware(QuietMiddleware(app, parts.notify))
    return SecurityMiddleware(limited, parts.access)


def create_api(parts: AppParts) -> FastAPI:
    """Return the application without the checks."""
    studio, hubs = parts.studio, parts.hubs

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        hubs.bind(asyncio.get_running_loop())
        task = asyncio.create_task(hubs.events.run())
        yield
        task.cancel()

    app = FastAPI(
        title="live-nst studio",
        version=__version__,
        description="Read and change a live session. Errors are {error, hint}.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # these pages load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
    )
    for router in (
        session_routes(studio),
        preset_routes(studio),
        style_routes(studio, hubs.thumbnails),
        picture_routes(studio, hubs.pictures),
        socket_routes(studio, hubs.events, hubs.video),
        *parts.routers,
    ):
        app.include_router(router)
    if parts.inbox is not None:
        app.include_router(camera_route(studio, parts.inbox))
    if parts.page:
        app.include_router(page_routes())
    _translate_errors(app, parts.notify)
    return app


def _translate_errors(app: FastAPI, notify: Notify) -> None:
    """Make every error a sentence and a hint, without a traceback."""

    @app.exception_handler(LiveNstError)
    def answer_error(_: Request, error: LiveNstError) -> JSONResponse:
        return _problem(http_status(error), as_sentence(error.message), error.hint)

    @app.exception_handler(RequestValidationError)
    def answer_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return _problem(422, _describe(error), "see /api/openapi.json")

    @app.exception_handler(HTTPException)
    def answer_http(_: Request, error: HTTPException) -> JSONResponse:
        sentence = _SENTENCES.get(error.status_code, "The request cannot be understood.")
        return _problem(error.status_code, sentence, "see /api/openapi.json")

    @app.exception_handler(Exception)
    def answer_unexpected(_: Request, error: Exception) -> JSONResponse:
        if isinstance(error, RuntimeError) and "after shutdown" in str(error):
            return _problem(409, "The session has just ended.", "start it again")
        notify(f"A request failed unexpectedly: {_describe_defect(error)}")
        return _problem(500, "The request failed unexpectedly.", "please report it")


class QuietMiddleware:
    """Keeps errors that were answered already from the log of the server.

    Args:
        app: What may fail.
        notify: Gets a sentence about a WebSocket that failed unexpectedly.
    """

    def __init__(self, app: AsgiApp, notify: Notify) -> None:
        self._app = app
        self._notify = notify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or one WebSocket."""
        try:
            await self._app(scope, receive, send)
        except Exception as exc:
            if scope["type"] == "lifespan":
                raise
            if scope["type"] == "websocket" and not isinstance(exc, OSError):
                self._notify(f"A WebSocket failed unexpectedly: {_describe_defect(exc)}")


def _describe_defect(error: Exception) -> str:
    """Return an unexpected error in a few words, without keys and passwords."""
    return f"{type(error).__name__}: {hide_keys(str(error))}"


def _problem(status: int, error: str, hint: str) -> JSONResponse:
    return JSONResponse({"error": error, "hint": hint}, status)


def _describe(error: RequestValidationError) -> str:
    """Return the first mistake of a request as a sentence."""
    first = error.errors()[0]
    # What follows the name says which type was tried, or where the JSON breaks off.
    place = next((part for part in first["loc"][1:2] if isinstance(part, str)), "")
    message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    text = f"{place[:60]}: {message}" if place else message
    return f"{text[:1].upper()}{text[1:200]}."

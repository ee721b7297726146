"""The HTTP requests that pages and programs make."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from live_nst.studio.models import (
    KeyPress,
    Problem,
    SessionRequest,
    SettingsPatch,
    SourceEntry,
    State,
    StreamRequest,
    StyleEntry,
    Switch,
    VirtualCameraSwitch,
)
from live_nst.studio.pictures import BOUNDARY, PictureHub, PictureViewer, as_part, encode_jpeg
from live_nst.studio.requests import RequestError
from live_nst.studio.security import Headers
from live_nst.studio.sockets import is_secure
from live_nst.studio.studio import Studio
from live_nst.studio.styles import ShelvedStyle
from live_nst.studio.thumbnails import Thumbnails

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 408, 409, 413, 422, 503)
}
"""Every answer that is an error."""

StyleId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
FileName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
_IMAGE_BODY = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_MOST_UPLOADS = 8  # at once
_MULTIPART = f"multipart/x-mixed-replace;boundary={BOUNDARY}"


def session_routes(studio: Studio) -> APIRouter:
    """Return the requests that read and change the session."""
    router = APIRouter(prefix="/api", responses=PROBLEMS)

    def state(request: Request) -> State:
        return state_for(studio, request)

    @router.get("/state")
    def read_state(request: Request) -> State:
        """Return everything that a page shows."""
        return state(request)

    @router.patch("/settings")
    def change_settings(patch: SettingsPatch, request: Request) -> State:
        """Change some settings: all of them, or none."""
        studio.change(patch)
        return state(request)

    @router.post("/keys")
    def press_key(press: KeyPress, request: Request) -> State:
        """Do what a key does in the window."""
        studio.host.press(press.key)
        return state(request)

    @router.put("/recording")
    def record(switch: Switch, request: Request) -> State:
        """Start or end a recording."""
        studio.record(switch.on)
        return state(request)

    @router.put("/virtual-camera")
    def feed_virtual_camera(switch: VirtualCameraSwitch, request: Request) -> State:
        """Feed a virtual camera, or stop it."""
        studio.feed_virtual_camera(switch.on, switch.device)
        return state(request)

    @router.post("/streams", status_code=201)
    def start_stream(wanted: StreamRequest, request: Request) -> State:
        """Send the session to a server as well."""
        studio.start_stream(wanted.url)
        return state(request)

    @router.delete("/streams/{stream_id}")
    def stop_stream(stream_id: Annotated[int, Path(ge=1, le=1_000_000)], request: Request) -> State:
        """Stop a stream; its last frames arrive."""
        studio.stop_stream(stream_id)
        return state(request)

    @router.get("/sources")
    def list_sources() -> list[SourceEntry]:
        """Return the sources to choose from."""
        return studio.sources.entries()

    @router.put("/session")
    def run_session(wanted: SessionRequest, request: Request) -> State:
        """Start a session, or change the one that runs."""
        studio.run(wanted)
        return state(request)

    @router.delete("/session")
    def stop_session(request: Request) -> State:
        """End the session; its recording is finished."""
        studio.host.stop()
        return state(request)

    return router


def state_for(studio: Studio, request: Request) -> State:
    """Return the state for the answer to a request."""
    state = studio.state()
    state.secure = is_secure(request.url.scheme, Headers(request.scope["headers"]))
    return state


def style_routes(studio: Studio, thumbnails: Thumbnails) -> APIRouter:
    """Return the requests about styles."""
    router = APIRouter(prefix="/api/styles", responses=PROBLEMS)

    decoding = asyncio.Lock()  # one picture at a time: each may take hundreds of megabytes
    waiting = 0

    def find(style_id: str) -> ShelvedStyle:
        style = studio.shelf.find(style_id)
        if style is None:
            raise RequestError(404, "There is no such style.", "see the list of styles")
        return style

    @router.get("")
    def list_styles() -> list[StyleEntry]:
        """Return the styles to choose from, in order."""
        return [_entry(style) for style in studio.shelf.styles]

    @router.post("", status_code=201, openapi_extra=_IMAGE_BODY)
    async def add_style(
        request: Request,
        x_label: Annotated[str, Header(max_length=1000)] = "",
        content_type: Annotated[str, Header(max_length=200)] = "",
    ) -> StyleEntry:
        """Add a picture to the styles."""
        if not content_type.lower().startswith("image/"):
            raise RequestError(
                422, "The request says that it brings no picture.", "set Content-Type to image/jpeg"
            )
        nonlocal waiting
        if waiting >= _MOST_UPLOADS:
            raise RequestError(
                503, "Several pictures are being added already.", "try again in a moment"
            )
        waiting += 1
        try:
            async with decoding:
                data, label = await request.body(), unquote(x_label, errors="replace")
                return _entry(await asyncio.to_thread(studio.add_style, data, label))
        finally:
            waiting -= 1

    @router.delete("/{style_id}", status_code=204)
    def remove_style(style_id: StyleId) -> None:
        """Remove an uploaded picture."""
        studio.remove_style(style_id)

    @router.get("/{style_id}/picture", response_class=Response, responses=_JPEG)
    def read_picture(style_id: StyleId) -> Response:
        """Return the picture of a style, small."""
        return Response(studio.shelf.picture(find(style_id)), media_type="image/jpeg")

    @router.get("/{style_id}/thumbnail", response_class=Response, responses=_JPEG)
    def read_thumbnail(style_id: StyleId, v: Annotated[int, Query(ge=0)] = 0) -> Response:
        """Return the current frame in a style."""
        picture = thumbnails.find(find(style_id).id)
        if picture is None:
            raise RequestError(404, "There is no thumbnail of this style yet.")
        return Response(picture, media_type="image/jpeg")

    return router


def _entry(style: ShelvedStyle) -> StyleEntry:
    return StyleEntry(
        id=style.id,
        label=style.label,
        description=style.description,
        kind=style.kind,
        picture=f"/api/styles/{style.id}/picture",
        thumbnail=f"/api/styles/{style.id}/thumbnail",
    )


def picture_routes(studio: Studio, pictures: PictureHub) -> APIRouter:
    """Return the requests for pictures and files."""
    router = APIRouter(responses=PROBLEMS)

    @router.post(
        "/api/snapshot",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    def take_snapshot(save: Annotated[int, Query(ge=0, le=1)] = 0) -> Response:
        """Return the newest picture; with save=1, save it as well."""
        headers = {"content-disposition": 'attachment; filename="live-nst.png"'}
        return Response(studio.snapshot(save=bool(save)), 200, headers, "image/png")

    @router.get("/api/recordings/{name}", response_class=FileResponse)
    def download_recording(name: FileName) -> FileResponse:
        """Return a finished recording."""
        path = studio.recording(name)
        if path is None:
            raise RequestError(404, "There is no finished recording of this name.")
        return FileResponse(path, filename=name)

    @router.get(
        "/stream.mjpeg",
        response_class=StreamingResponse,
        responses={200: {"content": {_MULTIPART: {}}}},
    )
    async def stream_pictures(
        fps: Annotated[float, Query(ge=0.1, le=60)] = 30.0,
        width: Annotated[int | None, Query(ge=16, le=4096)] = None,
    ) -> StreamingResponse:
        """Return the video as JPEG pictures, without end: for OBS and the like."""
        viewer = PictureViewer(width, fps)
        pictures.viewers.add(viewer)
        return StreamingResponse(
            _parts(studio, pictures, viewer), media_type=_MULTIPART, headers={"pragma": "no-cache"}
        )

    return router


async def _parts(
    studio: Studio, pictures: PictureHub, viewer: PictureViewer
) -> AsyncIterator[bytes]:
    """Yield the pictures for one viewer."""
    try:
        yield f"--{BOUNDARY}\r\n".encode()
        session = studio.host.session
        newest = session.control.newest if session is not None else None
        if newest is not None:  # a held picture would not come by itself
            yield as_part(await asyncio.to_thread(encode_jpeg, newest, viewer.width))
        while (picture := await viewer.get()) is not None:
            yield as_part(picture)
    finally:
        pictures.viewers.remove(viewer)

"""The WebSockets: events, the video down, and the browser's camera up."""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from live_nst.errors import LiveNstError, SourceError
from live_nst.sources.browser import MAX_PIXELS
from live_nst.sources.browser_feed import BrowserFeed, BrowserInbox, SentFrame, VideoFormat
from live_nst.studio.events import EventHub, EventViewer
from live_nst.studio.requests import RequestError, as_sentence
from live_nst.studio.security import Headers, host_name, is_loopback
from live_nst.studio.studio import Studio
from live_nst.studio.video import HEADER, KEYFRAME, KIND_CAMERA, Message, VideoHub, VideoViewer
from live_nst.studio.viewers import STALL_SECONDS, Viewer, send_all

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of the largest message that is taken: a frame of a camera as JPEG."""
_MAX_TEXT = 4096
_START_SECONDS = 10.0  # for the first message of a camera
_SILENCE_SECONDS = 30.0  # without a frame of a camera
_POLICY, _TRY_LATER, _NORMAL = 1008, 1013, 1000


class BadMessage(Exception):
    """A message that no page of the studio sends."""


def is_secure(scheme: str, headers: Headers) -> bool:
    """Return whether browsers allow cameras and decoders of video on a page reached so."""
    name = host_name(headers.get("host")) or ""
    return scheme in ("https", "wss") or name.endswith(".localhost") or is_loopback(name)


def socket_routes(studio: Studio, events: EventHub, video: VideoHub) -> APIRouter:
    """Return the WebSockets that pages read."""
    router = APIRouter()

    @router.websocket("/api/events")
    async def send_events(socket: WebSocket) -> None:
        await socket.accept()
        secure = is_secure(socket.url.scheme, Headers(socket.scope["headers"]))
        viewer = EventViewer(secure)
        if not await _admit(socket, lambda: events.viewers.add(viewer)):
            return
        try:
            viewer.put(await events.first(secure))
            await _until_one_ends(socket, send_all(viewer, socket.send_text), _ignore(socket))
        finally:
            events.viewers.remove(viewer)

    @router.websocket("/api/video")
    async def send_video(socket: WebSocket) -> None:
        await socket.accept()
        viewer = VideoViewer()
        if not await _admit(socket, lambda: video.add(viewer)):
            return

        async def send(message: Message) -> None:
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)

        async def answer() -> None:
            async for request in _texts(socket):
                if request.get("type") == "keyframe":
                    video.request_keyframe()
                elif request.get("type") == "time":
                    client = _number(request.get("client"))
                    viewer.put(
                        json.dumps({"type": "time", "client": client, "server": time.monotonic()})
                    )
                else:
                    raise BadMessage

        try:
            await _until_one_ends(socket, send_all(viewer, send), answer())
        finally:
            video.remove(viewer)

    return router


def camera_route(studio: Studio, inbox: BrowserInbox) -> APIRouter:
    """Return the WebSocket to which a page sends its camera or screen."""
    router = APIRouter()

    @router.websocket("/api/camera")
    async def receive_camera(socket: WebSocket) -> None:
        await socket.accept()
        loop = asyncio.get_running_loop()
        answers: Viewer[str] = Viewer(200)

        def answer(**message: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(answers.put, json.dumps(message))

        def refuse(error: LiveNstError) -> None:
            answer(error=as_sentence(error.message), hint=error.hint)
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(answers.end)

        try:
            async with asyncio.timeout(_START_SECONDS):
                name, form = _camera_of(await _next_text(socket))
        except (TimeoutError, BadMessage):
            await _close(socket, _POLICY)
            return
        except WebSocketDisconnect:
            return
        feed = BrowserFeed(
            name,
            form,
            on_decoded=lambda index: answer(ack=index),
            on_keyframe_needed=lambda: answer(type="keyframe"),
            on_refused=refuse,
        )
        if not await _admit(socket, lambda: _connect(studio, inbox, feed)):
            return
        try:
            await _until_one_ends(
                socket, send_all(answers, socket.send_text), _receive_frames(socket, feed)
            )
        finally:
            inbox.disconnect(feed)

    return router


def _connect(studio: Studio, inbox: BrowserInbox, feed: BrowserFeed) -> None:
    session = studio.session()
    if session.source != "browser":
        raise RequestError(
            409, "The session shows another source.", "choose the browser's camera as the source"
        )
    inbox.connect(feed)
    session.retry_source()


async def _receive_frames(socket: WebSocket, feed: BrowserFeed) -> None:
    """Hand on the frames that a page sends."""
    while True:
        async with asyncio.timeout(_SILENCE_SECONDS):
            data = await _next_bytes(socket)
        feed.put(_sent_frame(data))


def _sent_frame(data: bytes) -> SentFrame:
    if len(data) <= HEADER.size:
        raise BadMessage
    kind, flags, _, _, _, captured, index = HEADER.unpack_from(data)
    if kind != KIND_CAMERA:
        raise BadMessage
    return SentFrame(
        data[HEADER.size :],
        bool(flags & KEYFRAME),
        index,
        captured if math.isfinite(captured) else 0.0,
    )


def _camera_of(message: dict[str, Any]) -> tuple[str, VideoFormat]:
    """Return the name and the format of what a page is about to send."""
    names = {"camera": "browser's camera", "screen": "browser's screen"}
    form, kind = message.get("codec"), message.get("kind")
    size = [_number(message.get(name)) for name in ("width", "height")]
    if kind not in names or form not in ("h264", "jpeg"):
        raise BadMessage
    if not (min(size) >= 16 and size[0] * size[1] <= MAX_PIXELS):
        raise BadMessage
    return names[kind], form


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadMessage
    return value


# What is sent and received.


async def _next_bytes(socket: WebSocket) -> bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    data = message.get("bytes")
    if not isinstance(data, bytes):
        raise BadMessage
    return data


async def _next_text(socket: WebSocket) -> dict[str, Any]:
    """Return the next message: a JSON object."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    text = message.get("text")
    if not isinstance(text, str) or len(text) > _MAX_TEXT:
        raise BadMessage
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadMessage from exc
    if not isinstance(value, dict):
        raise BadMessage
    return value


async def _texts(socket: WebSocket) -> AsyncIterator[dict[str, Any]]:
    while True:
        yield await _next_text(socket)


async def _ignore(socket: WebSocket) -> None:
    """Take what a page says until it leaves."""
    while True:
        await _next_text(socket)


async def _admit(socket: WebSocket, add: Callable[[], None]) -> bool:
    """Let a page in; else tell it why, and close."""
    try:
        add()
    except LiveNstError as exc:
        await socket.send_text(json.dumps({"error": as_sentence(exc.message), "hint": exc.hint}))
        await _close(socket, _TRY_LATER)
        return False
    return True


async def _until_one_ends(socket: WebSocket, *jobs: Coroutine[Any, Any, None]) -> None:
    """Run jobs side by side until one of them ends; then close the WebSocket."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    errors = [error for task in done if (error := task.exception()) is not None]
    for error in errors:
        if not _is_expected(error):
            raise error
    bad = any(isinstance(error, BadMessage) for error in errors)
    await _close(socket, _POLICY if bad else _NORMAL)


def _is_expected(error: BaseException) -> bool:
    """Return whether an error is how a connection ends."""
    if isinstance(error, RuntimeError):
        # The server closes by itself if a message is too large; a send that comes later ends so.
        return "after sending 'websocket.close'" in str(error)
    return isinstance(error, WebSocketDisconnect | TimeoutError | BadMessage | SourceError)


async def _close(socket: WebSocket, code: int) -> None:
    """Close a WebSocket, if it is not closed; one that takes nothing is left to the server."""
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(STALL_SECONDS / 10):
            await socket.close(code)

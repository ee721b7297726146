"""The files of the page, kept in memory.

A page asks for fifty of them at once. Read from the disk by threads, each would wait for its turn
beside the threads that paint.
"""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

PAGE = Path(__file__).parent / "page"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def page_routes(folder: Path = PAGE) -> APIRouter:
    """Return the page at `/`, and its other files below `/static/`.

    They are read now. A browser that has a file asks whether it is still the same, and is told so.

    Args:
        folder: Holds `index.html` and what it needs.
    """
    files = {
        path.relative_to(folder).as_posix(): (path.read_bytes(), _media_type(path))
        for path in folder.rglob("*")
        if path.is_file()
    }
    tags = {name: f'"{hashlib.sha256(data).hexdigest()[:20]}"' for name, (data, _) in files.items()}
    router = APIRouter()

    def answer(name: str, request: Request) -> Response:
        if name not in files:
            raise HTTPException(404)
        headers = {"ETag": tags[name]}
        if request.headers.get("if-none-match") == tags[name]:
            return Response(status_code=304, headers=headers)
        data, media_type = files[name]
        return Response(data, media_type=media_type, headers=headers)

    # Not in threads, as functions without `async` would be: there is nothing to wait for.
    @router.api_route("/static/{name:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def read_file(name: str, request: Request) -> Response:
        return answer(name, request)

    @router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def read_page(request: Request) -> Response:
        return answer("index.html", request)

    return router


def _media_type(path: Path) -> str:
    known = _MEDIA_TYPES.get(path.suffix)  # not from the system, which may name others
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"

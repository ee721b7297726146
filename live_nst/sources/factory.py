"""Open the source that a `--source` value names."""

import os
from pathlib import Path

from live_nst.errors import SourceError
from live_nst.files.formats import PLAYABLE_SUFFIXES
from live_nst.runtime.timing import SystemClock
from live_nst.sources.base import Source, SourceRequest


def open_source(spec: str, request: SourceRequest) -> Source:
    """Open a source.

    Args:
        spec: "demo"; a camera's number, device file (/dev/video0) or part of its name; a URL
            (rtsp://..., http://...); a video file; or `screen[:N][:x,y,w,h]`.
        request: Size and rate for a camera or the demo, rate for a screen. Files and streams have
            their own.

    Raises:
        SourceError: The source does not exist or cannot be opened.
    """
    if not spec.strip():
        raise SourceError("no source is given", "use a camera's number, a URL, a file or `demo`")
    if spec == "demo":
        from live_nst.sources.demo import DemoSource

        return DemoSource(request, SystemClock())
    if spec == "browser":
        raise SourceError(
            "the camera of a browser needs the studio", "run `live-nst studio --source browser`"
        )
    if spec == "screen" or spec.startswith("screen:"):
        from live_nst.sources.screen import ScreenSource, parse_screen

        return ScreenSource(parse_screen(spec), request, SystemClock())
    if not spec.startswith("/dev/") and _is_stream(spec):
        from live_nst.sources.stream import StreamSource

        return StreamSource(spec)
    from live_nst.sources.camera import CameraSource

    return CameraSource(int(spec) if spec.isdecimal() else spec, request)


def _is_stream(spec: str) -> bool:
    """Return whether `spec` is a URL or a file name, of an existing file or not."""
    path = Path(spec)
    looks_like_file = path.suffix.lower() in PLAYABLE_SUFFIXES or path.name != spec
    return "://" in spec or looks_like_file or (os.path.isfile(path) and not spec.isdecimal())

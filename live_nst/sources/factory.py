"""The one place that knows which words mean which source."""

from pathlib import Path

from live_nst.errors import SourceError
from live_nst.runtime.timing import SystemClock
from live_nst.sources.base import Source, SourceRequest

_VIDEO_SUFFIXES = {
    ".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".ogv", ".ts", ".webm", ".wmv",
}  # fmt: skip


def open_source(spec: str, request: SourceRequest) -> Source:
    """Open the source that `spec` means.

    Args:
        spec: ``demo``; a camera's number, device file (``/dev/video0``) or part of its name; a
            URL (``rtsp://...``, ``http://...``); or a video file.
        request: What is asked of a camera or of the demo; files and streams have a size and
            rate of their own.

    Raises:
        SourceError: There is no such source, or it cannot be opened.
    """
    if not spec.strip():
        raise SourceError("no source is named", "use a camera's number, a URL, a file or `demo`")
    if spec == "demo":
        from live_nst.sources.demo import DemoSource

        return DemoSource(request, SystemClock())
    if not spec.startswith("/dev/") and _is_stream(spec):
        from live_nst.sources.stream import StreamSource

        return StreamSource(spec)
    from live_nst.sources.camera import CameraSource

    return CameraSource(int(spec) if spec.isdecimal() else spec, request)


def _is_stream(spec: str) -> bool:
    """Whether `spec` is a URL or a file, be it there or not, rather than a camera."""
    path = Path(spec)
    looks_like_file = path.suffix.lower() in _VIDEO_SUFFIXES or path.name != spec
    return "://" in spec or looks_like_file or (path.is_file() and not spec.isdecimal())

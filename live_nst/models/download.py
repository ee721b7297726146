"""Download a model from TF Hub, another https server, or Kaggle."""

import socket
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import requests
import urllib3

from live_nst.errors import DownloadError
from live_nst.models import kaggle
from live_nst.models.handles import HUB_URL, HandleKind, ModelHandle
from live_nst.models.saved_model import unpack_saved_model
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.types import DownloadProgress, Notify

DOWNLOAD_HINT = (
    "try again later, give a SavedModel folder (`--model /path/to/saved_model`), "
    "or use the packaged model (`--model mobile`)"
)
"""The hint of every failed download."""

KAGGLE_MIRRORS = {HUB_URL: "google/arbitrary-image-stylization-v1/tensorFlow1/256/2"}
"""The Kaggle handles of models on TF Hub, whose URLs may only redirect to a page of Kaggle."""

_CHUNK_BYTES = 1 << 16
_MIN_SPEED = 1024.0  # bytes per second; a slower download counts as stalled
_ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")
_HTML_STARTS = (b"<!doctype", b"<html")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: For a connection.
        stall: For more data from a server.
        kaggle: For more data from kagglehub, which writes in steps of one mebibyte.
    """

    connect: float = 10.0
    stall: float = 30.0
    kaggle: float = 90.0


class _RefusedError(DownloadError):
    """The server has answered, but without the model. Another server may have it."""


def download_model(
    handle: ModelHandle,
    into: Path,
    *,
    progress: DownloadProgress,
    notify: Notify,
    timeouts: Timeouts | None = None,
    clock: Clock | None = None,
) -> None:
    """Download a model.

    If a server refuses a model that has a mirror on Kaggle, the mirror is used.

    Args:
        handle: A model of kind `URL` or `KAGGLE`.
        into: An existing, empty folder for the SavedModel. Temporary files go beside it.
        progress: Called with bytes done and bytes in all.
        notify: Called with a sentence when another server is tried.
        timeouts: How long to wait.
        clock: Measures the speed of the download.

    Raises:
        DownloadError: The download fails.
        OSError: The files cannot be written.
        ValueError: The model needs no download.
    """
    limits = timeouts or Timeouts()
    if handle.kind is HandleKind.KAGGLE:
        _download_from_kaggle(handle.address, into, progress, limits)
        return
    if handle.kind is not HandleKind.URL:
        raise ValueError(f"nothing to download for {handle}")
    try:
        _download_archive(handle.address, into, progress, limits, clock or SystemClock())
    except _RefusedError as refusal:
        mirror = KAGGLE_MIRRORS.get(handle.address)
        if mirror is None:
            raise
        notify(f"{refusal.message}. Trying Kaggle ({mirror}).")
        try:
            _download_from_kaggle(mirror, into, progress, limits)
        except DownloadError as exc:
            message = f"{refusal.message}; on Kaggle: {exc.message}"
            raise DownloadError(message, DOWNLOAD_HINT) from exc


def archive_url(url: str) -> str:
    """Return the URL of a model's archive: TF Hub's query is added unless `url` is an archive."""
    parts = urlsplit(url)
    if parts.path.endswith(_ARCHIVE_SUFFIXES) or "tf-hub-format" in parse_qs(parts.query):
        return url
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}tf-hub-format=compressed"))


def _download_from_kaggle(
    address: str, into: Path, progress: DownloadProgress, limits: Timeouts
) -> None:
    kaggle.download(
        address,
        into,
        progress=lambda done: progress(done, None),
        stall=limits.kaggle,
        hint=DOWNLOAD_HINT,
    )


def _download_archive(
    url: str, into: Path, progress: DownloadProgress, limits: Timeouts, clock: Clock
) -> None:
    archive = into.with_name("archive")
    with _open(archive_url(url), limits) as response:
        _check_response(response)
        _save(response, archive, progress, _StallDetector(limits.stall, clock))
    with archive.open("rb") as file:  # some servers send a web page as another type
        if file.read(64).lstrip().lower().startswith(_HTML_STARTS):
            raise _web_page(_host(response))
    unpack_saved_model(archive, into, DOWNLOAD_HINT)


def _host(response: requests.Response) -> str:
    """Return the host that has answered, which is another one after a redirect."""
    return urlsplit(response.url).netloc


def _open(url: str, limits: Timeouts) -> requests.Response:
    try:
        # No compression: Content-Length counts the bytes of the archive itself.
        return requests.get(
            url,
            stream=True,
            timeout=(limits.connect, limits.stall),
            headers={"Accept-Encoding": "identity"},
        )
    except requests.TooManyRedirects as exc:
        raise _RefusedError(f"{urlsplit(url).netloc} redirects in a circle", DOWNLOAD_HINT) from exc
    except requests.RequestException as exc:
        raise DownloadError(_connection_problem(exc, url, limits), DOWNLOAD_HINT) from exc


def _connection_problem(error: requests.RequestException, url: str, limits: Timeouts) -> str:
    """Return a sentence about a failed request."""
    host = urlsplit(getattr(error.request, "url", url)).netloc  # may be that of a redirect
    if isinstance(error, requests.ConnectTimeout):
        return f"{host} could not be reached within {limits.connect:g} s"
    if isinstance(error, requests.ReadTimeout):
        return f"{host} did not answer within {limits.stall:g} s"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"The proxy for {host} does not work"
    if isinstance(error, requests.exceptions.SSLError):
        return f"No secure connection to {host} could be made"
    cause: BaseException | None = error
    while cause is not None:  # requests wraps errors of urllib3, which wrap those of sockets
        if isinstance(cause, socket.gaierror):
            return f"The server {host} could not be found; is this machine online?"
        if isinstance(cause, ConnectionRefusedError):
            return f"{host} refused the connection"
        cause = cause.__cause__ or cause.__context__
    return f"The connection to {host} failed"


def _check_response(response: requests.Response) -> None:
    """Raise an error unless the response may be an archive."""
    host = _host(response)
    hops = [hop.url for hop in (*response.history, response)]
    if hops[0].startswith("https:") and not all(hop.startswith("https:") for hop in hops):
        raise _RefusedError(f"The redirect to {host} leaves https", DOWNLOAD_HINT)
    code = response.status_code
    if code == HTTPStatus.NOT_FOUND:
        raise _RefusedError(f"{host} has no such model (HTTP 404)", DOWNLOAD_HINT)
    if code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise _RefusedError(f"{host} refused the download (HTTP {code})", DOWNLOAD_HINT)
    if code != HTTPStatus.OK:
        raise _RefusedError(f"{host} cannot send the model now (HTTP {code})", DOWNLOAD_HINT)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise _web_page(host)


def _web_page(host: str) -> DownloadError:
    return _RefusedError(f"{host} answered with a web page instead of a model", DOWNLOAD_HINT)


def _save(
    response: requests.Response,
    archive: Path,
    progress: DownloadProgress,
    detector: "_StallDetector",
) -> None:
    """Write the body of the response to `archive` as it arrives."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    done = 0
    with archive.open("wb") as file:
        while chunk := _next_chunk(response, detector):
            file.write(chunk)
            done += len(chunk)
            detector.add(len(chunk))
            progress(done, total)
    if total is not None and done != total:
        raise _cut_short(response)


def _next_chunk(response: requests.Response, detector: "_StallDetector") -> bytes:
    """Return what has arrived, at most `_CHUNK_BYTES`; b"" at the end."""
    stalled = DownloadError(f"The download from {_host(response)} has stalled", DOWNLOAD_HINT)
    if detector.is_stalled():
        raise stalled
    # Not `iter_content`: it waits for a full chunk, without end if a byte arrives now and then.
    raw: Any = response.raw
    try:
        return bytes(raw.read1(_CHUNK_BYTES, decode_content=False))
    except urllib3.exceptions.ReadTimeoutError as exc:
        raise stalled from exc
    except urllib3.exceptions.HTTPError as exc:
        raise _cut_short(response) from exc


def _cut_short(response: requests.Response) -> DownloadError:
    return DownloadError(f"The download from {_host(response)} was cut short", DOWNLOAD_HINT)


class _StallDetector:
    """Detects a download that is slower than `_MIN_SPEED` over `stall` seconds."""

    def __init__(self, stall: float, clock: Clock) -> None:
        self._stall = stall
        self._clock = clock
        self._start = clock.now()
        self._bytes = 0

    def add(self, count: int) -> None:
        self._bytes += count

    def is_stalled(self) -> bool:
        if self._clock.now() - self._start < self._stall:
            return False
        is_stalled = self._bytes < _MIN_SPEED * self._stall
        self._start, self._bytes = self._clock.now(), 0
        return is_stalled

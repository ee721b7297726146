"""Fetches a model from TF Hub, from any https address, or from Kaggle."""

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
"""What to do when a model cannot be fetched."""

KAGGLE_MIRRORS = {HUB_URL: "google/arbitrary-image-stylization-v1/tensorFlow1/256/2"}
"""The Kaggle handles of modules on TF Hub, whose address only leads on to Kaggle."""

_CHUNK = 1 << 16
_SLOWEST = 1024.0  # bytes per second; below that a download counts as stalled
_ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: For a connection.
        stall: For more data from a server.
        kaggle: For more data from kagglehub, which reports it in steps of one mebibyte.
    """

    connect: float = 10.0
    stall: float = 30.0
    kaggle: float = 90.0


class _RefusedError(DownloadError):
    """The server answered, but not with a module: another server may do better."""


def fetch(
    handle: ModelHandle,
    into: Path,
    *,
    progress: DownloadProgress,
    notify: Notify,
    timeouts: Timeouts | None = None,
    clock: Clock | None = None,
) -> None:
    """Fetch a model from the network.

    A module of TF Hub that its server refuses is looked for on Kaggle, if it is known there.

    Args:
        handle: A model of kind `URL` or `KAGGLE`.
        into: An existing, empty folder for the SavedModel. Scratch files go beside it.
        progress: Told how far the download is.
        notify: Told when another server is tried.
        timeouts: How long to wait.
        clock: Measures the waiting.

    Raises:
        DownloadError: It cannot be had; the hint names the ways out.
        OSError: It cannot be written to disk.
        ValueError: The model needs no fetching.
    """
    limits = timeouts or Timeouts()
    if handle.kind is HandleKind.KAGGLE:
        _fetch_kaggle(handle.address, into, progress, limits)
        return
    if handle.kind is not HandleKind.URL:
        raise ValueError(f"nothing to fetch for {handle}")
    try:
        _fetch_url(handle.address, into, progress, limits, clock or SystemClock())
    except _RefusedError as refusal:
        twin = KAGGLE_MIRRORS.get(handle.address)
        if twin is None:
            raise
        notify(f"{refusal.message}. Trying Kaggle ({twin}).")
        _fetch_twin(twin, into, progress, limits, refusal)


def archive_url(url: str) -> str:
    """The address of a module's archive: a URL that names no archive gets TF Hub's query."""
    parts = urlsplit(url)
    if parts.path.endswith(_ARCHIVE_SUFFIXES) or "tf-hub-format" in parse_qs(parts.query):
        return url
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}tf-hub-format=compressed"))


def _fetch_twin(
    twin: str, into: Path, progress: DownloadProgress, limits: Timeouts, refusal: DownloadError
) -> None:
    try:
        _fetch_kaggle(twin, into, progress, limits)
    except DownloadError as exc:
        raise DownloadError(f"{refusal.message}; on Kaggle: {exc.message}", DOWNLOAD_HINT) from exc


def _fetch_kaggle(address: str, into: Path, progress: DownloadProgress, limits: Timeouts) -> None:
    kaggle.download(
        address,
        into,
        progress=lambda done: progress(done, None),
        stall=limits.kaggle,
        hint=DOWNLOAD_HINT,
    )


def _fetch_url(
    url: str, into: Path, progress: DownloadProgress, limits: Timeouts, clock: Clock
) -> None:
    archive = into.with_name("archive")
    with _open(archive_url(url), limits) as response:
        _check_answer(response)
        _save(response, archive, progress, limits.stall, clock)
    _check_archive(archive, urlsplit(response.url).netloc)
    unpack_saved_model(archive, into, DOWNLOAD_HINT)


def _open(url: str, limits: Timeouts) -> requests.Response:
    try:
        # The archive's own bytes are wanted: their number is what Content-Length counts.
        return requests.get(
            url,
            stream=True,
            timeout=(limits.connect, limits.stall),
            headers={"Accept-Encoding": "identity"},
        )
    except requests.TooManyRedirects as exc:
        raise _RefusedError(
            f"{urlsplit(url).netloc} leads round in a circle", DOWNLOAD_HINT
        ) from exc
    except requests.RequestException as exc:
        raise DownloadError(_no_answer(exc, url, limits), DOWNLOAD_HINT) from exc


def _no_answer(error: requests.RequestException, url: str, limits: Timeouts) -> str:
    """Why there was no answer, in a sentence. The cause hides deep in the chain of errors."""
    # After a redirect it is another server that fails.
    host = urlsplit(getattr(error.request, "url", url)).netloc
    if isinstance(error, requests.ConnectTimeout):
        return f"{host} could not be reached within {limits.connect:g} s"
    if isinstance(error, requests.ReadTimeout):
        return f"{host} did not answer within {limits.stall:g} s"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"The proxy on the way to {host} does not work"
    if isinstance(error, requests.exceptions.SSLError):
        return f"No secure connection to {host} could be made"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return f"The server {host} could not be found; is this machine online?"
        if isinstance(cause, ConnectionRefusedError):
            return f"{host} refused the connection"
        cause = cause.__cause__ or cause.__context__
    return f"The connection to {host} failed"


def _check_answer(response: requests.Response) -> None:
    """Raise unless the answer may be an archive."""
    host = urlsplit(response.url).netloc
    hops = [hop.url for hop in (*response.history, response)]
    if hops[0].startswith("https:") and not all(hop.startswith("https:") for hop in hops):
        raise _RefusedError(f"The way to {host} leaves https, and was not followed", DOWNLOAD_HINT)
    code = response.status_code
    if code == HTTPStatus.NOT_FOUND:
        raise _RefusedError(f"{host} knows no such model (HTTP 404)", DOWNLOAD_HINT)
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
    stall: float,
    clock: Clock,
) -> None:
    """Write the body to `archive` as it comes."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    done = 0
    pace = _StallDetector(stall, clock)
    with archive.open("wb") as file:
        while chunk := _next_chunk(response, pace):
            file.write(chunk)
            done += len(chunk)
            pace.add(len(chunk))
            progress(done, total)
    if total is not None and done != total:
        raise _cut_short(urlsplit(response.url).netloc)


def _next_chunk(response: requests.Response, pace: "_StallDetector") -> bytes:
    """What has come, at most `_CHUNK` bytes; b"" at the end."""
    host = urlsplit(response.url).netloc
    stalled = DownloadError(f"The download from {host} has stalled", DOWNLOAD_HINT)
    if pace.is_stalled():
        raise stalled
    # Requests' own iterators wait for a full chunk, for as long as a byte comes now and then.
    raw: Any = response.raw
    try:
        return bytes(raw.read1(_CHUNK, decode_content=False))
    except urllib3.exceptions.ReadTimeoutError as exc:
        raise stalled from exc
    except urllib3.exceptions.HTTPError as exc:
        raise _cut_short(host) from exc


def _cut_short(host: str) -> DownloadError:
    return DownloadError(f"The download from {host} was cut short", DOWNLOAD_HINT)


class _StallDetector:
    """Notices a download that trickles: over `stall` seconds it must make `_SLOWEST`."""

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
        stalled = self._bytes < _SLOWEST * self._stall
        self._start, self._bytes = self._clock.now(), 0
        return stalled


def _check_archive(archive: Path, host: str) -> None:
    """Raise if the file is plainly a web page that was sent under another type."""
    with archive.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        raise _web_page(host)

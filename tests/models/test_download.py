import errno
import io
import os
import socket
from pathlib import Path

import pytest
import requests

from live_nst.errors import DownloadError, ModelError
from live_nst.models import download
from live_nst.models.cache import ModelCache
from live_nst.models.download import HUB_URL, KAGGLE_MIRRORS, Timeouts, archive_url, download_model
from live_nst.models.handles import HandleKind, ModelHandle
from tests.models.fake_saved_models import FILES, ModuleServer, archive, read_module, write_module

IMPATIENT = Timeouts(connect=1.0, stall=0.2, kaggle=0.2)
BODY = archive()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server():
    with ModuleServer() as server:
        yield server


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "partial" / "module"
    folder.mkdir(parents=True)
    return folder


class Downloader:
    """Downloads, and keeps progress and messages."""

    def __init__(self):
        self.progress = []
        self.said = []

    def run(self, url, into, *, kind=HandleKind.URL):
        download_model(
            ModelHandle(kind, url),
            into,
            progress=lambda done, total: self.progress.append((done, total)),
            notify=self.said.append,
            timeouts=IMPATIENT,
        )


@pytest.fixture
def downloader():
    return Downloader()


def refused(downloader, url, into, match):
    """The message fits and the hint names the three ways out."""
    with pytest.raises(DownloadError, match=match) as caught:
        downloader.run(url, into)
    for way in ("try again", "--model /path/to/saved_model", "--model mobile"):
        assert way in caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (HUB_URL, f"{HUB_URL}?tf-hub-format=compressed"),
        ("https://h/m?a=b", "https://h/m?a=b&tf-hub-format=compressed"),
        ("https://h/m?tf-hub-format=compressed", "https://h/m?tf-hub-format=compressed"),
        ("https://h/m.tar.gz?sig=1", "https://h/m.tar.gz?sig=1"),
        ("https://h/m.tgz", "https://h/m.tgz"),
    ],
)
def test_archive_url(url, expected):
    assert archive_url(url) == expected


def test_download(server, into, downloader):
    url = server.answer("/m/1", lambda request: request.send(BODY))
    downloader.run(url, into)
    assert read_module(into) == FILES
    assert server.requested == ["/m/1?tf-hub-format=compressed"]
    assert downloader.progress[-1] == (len(BODY), len(BODY))
    assert downloader.progress == sorted(downloader.progress)
    assert downloader.said == []


def test_download_without_content_length(server, into, downloader):
    def without_length(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(BODY)

    downloader.run(server.answer("/m", without_length), into)
    assert read_module(into) == FILES
    assert downloader.progress[-1] == (len(BODY), None)


def test_content_encoding_is_ignored(server, into, downloader):
    """Some servers label a .tar.gz file so; its bytes are counted and unpacked as they are."""
    url = server.answer("/m", lambda request: request.send(BODY, Content_Encoding="gzip"))
    downloader.run(url, into)
    assert read_module(into) == FILES
    assert downloader.progress[-1] == (len(BODY), len(BODY))


def test_redirect(server, into, downloader):
    target = server.answer("/target", lambda request: request.send(BODY))
    url = server.answer("/m", lambda r: r.send(b"", status=303, Location=target))
    downloader.run(url, into)
    assert read_module(into) == FILES


def test_redirect_loop(server, into, downloader):
    url = server.answer("/m", lambda request: request.send(b"", status=302, Location="/m"))
    refused(downloader, url, into, "redirects in a circle")


def test_redirect_from_https_to_http(into, downloader, monkeypatch):
    first, last = requests.Response(), requests.Response()
    first.url, last.url = "https://example.org/m", "http://example.org/m"
    last.history, last.status_code, last.raw = [first], 200, io.BytesIO()
    monkeypatch.setattr(requests, "get", lambda *_args, **_kwargs: last)
    refused(downloader, first.url, into, "leaves https")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, r"refused the download \(HTTP 401\)"),
        (403, r"refused the download \(HTTP 403\)"),
        (404, r"has no such model \(HTTP 404\)"),
        (429, r"cannot send the model now \(HTTP 429\)"),
        (500, r"cannot send the model now \(HTTP 500\)"),
        (503, r"cannot send the model now \(HTTP 503\)"),
    ],
)
def test_http_errors(server, into, downloader, status, words):
    url = server.answer("/m", lambda request: request.send(b"sorry", status=status))
    error = refused(downloader, url, into, words)
    assert error.message.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "headers", [{"Content_Type": "text/html; charset=utf-8"}, {}], ids=["labeled", "unlabeled"]
)
def test_web_page(server, into, downloader, headers):
    page = b"\n <!DOCTYPE html><html><body>Sign in to the network</body></html>"
    url = server.answer("/m", lambda request: request.send(page, **headers))
    refused(downloader, url, into, "answered with a web page")


def test_timeout_before_response(server, into, downloader):
    url = server.answer("/m", lambda request: request.hang())
    refused(downloader, url, into, r"did not answer within 0\.2 s")


def test_stall_in_the_middle(server, into, downloader):
    def stall(request):
        request.send(BODY[:200], length=len(BODY))
        request.hang()

    refused(downloader, server.answer("/m", stall), into, "has stalled")
    assert downloader.progress == [(200, len(BODY))]


def test_trickle_is_a_stall(server, into, downloader):
    """A byte now and then satisfies every time-out of the socket."""

    def trickle(request):
        request.send(b"", length=1_000_000)
        request.trickle(40, every=0.05)

    refused(downloader, server.answer("/m", trickle), into, "has stalled")


def test_slow_download_is_no_stall(server, into, downloader):
    """Ten times as long as the time-out on the clock that judges, but never below the pace."""

    class Clock:
        time = 0.0

        def now(self):
            self.time += IMPATIENT.stall * 0.4
            return self.time

        def sleep(self, seconds):
            raise AssertionError

    files = {**FILES, "assets/noise": os.urandom(1 << 20)}
    body = archive(files)
    url = server.answer("/m", lambda request: request.send(body))
    download_model(
        ModelHandle(HandleKind.URL, url),
        into,
        progress=lambda *_: None,
        notify=downloader.said.append,
        timeouts=IMPATIENT,
        clock=Clock(),
    )
    assert read_module(into) == files


def test_truncated_download(server, into, downloader):
    url = server.answer("/m", lambda request: request.send(BODY[:-9], length=len(BODY)))
    refused(downloader, url, into, "cut short")


def test_content_length_too_small(server, into, downloader):
    url = server.answer("/m", lambda request: request.send(BODY, length=len(BODY) - 9))
    refused(downloader, url, into, "damaged")


def test_damaged_archive(server, into, downloader):
    body = BODY[:60] + bytes(60) + BODY[120:]
    refused(downloader, server.answer("/m", lambda request: request.send(body)), into, "damaged")


def test_unsafe_archive(server, into, downloader):
    body = archive({"../evil": b"x"}, prefix="")
    url = server.answer("/m", lambda request: request.send(body))
    refused(downloader, url, into, "not safe to unpack")
    assert not (into.parent / "evil").exists()


def test_connection_refused(into, downloader):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    refused(downloader, f"http://127.0.0.1:{port}/m", into, "refused the connection")


def test_connection_refused_after_redirect(server, into, downloader):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = f"http://127.0.0.1:{taken.getsockname()[1]}/m"
    url = server.answer("/m", lambda request: request.send(b"", status=302, Location=target))
    error = refused(downloader, url, into, "refused the connection")
    assert error.message.split()[0] in target


def test_unknown_host(into, downloader, monkeypatch):
    def fail(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    refused(downloader, HUB_URL, into, r"tfhub\.dev could not be found; is this machine online\?")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectTimeout(), "could not be reached within 1 s"),
        (requests.exceptions.SSLError(), "No secure connection"),
        (requests.exceptions.ProxyError(), "proxy"),
        (requests.ConnectionError(), "connection to example.org failed"),
        (requests.exceptions.InvalidURL(), "connection to example.org failed"),
    ],
)
def test_other_connection_errors(into, downloader, monkeypatch, error, words):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(requests, "get", fail)
    refused(downloader, "https://example.org/m", into, words)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_download_on_full_disk(server, tmp_path):
    url = server.answer("/m", lambda request: request.send(BODY))
    cache = ModelCache(tmp_path / "cache")
    handle = ModelHandle(HandleKind.URL, url)

    def fetch_onto_full_disk(into: Path) -> None:
        (into.parent / "archive").symlink_to("/dev/full")
        download_model(handle, into, progress=lambda *_: None, notify=print)

    with pytest.raises(DownloadError, match="disk is full"):
        cache.install(handle, fetch_onto_full_disk)
    assert list(cache.root.iterdir()) == []


def test_packaged_model_is_no_download(into, downloader):
    with pytest.raises(ValueError, match="nothing to download"):
        downloader.run("mobile", into, kind=HandleKind.PACKAGED)


class TestKaggle:
    @pytest.fixture
    def asked(self, monkeypatch):
        """A Kaggle that has everything; gives the handles it was asked for."""
        asked = []

        def fake(handle, into, *, progress, stall, hint):
            asked.append((handle, stall, hint))
            progress(7)
            write_module(into)

        monkeypatch.setattr(download.kaggle, "download", fake)
        return asked

    @pytest.fixture
    def failing(self, monkeypatch):
        def fake(*_args, hint, **_kwargs):
            raise DownloadError("Kaggle could not be reached", hint)

        monkeypatch.setattr(download.kaggle, "download", fake)

    @pytest.fixture
    def mirror(self, server, monkeypatch):
        """The URL of a module that its server refuses and Kaggle knows."""
        url = server.answer("/m", lambda request: request.send(b"", status=403))
        monkeypatch.setitem(KAGGLE_MIRRORS, url, "a/b/tensorFlow1/c/2")
        return url

    def test_kaggle_handle(self, asked, into, downloader):
        downloader.run("a/b/tensorFlow2/c/1", into, kind=HandleKind.KAGGLE)
        assert asked == [("a/b/tensorFlow2/c/1", IMPATIENT.kaggle, download.DOWNLOAD_HINT)]
        assert read_module(into) == FILES
        assert downloader.progress == [(7, None)]

    def test_mirror_after_refusal(self, asked, mirror, into, downloader):
        downloader.run(mirror, into)
        assert [handle for handle, *_ in asked] == ["a/b/tensorFlow1/c/2"]
        assert read_module(into) == FILES
        (line,) = downloader.said
        assert "HTTP 403" in line
        assert "Trying Kaggle (a/b/tensorFlow1/c/2)" in line

    def test_error_names_both_servers(self, failing, mirror, into, downloader):
        error = refused(downloader, mirror, into, "HTTP 403")
        assert error.message.endswith("on Kaggle: Kaggle could not be reached")

    def test_no_mirror_without_network(self, asked, into, downloader, monkeypatch):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/m"
        monkeypatch.setitem(KAGGLE_MIRRORS, url, "a/b/tensorFlow1/c/2")
        refused(downloader, url, into, "refused the connection")
        assert asked == []

    def test_mirror_of_hub_model(self):
        assert KAGGLE_MIRRORS[HUB_URL] == "google/arbitrary-image-stylization-v1/tensorFlow1/256/2"


def test_disk_errors_are_passed_on(server, into, downloader):
    url = server.answer("/m", lambda request: request.send(BODY))
    into.with_name("archive").mkdir()
    with pytest.raises(OSError) as caught:
        downloader.run(url, into)
    assert caught.value.errno == errno.EISDIR
    assert not isinstance(caught.value, ModelError)

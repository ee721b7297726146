import json
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from live_nst.errors import DeviceError, UsageError
from live_nst.live.run import run_live
from live_nst.live.session import LiveSession
from live_nst.live.streams import StreamStatus
from live_nst.remote.addresses import ListenAddress
from live_nst.remote.attach import CurrentSession
from live_nst.remote.metrics_server import MetricsServer
from live_nst.runtime.timing import Histogram
from live_nst.types import Closeable
from tests.live.test_session import SessionHarness, live_options

ANY_PORT = ListenAddress("127.0.0.1", 0)
DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"


def get(url: str, host: str | None = None, method: str = "GET") -> str:
    request = urllib.request.Request(url, headers={"Host": host} if host else {}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by name and labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.fixture
def scrape(harness: SessionHarness) -> Callable[[], str]:
    """Runs a session and scrapes it at its 60th frame."""

    def run() -> str:
        current = CurrentSession()
        server = MetricsServer(ANY_PORT, current.get)
        texts: list[str] = []

        def attach(session: LiveSession) -> Closeable:
            def look() -> None:
                texts.append(get(server.url))
                session.stop()

            harness.at[60] = look
            return current.attach(session)

        run_live(live_options(window=False), harness.messages.append, attach=[attach])
        assert samples(get(server.url))["live_nst_up"][()] == 0
        server.close()
        with pytest.raises(OSError):
            get(server.url)
        return texts[0]

    return run


def test_figures_of_a_session(scrape: Callable[[], str]) -> None:
    values = samples(scrape())
    frames = values["live_nst_frames_total"][()]
    assert 0 < frames <= 60
    assert values["live_nst_up"][()] == values["live_nst_source_up"][()] == 1
    assert values["live_nst_fps"][()] > 0
    latency = values["live_nst_latency_seconds_bucket"]
    assert latency[("+Inf",)] == values["live_nst_latency_seconds_count"][()] >= frames
    assert list(latency.values()) == sorted(latency.values())
    assert values["live_nst_latency_seconds_sum"][()] > 0
    assert values["live_nst_stage_seconds_count"][("stylize",)] > 0
    assert values["live_nst_network_pixels"] == {("width",): 64, ("height",): 48}
    assert values["live_nst_output_up"] == {("recording",): 0, ("virtual camera",): 0}
    assert set(values["live_nst_session_info"]) == {
        ("cpu", "nothing 1.0", "fake", "fake camera", "starry")
    }
    assert values["live_nst_strength"][()] == 1
    if sys.platform == "linux":
        assert values["process_resident_memory_bytes"][()] > 1e6


def test_dashboard_shows_what_there_is(scrape: Callable[[], str]) -> None:
    names = set(samples(scrape()))
    names |= {"live_nst_output_dropped_frames_total", "live_nst_stream_up"}  # with outputs only
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(queries) > 10
    used = {name for query in queries for name in re.findall(r"(?:live_nst|process)_\w+", query)}
    assert used <= names
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_streams_without_their_keys(harness: SessionHarness, tmp_path: Path) -> None:
    options = live_options(window=False)
    with LiveSession(options, harness.messages.append) as session:
        statuses = (StreamStatus("1", "rtmp://host/live/...", "live", "It is live."),)
        session.streams.statuses = lambda: statuses  # type: ignore[method-assign]
        with MetricsServer(ANY_PORT, lambda: session) as server:
            values = samples(get(server.url))
    assert values["live_nst_stream_up"] == {("rtmp://host/live/...", "live", "1"): 1}


def test_no_session() -> None:
    with MetricsServer(ANY_PORT, lambda: None) as server:
        values = samples(get(server.url))
    assert values["live_nst_up"] == {(): 0}
    assert "live_nst_fps" not in values
    server.close()


@pytest.mark.parametrize(
    ("path", "host", "method", "code"),
    [
        ("/metrics", "evil.example", "GET", 403),
        ("/metrics", "127.0.0.1.evil.example:80", "GET", 403),
        ("/", None, "GET", 404),
        ("/metrics/../../etc/passwd", None, "GET", 404),
        ("/metrics", None, "POST", 405),
    ],
)
def test_refused_requests(path: str, host: str | None, method: str, code: int) -> None:
    with MetricsServer(ANY_PORT, lambda: None) as server:
        address = server.url.removesuffix("/metrics")
        with pytest.raises(urllib.error.HTTPError) as caught:
            get(address + path, host, method)
        assert caught.value.code == code
        assert "live_nst" not in caught.value.read().decode()
        assert get(server.url, "localhost:99")


def test_a_silent_client_and_garbage_hold_nothing_up(capfd: pytest.CaptureFixture[str]) -> None:
    with MetricsServer(ANY_PORT, lambda: None) as server:
        where = (server.address.host, server.address.port)
        with socket.create_connection(where), socket.create_connection(where) as other:
            other.sendall(b"\x00\xff garbage\r\n\r\n")
            assert "live_nst_up" in get(server.url)
    assert capfd.readouterr() == ("", "")


def test_port_in_use() -> None:
    with MetricsServer(ANY_PORT, lambda: None) as server:
        port = server.address.port
        with pytest.raises(UsageError, match=f"another program uses port {port}") as caught:
            MetricsServer(ListenAddress("127.0.0.1", port), lambda: None)
        assert "--metrics" in caught.value.hint


def test_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(DeviceError, match="needs the package prometheus_client") as caught:
        MetricsServer(ANY_PORT, lambda: None)
    assert "pip install 'live-nst[studio]'" in caught.value.hint


def test_histogram() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.add(value)
    assert histogram.cumulative() == ([2, 3, 4], 10.0)

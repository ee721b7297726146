"""The streams of a session: started and stopped while it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from live_nst.errors import StreamError, UsageError
from live_nst.live.streams import LiveStreams
from live_nst.sinks.base import Sink
from live_nst.sinks.encoder import VideoEncoder
from live_nst.types import Frame
from tests.live.fakes import wait_until
from tests.sinks.stream_servers import Show, checks, free_port, read_back


@pytest.fixture
def sinks() -> list[Sink]:
    return []


@pytest.fixture
def streams(sinks: list[Sink]) -> Iterator[LiveStreams]:
    with LiveStreams(sinks.append) as made:
        yield made


def test_encoder_is_opened_at_its_first_use(streams: LiveStreams, sinks: list[Sink]) -> None:
    assert streams.statuses() == ()
    assert sinks == []
    encoder = streams.encoder
    assert isinstance(encoder, VideoEncoder)
    assert sinks == [encoder]
    assert streams.encoder is encoder
    assert sinks == [encoder]


def test_start_and_stop(streams: LiveStreams, sinks: list[Sink], tmp_path: Path) -> None:
    first = streams.start(str(tmp_path / "one.m3u8"))
    assert (first.id, first.address, first.state) == (1, str(tmp_path / "one.m3u8"), "connecting")
    second = streams.start(f"rtmp://127.0.0.1:{free_port()}/live/s3cr3t")
    assert len(sinks) == 1  # one encoder for all
    with Show(streams.encoder, checks):
        wait_until(lambda: streams.statuses()[0].state == "live", "live")
        wait_until(lambda: "nothing answers" in streams.statuses()[1].sentence, "a reason")
        streams.stop(first.id)
        assert [status.id for status in streams.statuses()] == [second.id]
        third = streams.start(str(tmp_path / "two.m3u8"))
        assert third.id == 3
        wait_until(lambda: streams.statuses()[1].state == "live", "live")
    assert "s3cr3t" not in str(streams.statuses())
    streams.close()
    for name in ("one", "two"):
        assert len(read_back(tmp_path / f"{name}.m3u8")[0]) > 1
    with pytest.raises(UsageError):
        streams.start(str(tmp_path / "three.m3u8"))


def test_end_of_the_session(streams: LiveStreams, tmp_path: Path) -> None:
    streams.start(str(tmp_path))
    with Show(streams.encoder, checks):
        wait_until(lambda: streams.statuses()[0].state == "live", "live")
    streams.encoder.close()  # as the pipeline does
    wait_until(lambda: streams.statuses()[0].state == "failed", "the end")
    assert "#EXT-X-ENDLIST" in (tmp_path / "live.m3u8").read_text()


def test_wrong_requests(streams: LiveStreams, sinks: list[Sink], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        streams.start("foo")
    with pytest.raises(UsageError, match="no stream 7"):
        streams.stop(7)
    assert sinks == []
    streams.start(str(tmp_path))
    with pytest.raises(UsageError, match="already"):
        streams.start(str(tmp_path / "live.m3u8"))


def test_encoder_that_cannot_be_used(sinks: list[Sink], tmp_path: Path) -> None:
    with LiveStreams(sinks.append, encoder="x265") as streams:
        with pytest.raises(StreamError):
            streams.start(str(tmp_path))
        assert streams.statuses() == ()
    assert sinks == []


def test_frames_are_not_kept_back(streams: LiveStreams) -> None:
    streams.encoder.write(Frame(checks(0), 0, 0.0))  # nobody reads
    assert streams.encoder.size is None

"""Streams and sound of a whole session, with a fake source and a fake model."""

import socket
import time
from pathlib import Path

import av
import numpy as np
import pytest

from live_nst.errors import SourceError, StreamError, UsageError
from live_nst.live.options import LiveOptions
from tests.live.test_session import SessionHarness, harness, times_of  # noqa: F401
from tests.sinks.stream_servers import free_port, read_back
from tests.sources.test_sound import write_sound


def test_streams_beside_a_recording(harness: SessionHarness, tmp_path: Path) -> None:  # noqa: F811
    harness.at = dict.fromkeys(range(1000), lambda: time.sleep(0.02))  # about 40 per second
    missing = f"rtmp://127.0.0.1:{free_port()}/live/s3cr3t"
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        frozen = f"rtmp://127.0.0.1:{silent.getsockname()[1]}/live/s3cr3t"
        streams = (str(tmp_path), missing, frozen)
        report = harness.run(duration=2.0, record=tmp_path / "out.mp4", streams=streams)
    recorded = times_of(tmp_path / "out.mp4")
    assert len(recorded) >= 0.9 * report.frames  # a busy machine may be too slow for some
    pictures, sounds = read_back(tmp_path / "live.m3u8")
    assert len(pictures) >= 0.9 * report.frames
    assert sounds > 0
    said = " ".join(harness.messages)
    assert "live.m3u8 is live." in said
    assert "cannot connect: nothing answers at that address; trying again." in said
    assert "s3cr3t" not in said


def test_sound_file(harness: SessionHarness, tmp_path: Path) -> None:  # noqa: F811
    sound = write_sound(tmp_path / "sound.m4a", 0.5)
    harness.run(  # far longer than the sound: the first frame may come late
        duration=2.5, record=tmp_path / "out.mp4", streams=(str(tmp_path),), audio=str(sound)
    )
    assert "Sound from the sound file sound.m4a." in harness.messages
    for path in (tmp_path / "out.mp4", tmp_path / "live.m3u8"):
        loud = []
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                loud.append(float(np.abs(frame.to_ndarray()).max()))
        assert max(loud) > 0.5
        assert loud[-1] < 0.01  # after the end of the file


def test_recording_without_sound_has_no_sound_track(
    harness: SessionHarness,  # noqa: F811
    tmp_path: Path,
) -> None:
    harness.run(frames=5, record=tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_wrong_options(harness: SessionHarness, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(UsageError, match="no address"):
        harness.run(streams=("foo",))
    with pytest.raises(UsageError, match="given twice"):
        harness.run(streams=(str(tmp_path), str(tmp_path / "live.m3u8")))
    with pytest.raises(StreamError, match="bitrate"):
        harness.run(streams=(str(tmp_path),), bitrate=1)
    with pytest.raises(StreamError, match="no encoder"):
        harness.run(streams=(str(tmp_path),), encoder="x")
    with pytest.raises(SourceError, match="no sound file"):
        harness.run(audio=str(tmp_path / "missing.wav"))
    assert harness.sources == []
    assert list(tmp_path.iterdir()) == []


def test_options_show_no_key() -> None:
    assert "s3cr3t" not in repr(LiveOptions(streams=("rtmp://host/app/s3cr3t",)))

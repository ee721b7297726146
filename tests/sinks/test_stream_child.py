"""The program that sends a stream, with files as its servers."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from live_nst.sinks import stream_child
from live_nst.sinks.encoder import VideoEncoder
from live_nst.sinks.stream_child import StreamTask, tee_address
from live_nst.sinks.transport_stream import TransportStream
from live_nst.types import Frame
from tests.sinks.stream_servers import checks, read_back


def transport_stream(frames: int = 30) -> bytes:
    with VideoEncoder(30) as encoder:
        reader, container = encoder.subscribe(frames), TransportStream(None, 30)
        data = b""
        for index in range(frames):
            encoder.write(Frame(checks(index), index, 100 + index / 30))
            encoded = reader.get(0)
            assert encoded is not None
            data += container.add(encoded)
        return data + container.close()


def run_child(task: StreamTask, data: bytes) -> list[dict[str, Any]]:
    answer = subprocess.run(
        [sys.executable, "-P", stream_child.__file__],
        input=json.dumps(task).encode() + b"\n" + data,
        capture_output=True,
        timeout=60,
    )
    assert answer.stderr == b""
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.mark.parametrize("protocol_options", [{}, {"blocksize": "65536"}])
@pytest.mark.parametrize("name", ["plain", "k|e'y\\ [f=null]:x", " [k]"])
def test_address_arrives_unchanged(
    name: str, protocol_options: dict[str, str], tmp_path: Path
) -> None:
    task: StreamTask = {
        "url": f"file:{tmp_path}/{name}",
        "format": "flv",
        "options": {"flvflags": "no_duration_filesize"},
        "protocol_options": protocol_options,
    }
    reports = run_child(task, transport_stream())
    assert reports[0] == {"live": True}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    pictures, sounds = read_back(f"file:{tmp_path}/{name}")
    assert len(pictures) == 30
    assert sounds > 30


def test_tee_address() -> None:
    task: StreamTask = {
        "url": "rtmps://host/app/k|y",
        "format": "flv",
        "options": {},
        "protocol_options": {"ca_file": "C:\\a]b"},
    }
    assert tee_address(task) == r"[f=flv:ca_file=C\\:\\\\a\\]b]rtmps://host/app/k\|y"


def test_error_names_no_address(tmp_path: Path) -> None:
    task: StreamTask = {
        "url": f"file:{tmp_path}/missing/s3cr3t",
        "format": "flv",
        "options": {},
        "protocol_options": {},
    }
    assert run_child(task, transport_stream(3)) == [{"error": 2, "certificate": False}]


def test_sound_and_pictures_keep_their_times(tmp_path: Path) -> None:
    path = tmp_path / "out.ts"
    path.write_bytes(transport_stream(60))
    pictures, sounds = read_back(path)
    steps = [b.pts - a.pts for a, b in itertools.pairwise(pictures)]
    assert set(steps) == {3000}
    assert abs(sounds - 60 / 30 * 48_000 / 1024) < 2

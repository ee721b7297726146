"""The program that sends a stream, with files as its servers."""

import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from live_nst.sinks import stream_child
from live_nst.sinks.encoder import VideoEncoder
from live_nst.sinks.stream_child import Reader, StreamTask, tee_address
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


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection: the end that sends, and the one that reads."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sender,
    ):
        other, _ = server.accept()
        with other:
            yield sender, other


def send(sender: socket.socket, count: int, other: socket.socket | None = None) -> None:
    """Send some packets; let the other end read them, if it is given."""
    for _ in range(count):
        sender.sendall(bytes(4000))
        time.sleep(0.002)  # until it is acknowledged
        if other is not None:
            assert len(other.recv(4000, socket.MSG_WAITALL)) == 4000


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the window")


@linux_only
def test_reader(connection: tuple[socket.socket, socket.socket]) -> None:
    sender, other = connection
    try:
        reader = Reader(sender)
    except OSError:
        pytest.skip("this version of Linux does not tell the window")
    assert reader.reads()  # nothing came yet
    for _ in range(3):
        send(sender, 10, other)
        time.sleep(0.1)  # for a delayed acknowledgment
        assert reader.reads()
    send(sender, 20)  # nobody reads; at first the window may still grow, longer on a busy machine
    for _ in range(20):
        if not reader.reads():
            break
        send(sender, 1)
    for _ in range(3):
        send(sender, 5)
        assert not reader.reads()
    sender.setblocking(False)
    with suppress(BlockingIOError):  # until no buffer takes more
        while True:
            sender.send(bytes(100_000))
    assert not reader.reads()  # the window is closed
    assert not reader.reads()
    while sum(map(len, iter(lambda: receive(other), b""))) > 0:
        time.sleep(0.1)  # what waits in the buffers follows
    assert reader.reads()


def receive(connection: socket.socket) -> bytes:
    """Return what waits."""
    with suppress(BlockingIOError):
        return connection.recv(1_000_000, socket.MSG_DONTWAIT)
    return b""


@linux_only
def test_the_only_connection_of_the_process_is_found() -> None:
    program = """
import socket
from live_nst.sinks.stream_child import find_reader
print(find_reader())
server = socket.create_server(("127.0.0.1", 0))
sender = socket.create_connection(server.getsockname())
other, _ = server.accept()
print(find_reader())
other.close(), server.close()
print(type(find_reader()).__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["None", "None", "Reader"], done.stderr

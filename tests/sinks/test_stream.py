"""The supervisor of a stream, with processes that fail in all ways."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from live_nst.errors import StreamError
from live_nst.sinks import stream as module
from live_nst.sinks.encoder import VideoEncoder
from live_nst.sinks.stream import NetworkStream
from live_nst.sinks.stream_address import StreamAddress, parse_stream_address
from live_nst.types import Frame
from tests.live.fakes import FakeClock, own_threads
from tests.sinks.conftest import plain
from tests.sinks.stream_servers import wait_until

KEY = "s3cr3t"
ADDRESS = parse_stream_address(f"rtmp://host/app/{KEY}")


class FakeProcess:
    """A `StreamProcess` that does what a test says."""

    def __init__(self, address: StreamAddress, clock: FakeClock) -> None:
        self.address, self.clock = address, clock
        self.live, self.progress, self.reason = False, None, ""
        self.alive, self.killed, self.finished = True, False, False
        self.data = b""
        self.waits = False  # in a write
        self.ended = threading.Event()
        self.takes = threading.Event()
        self.takes.set()

    def write(self, data: bytes) -> None:
        self.waits = not self.takes.is_set()
        self.takes.wait()
        if not self.alive:
            raise BrokenPipeError
        self.data += data

    def accept(self) -> None:
        self.live, self.progress = True, self.clock.now()

    def end(self, reason: str = "") -> None:
        self.reason, self.alive = reason or self.reason, False
        self.ended.set()
        self.takes.set()

    def finish(self) -> None:
        self.finished = True
        self.end()

    def kill(self) -> None:
        self.killed = True
        self.end(self.reason)

    def join(self, timeout: float) -> bool:
        return self.ended.wait(timeout)


class Setup:
    """A stream, its processes, and what it said."""

    def __init__(self, address: StreamAddress = ADDRESS) -> None:
        self.clock = FakeClock()
        self.encoder = VideoEncoder(25, clock=self.clock)
        self.processes: list[FakeProcess] = []
        self.said: list[str] = []
        self.index = 0
        self.failure: StreamError | None = None
        self.stream = NetworkStream(
            address, self.encoder, notify=self.said.append, clock=self.clock, start=self._start
        )

    def _start(self, address: StreamAddress, clock: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        self.processes.append(FakeProcess(address, clock))
        return self.processes[-1]

    def process(self, number: int) -> FakeProcess:
        wait_until(lambda: len(self.processes) > number, f"process {number}")
        return self.processes[number]

    def write(self) -> None:
        self.encoder.write(Frame(plain((64, 48)), self.index, self.clock.now()))
        self.index += 1

    def write_until_sent(self, process: FakeProcess) -> None:
        before = len(process.data)

        def sent() -> bool:
            self.write()
            self.clock.advance(0.001)
            return len(process.data) > before

        wait_until(sent, "data")

    def wait_for(self, state: str) -> None:
        wait_until(lambda: self.stream.state == state, state)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Setup]]:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "_FINISH_SECONDS", 0.2)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.0)
    made: list[Setup] = []

    class Recorded(Setup):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    yield Recorded
    for setup in made:
        setup.stream.close()
        setup.encoder.close()
        for process in setup.processes:
            process.takes.set()
        assert KEY not in " ".join((*setup.said, setup.stream.sentence))
    wait_until(lambda: not own_threads(), f"threads are left: {own_threads()}")


def test_states(make: type[Setup]) -> None:
    setup = make()
    assert setup.stream.state == "connecting"
    process = setup.process(0)
    setup.write_until_sent(process)
    assert process.data[0] == 0x47  # MPEG-TS
    process.accept()
    setup.wait_for("live")
    process.end("the server closed the connection")
    setup.wait_for("reconnecting")
    setup.process(1).accept()
    setup.wait_for("live")
    assert setup.said == [
        "The stream rtmp://host/*** is live.",
        "The stream rtmp://host/*** was lost: the server closed the connection; reconnecting.",
        "The stream rtmp://host/*** is back.",
    ]
    setup.stream.close()
    assert setup.process(1).finished
    assert not setup.process(1).killed


def test_server_that_never_answers(make: type[Setup]) -> None:
    setup = make()
    process = setup.process(0)
    setup.write_until_sent(process)
    setup.clock.advance(4.9)
    time.sleep(0.05)
    assert setup.stream.state == "connecting"
    assert not process.killed
    setup.clock.advance(0.2)
    wait_until(lambda: process.killed, "the kill")
    setup.process(1).end("nothing answers at that address")
    setup.process(2)
    assert setup.stream.state == "connecting"
    assert setup.said == [  # once
        "The stream rtmp://host/*** cannot connect: the server does not answer; trying again."
    ]
    wait_until(lambda: "nothing answers" in setup.stream.sentence, "the new reason")


def test_server_that_takes_nothing(make: type[Setup]) -> None:
    setup = make()
    process = setup.process(0)
    setup.write_until_sent(process)
    process.accept()
    setup.wait_for("live")
    for _ in range(20):  # 30 s of progress
        setup.clock.advance(1.5)
        setup.write_until_sent(process)
        process.accept()
    process.takes.clear()  # a frozen server: the feeder waits in its write
    setup.write()
    wait_until(lambda: process.waits, "the write")
    for _ in range(3):
        setup.clock.advance(0.9)
        setup.write()  # returns at once
    wait_until(lambda: process.killed, "the kill")
    setup.wait_for("reconnecting")
    assert setup.said[-1] == (
        "The stream rtmp://host/*** was lost: the server has taken nothing for 2 s; reconnecting."
    )


def test_no_frames_are_no_stall(make: type[Setup]) -> None:
    setup = make()
    process = setup.process(0)
    setup.clock.advance(60)  # the model is still loading
    time.sleep(0.05)  # many looks of the thread that watches
    assert not process.killed
    setup.write_until_sent(process)
    process.accept()
    setup.wait_for("live")
    assert len(setup.processes) == 1


def test_listener_waits_without_end(make: type[Setup]) -> None:
    setup = make(parse_stream_address("srt://127.0.0.1:9000?mode=listener"))
    process = setup.process(0)
    setup.write_until_sent(process)
    setup.clock.advance(60)
    time.sleep(0.05)  # many looks of the thread that watches
    process.accept()
    setup.wait_for("live")
    assert not process.killed


def test_end_of_the_encoder(make: type[Setup]) -> None:
    setup = make()
    process = setup.process(0)
    setup.write_until_sent(process)
    process.accept()
    setup.wait_for("live")
    setup.encoder.close()
    setup.wait_for("failed")
    assert process.finished
    assert not process.killed


def test_process_that_cannot_be_started(make: type[Setup]) -> None:
    setup = make()
    process = setup.process(0)
    setup.failure = StreamError("python cannot be started: no such file")
    process.end()
    setup.wait_for("failed")
    assert "cannot be started" in setup.stream.sentence


def test_defect_is_told_without_its_message(
    make: type[Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise AssertionError(ADDRESS.url)

    monkeypatch.setattr(module.TransportStream, "add", fail)
    setup = make()
    process = setup.process(0)
    setup.write()
    setup.wait_for("failed")
    assert setup.said == ["The stream rtmp://host/*** failed: AssertionError."]
    assert process.finished


def test_close_while_the_server_is_frozen(make: type[Setup]) -> None:
    setup = make()
    process = setup.process(0)
    setup.write_until_sent(process)
    process.accept()
    process.takes.clear()
    setup.write()
    wait_until(lambda: process.waits, "the write")
    setup.stream.close()
    assert process.killed

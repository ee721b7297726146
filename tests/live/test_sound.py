"""The thread that reads the sound of a session."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
import pytest

from live_nst.errors import SourceError, SourceLostError
from live_nst.live import sound as module
from live_nst.live.sound import SoundWorker
from live_nst.sources.sound import SoundBlock
from tests.live.fakes import wait_until


class FakeSound:
    """Gives blocks of 0.1 s from an iterator; raises what is no number."""

    def __init__(self, times: Iterator[Any], *, live: bool = True) -> None:
        self.name, self.live = "fake sound", live
        self._times = times
        self.closed = False

    def read(self) -> SoundBlock | None:
        heard = next(self._times, None)
        if heard is None:
            return None
        if isinstance(heard, Exception):
            raise heard
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), "s16", "stereo")
        frame.sample_rate = 48_000
        return SoundBlock(frame, heard)

    def close(self) -> None:
        self.closed = True


def steps(start: float = 100.0, count: int | None = None) -> Iterator[float]:
    numbers = itertools.count() if count is None else range(count)
    for number in numbers:
        if count is None:
            time.sleep(0.001)
        yield start + number * 0.1


@pytest.fixture
def said() -> list[str]:
    return []


def test_device(said: list[str]) -> None:
    source = FakeSound(steps())
    with SoundWorker(lambda: source, lambda: None, said.append) as worker:
        assert worker.name == "fake sound"
        wait_until(lambda: worker.track.packets(100.5), "sound")
    assert source.closed
    assert said == []


def test_file_waits_for_its_origin(said: list[str]) -> None:
    origin: list[float] = []
    source = FakeSound(steps(0.0, 30), live=False)
    with SoundWorker(lambda: source, lambda: origin[0] if origin else None, said.append) as worker:
        time.sleep(0.05)
        assert worker.track.packets(0) == []
        origin.append(time.monotonic() + 10)  # far ahead: nothing is encoded yet
        time.sleep(0.05)
        assert worker.track.packets(0) == []
    origin[0] = time.monotonic() - 10  # all is due
    source = FakeSound(steps(0.0, 30), live=False)
    with SoundWorker(lambda: source, lambda: origin[0], said.append) as worker:
        wait_until(lambda: source.closed, "the end")
        times = [packet.time for packet in worker.track.packets(0)]
        assert times[0] == pytest.approx(origin[0], abs=0.03)
        assert times[-1] == pytest.approx(origin[0] + 3, abs=0.1)
    assert said == []


def test_lost_device_comes_back(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    lost = SourceLostError("the fake sound gives no sound")
    answers: list[Callable[[], FakeSound]] = [
        lambda: FakeSound(iter([100.0, 100.1, lost])),
        lambda: FakeSound(iter([SourceError("no such device")])),
    ]
    opened = iter(answers)
    gone = threading.Event()

    def open_source() -> FakeSound:
        try:
            return next(opened)()
        except StopIteration:
            gone.set()
            raise SourceError("the device is gone") from None

    with SoundWorker(open_source, lambda: None, said.append):
        wait_until(lambda: len(said) == 3, "three sentences")
    assert said == [
        "Sound: the fake sound gives no sound; the session goes on without it.",
        "Sound: it is back.",
        "Sound: no such device.",
    ]


def test_first_opening_fails() -> None:
    def fail() -> FakeSound:
        raise SourceError("no such device")

    with pytest.raises(SourceError, match="no such device"):
        SoundWorker(fail, lambda: None)

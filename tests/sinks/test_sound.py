"""Encoded sound: its times, gaps, and what readers get of it."""

from pathlib import Path

import av
import numpy as np
import pytest

from live_nst.sinks.sound import (
    PACKET_SECONDS,
    SAMPLE_RATE,
    EncodedSound,
    SoundEncoder,
    SoundReader,
    add_sound_stream,
    open_encoder,
    silent_packet,
)

CLICK = 0.05  # seconds


def block(samples: np.ndarray, rate: int = 48_000) -> av.AudioFrame:
    """Mono samples, -1..1, as a device gives them."""
    data = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(data[None], format="s16", layout="mono")
    frame.sample_rate = rate
    return frame


def beeps(times: np.ndarray) -> np.ndarray:
    """A beep of 50 ms at each full second."""
    return np.where(times % 1.0 < CLICK, 0.8 * np.sin(2 * np.pi * 1000 * times), 0.0)


def decode(packets: list[EncodedSound]) -> tuple[np.ndarray, np.ndarray]:
    """The loudness of decoded packets, and the time of each sample."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = open_encoder().extradata
    samples, times = [], []
    for packet in packets:
        for frame in decoder.decode(av.Packet(packet.data)):
            data = frame.to_ndarray()[0]
            samples.append(np.abs(data))
            times.append(packet.time + np.arange(len(data)) / SAMPLE_RATE)
    return np.concatenate(samples), np.concatenate(times)


def onsets(loud: np.ndarray, times: np.ndarray) -> np.ndarray:
    """When a beep begins."""
    beginnings = times[loud > 0.2]
    return beginnings[np.insert(np.diff(beginnings) > 0.3, 0, True)]


def encode(rate: int, seconds: float, *, drift: float = 0.0, jitter: float = 0.0) -> SoundEncoder:
    """Encode beeps of a device that began at the time 100.

    Args:
        drift: How much faster the device's clock runs.
        jitter: By how much the times of its blocks are wrong at most, in seconds.
    """
    rng = np.random.default_rng(0)
    encoder, size = SoundEncoder(), rate // 100
    for number in range(round(seconds * 100)):
        heard = 100 + (number * size + np.arange(size)) / (rate * (1 + drift))
        encoder.write(block(beeps(heard), rate), heard[0] + rng.uniform(-jitter, jitter))
    return encoder


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_times_are_kept(rate: int) -> None:
    packets = encode(rate, 4.5).packets(0)
    assert np.diff([p.time for p in packets]) == pytest.approx(PACKET_SECONDS)
    np.testing.assert_allclose(onsets(*decode(packets)), [100, 101, 102, 103, 104], atol=0.004)


@pytest.mark.parametrize("drift", [3e-3, -3e-3])
def test_clock_of_the_device_differs(drift: float) -> None:
    encoder = encode(48_000, 20.5, drift=drift, jitter=0.004)  # 60 ms too many or few samples
    found = onsets(*decode(encoder.packets(0)))
    assert len(found) >= 14  # of the last 15 seconds
    np.testing.assert_allclose(found, np.round(found), atol=0.03)


def test_gap_of_a_device_becomes_silence() -> None:
    encoder = SoundEncoder()
    for start in (100.0, 102.5):
        heard = start + np.arange(48_000) / 48_000
        for number in range(100):
            part = heard[480 * number : 480 * (number + 1)]
            encoder.write(block(np.sin(2 * np.pi * 500 * part)), part[0])
    loud, times = decode(encoder.packets(0))
    assert loud[(times > 101.05) & (times < 102.45)].max() < 0.01
    assert (
        loud[(times > 102.6) & (times < 103.4)].max() > 0.65
    )  # FFmpeg halves the power of each side


class Track:
    """A `SoundTrack` of given packets."""

    def __init__(self, *times: float) -> None:
        self.sounds = [EncodedSound(b"%f" % time, time) for time in times]

    def packets(self, after: float) -> list[EncodedSound]:
        return [sound for sound in self.sounds if sound.time > after]


def test_silence() -> None:
    reader = SoundReader(None, 10.0)
    assert reader.read(10.0) == []
    found = reader.read(10.1) + reader.read(10.2)
    assert {sound.data for sound in found} == {silent_packet()}
    assert [s.time for s in found] == pytest.approx(10.0 + PACKET_SECONDS * np.arange(10))
    loud, _ = decode(found)
    assert loud.max() == 0


def test_each_packet_once() -> None:
    times = 10.0 + PACKET_SECONDS * np.arange(-5, 20) + 0.003
    track = Track(*times)
    reader = SoundReader(track, 10.0)
    found = [s for until in (10.05, 10.05, 10.1, 10.3) for s in reader.read(until)]
    assert [s.time for s in found] == pytest.approx([t for t in times if 10 < t < 10.3])
    assert silent_packet() not in {s.data for s in found}


def test_silence_before_between_and_after() -> None:
    track = Track(*(11.0 + PACKET_SECONDS * np.arange(10)), *(12.0 + PACKET_SECONDS * np.arange(3)))
    reader = SoundReader(track, 10.0)
    found = reader.read(12.05)
    assert reader.read(12.5) == []  # more may come
    found += reader.read(13.0, last=True)
    steps = np.diff([s.time for s in found])
    assert (steps > PACKET_SECONDS * 0.49).all()
    assert (steps < PACKET_SECONDS * 1.51).all()
    heard = [s.time for s in found if s.data != silent_packet()]
    assert heard == [s.time for s in track.sounds if s.time < 12.05]
    assert found[0].time == 10.0
    assert found[-1].time == pytest.approx(13.0, abs=PACKET_SECONDS)


def test_late_packets_are_replaced() -> None:
    track = Track()
    reader = SoundReader(track, 10.0)
    silence = reader.read(11.0)
    assert silence[-1].time == pytest.approx(10.5, abs=PACKET_SECONDS)
    track.sounds = Track(*(10.0 + PACKET_SECONDS * np.arange(60))).sounds
    assert all(s.time > silence[-1].time for s in reader.read(11.0))


def test_packets_in_a_file(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "out.mp4"), "w") as container:
        stream = add_sound_stream(container)
        for number, sound in enumerate(encode(48_000, 2.0).packets(0)):
            packet = av.Packet(sound.data)
            packet.stream, packet.pts = stream, number * 1024
            packet.dts, packet.time_base = packet.pts, stream.time_base
            container.mux(packet)
    with av.open(str(tmp_path / "out.mp4")) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("aac", 48_000, 2)
        assert sum(frame.samples for frame in container.decode(audio=0)) > 90_000

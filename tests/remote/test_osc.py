"""Real UDP packets change a session."""

import random
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from live_nst.errors import DeviceError, UsageError
from live_nst.live.session import LiveSession
from live_nst.remote.addresses import ListenAddress
from live_nst.remote.osc import OscServer, check_packet
from tests.live.fakes import own_threads, wait_until
from tests.live.test_session import SessionHarness, live_options

ANY_PORT = ListenAddress("127.0.0.1", 0)


class Desk:
    """A session under the control of an OSC client."""

    def __init__(self, harness: SessionHarness, folder: Path) -> None:
        options = live_options(window=False, styles=("starry", "wave", "ink"), folder=folder)
        self.session = LiveSession(options, harness.messages.append)
        self.messages: list[str] = []
        self.server = OscServer(ANY_PORT, lambda: self.session, self.messages.append)
        self.client = SimpleUDPClient("127.0.0.1", self.server.address.port)

    def send(self, name: str, *values: Any) -> None:
        self.client.send_message(f"/live-nst/{name}", values)

    def raw(self, packet: bytes) -> None:
        where = ("127.0.0.1", self.server.address.port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(packet, where)

    @property
    def settings(self) -> Any:
        return self.session.control.settings


@pytest.fixture
def desk(harness: SessionHarness, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(harness, tmp_path)
    yield desk
    desk.server.close()
    desk.server.close()
    desk.session.pipeline.worker.close(5)
    desk.session.close()
    assert "live-nst osc" not in own_threads()


_HEAD = b"#bundle\0" + bytes(7) + b"\1"


@pytest.mark.parametrize(
    "elements",
    [
        b"\xff\xff\xff\xfc" + bytes(8),  # back to its own size: python-osc never ends
        b"\xff" * 40,
        bytes(40),
        b"\0\0\0\x08/a",
        b"\0\0\0\x04abcd",
        b"\0\0",
    ],
)
def test_bundle_of_wrong_sizes(
    desk: Desk, elements: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    desk.raw(_HEAD + elements)
    desk.send("strength", 0.25)
    wait_until(lambda: desk.settings.strength == 0.25)
    assert "OSC: a packet is no OSC" in desk.messages[0]
    assert not caplog.records  # it would fill the terminal


def test_bundles_in_bundles() -> None:
    packet = b"/a\0\0,\0\0\0"
    for _ in range(8):
        packet = _HEAD + len(packet).to_bytes(4, "big") + packet
        check_packet(packet)
    for _ in range(2000):
        packet = _HEAD + len(packet).to_bytes(4, "big") + packet
    with pytest.raises(ValueError, match="no bundle"):
        check_packet(packet)


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("strength", 0.25, "strength", 0.25),
        ("strength", 0, "strength", 0.0),
        ("keep-colors", 1.0, "keep_colors", 1.0),
        ("detail", 0.5, "detail", 0.5),
        ("stroke", 1.5, "stroke", 1.5),
        ("size", 512, "size", 512),
        ("size", "auto", "automatic_size", True),
        ("only", "person", "only", "person"),
        ("blend", "styles", "blend", "styles"),
        ("mirror", True, "mirror", True),
        ("mirror", 1, "mirror", True),
        ("mirror", 1.0, "mirror", True),
        ("split", "on", "split", True),
        ("split-at", 0.75, "split_at", 0.75),
        ("frozen", 1, "frozen", True),
    ],
)
def test_settings(desk: Desk, name: str, value: Any, field: str, expected: Any) -> None:
    desk.send(name, value)
    wait_until(lambda: getattr(desk.settings, field) == expected, name)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("wave", "wave"),
        ("mosaic", "mosaic"),  # built in, but not given
        (3, "ink"),
        (2.0, "wave"),
        ("wave:3+ink", "wave 75% + ink 25%"),
    ],
)
def test_styles(desk: Desk, value: Any, label: str) -> None:
    desk.send("style", value)
    wait_until(lambda: desk.settings.style.label == label)
    assert sum(part.weight for part in desk.settings.style.parts) == pytest.approx(1)


def test_keys(desk: Desk) -> None:
    desk.send("key", "n")
    desk.send("key", "n")
    wait_until(lambda: desk.settings.style.label == "ink")


def test_key_that_writes_a_preset(desk: Desk, tmp_path: Path) -> None:
    desk.send("key", "w")
    wait_until(lambda: list(tmp_path.glob("live-nst-*.toml")))
    desk.session.control._folder = Path("/nowhere")
    desk.send("key", "w")
    wait_until(lambda: any("no folder" in message for message in desk.messages))


def test_recording(desk: Desk, tmp_path: Path) -> None:
    desk.send("record", 1)
    wait_until(lambda: desk.session.control.recorder is not None)
    desk.send("record", 0)
    wait_until(lambda: desk.session.control.recorder is None)


def test_stop(desk: Desk) -> None:
    desk.send("stop")  # no argument: as if it were 1
    wait_until(lambda: desk.session.pipeline._stopped)


def test_bundle(desk: Desk) -> None:
    bundle = OscBundleBuilder(IMMEDIATELY)
    for name, value in (("strength", 0.5), ("style", "wave")):
        message = OscMessageBuilder(f"/live-nst/{name}")
        message.add_arg(value)
        bundle.add_content(message.build())
    desk.raw(bundle.build().dgram)
    wait_until(lambda: desk.settings.style.label == "wave" and desk.settings.strength == 0.5)


def test_the_last_of_many_counts(desk: Desk) -> None:
    for step in range(1001):
        desk.send("strength", step / 1000)
        if step % 50 == 0:
            time.sleep(0.001)  # UDP drops what does not fit into the buffer
    wait_until(lambda: desk.settings.strength == 1.0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("strenght", 1.0, "no command 'strenght'"),
        ("strength", 2.0, "Invalid strength 2"),
        ("strength", float("nan"), "Invalid strength"),
        ("strength", "much", "Invalid strength"),
        ("size", float("nan"), "NaN"),
        ("size", float("inf"), "infinity"),
        ("style", "/etc/passwd", "no style"),
        ("style", "../secret.jpg", "no style"),
        ("style", "wave:nan+ink", "no style"),
        ("style", 9, "no style number 9"),
        ("only", "/etc/passwd", "no mask"),
        ("key", "zz", "no key 'zz'"),
        ("mirror", "sideways", "Invalid mirror"),
        ("strength", b"blob", "no number and no text"),
        ("bad\x1b[31mname", 1, "bad?[31mname"),
    ],
)  # fmt: skip
def test_messages_that_cannot_be_used(desk: Desk, name: str, value: Any, words: str) -> None:
    before = desk.settings
    for _ in range(3):
        desk.send(name, value)
    desk.send("split", 1)
    wait_until(lambda: desk.settings.split)
    assert desk.settings.style == before.style and desk.settings.strength == before.strength
    complaints = [message for message in desk.messages if message.startswith("OSC /live-nst/")]
    assert len(complaints) == 1 and words in complaints[0]
    assert complaints[0].isprintable()


def test_garbage(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    generator = random.Random(7)
    message = OscMessageBuilder("/live-nst/strength")
    message.add_arg(0.5)
    whole = message.build().dgram
    packets = [generator.randbytes(generator.randrange(64)) for _ in range(200)]
    packets += [whole[:length] for length in range(len(whole))]
    packets += [b"#bundle\0" + generator.randbytes(24), b"", b"/", b"\0" * 60_000]
    for number in range(200):
        changed = bytearray(whole)
        changed[generator.randrange(len(changed))] = generator.randrange(256)
        packets.append(bytes(changed))
        packets.append(f"/{number}\0\0\0,f\0\0".encode() + b"\0\0\0\0")
    for packet in packets:
        desk.raw(packet)
        time.sleep(0.0002)
    desk.send("mirror", 1)
    wait_until(lambda: desk.settings.mirror)
    assert 0 <= desk.settings.strength <= 1
    assert 0 < len(desk.messages) <= 21
    assert capfd.readouterr() == ("", "")


def test_who_is_heard() -> None:
    with OscServer(ANY_PORT, lambda: None, print) as server:
        assert server.describe() == f"OSC messages are received at {server.address}"
    with OscServer(ListenAddress("0.0.0.0", 0), lambda: None, print) as server:
        assert "everyone in that network" in server.describe()


def test_no_session(capfd: pytest.CaptureFixture[str]) -> None:
    with OscServer(ANY_PORT, lambda: None, print) as server:
        SimpleUDPClient("127.0.0.1", server.address.port).send_message("/live-nst/strength", 0.5)
        time.sleep(0.05)
    assert capfd.readouterr() == ("", "")


def test_port_in_use() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = ListenAddress("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(UsageError, match="another program uses port") as caught:
            OscServer(address, lambda: None, print)
    assert "--osc" in caught.value.hint


def test_host_that_is_not_here() -> None:
    with pytest.raises(UsageError, match="cannot listen at"):
        OscServer(ListenAddress("192.0.2.1", 0), lambda: None, print)


def test_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythonosc", None)
    monkeypatch.delitem(sys.modules, "pythonosc.osc_packet", raising=False)
    with pytest.raises(DeviceError, match="--osc needs the package pythonosc"):
        OscServer(ANY_PORT, lambda: None, print)

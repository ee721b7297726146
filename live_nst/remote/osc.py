"""OSC in: lighting desks, VJ programs and phones change a session over UDP."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from live_nst.errors import LiveNstError
from live_nst.live.session import LiveSession
from live_nst.remote.addresses import ListenAddress, listen_error
from live_nst.remote.commands import SessionCommands
from live_nst.runtime.extras import import_extra
from live_nst.types import Closeable, Notify

if TYPE_CHECKING:
    from pythonosc.osc_message import OscMessage

DEFAULT_PORT = 9000
PREFIX = "/live-nst/"

_POLL_SECONDS = 0.2
_MAX_BYTES = 65_535
_MAX_BATCH = 256  # packets that are read at once
_BUNDLE = b"#bundle\0"
_TIME_BYTES = 8
_SIZE_BYTES = 4
_MAX_DEPTH = 8  # of bundles in bundles
_MAX_COMPLAINTS = 20  # sentences about messages that cannot be used; then it is silent

Command = tuple[str, Any]


class OscServer(Closeable):
    """Receives OSC messages in a thread of its own.

    The address of a message is `/live-nst/NAME`, its first argument the value; see
    `live_nst.remote.commands`. A fader sends hundreds of messages in a second: of those that wait,
    the last one of each address counts. What cannot be used is ignored.

    Args:
        address: Where it listens.
        get_session: Returns the session to change; None while there is none.
        notify: Called with a sentence about a message that cannot be used.

    Raises:
        UsageError: It cannot listen there.
        DeviceError: python-osc is not installed.
    """

    def __init__(
        self,
        address: ListenAddress,
        get_session: Callable[[], LiveSession | None],
        notify: Notify,
    ) -> None:
        self._osc = import_extra("pythonosc.osc_packet", "studio", "--osc")
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.bind((address.host, address.port))
        except OSError as exc:
            self._socket.close()
            raise listen_error(address, "--osc", exc) from exc
        self._socket.settimeout(_POLL_SECONDS)
        self.address = ListenAddress(address.host, self._socket.getsockname()[1])
        self._get_session = get_session
        self._notify = notify
        self._closing = threading.Event()
        self._session: LiveSession | None = None
        self._commands: SessionCommands | None = None
        self._complaints: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="live-nst osc", daemon=True)
        self._thread.start()

    def describe(self) -> str:
        """Return a sentence that says where it listens, and to whom."""
        sentence = f"OSC messages are received at {self.address}"
        if self.address.is_loopback:
            return sentence
        return f"{sentence}: everyone in that network can change the session"

    def close(self) -> None:
        """Receive nothing more. Calling it again does nothing."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            packets = self._receive()
            if not packets or not self._find_session():
                continue
            for command in self._compact(
                command for packet in packets for command in self._parse(packet)
            ):
                self._do(*command)

    def _find_session(self) -> bool:
        """Return whether there is a session to change."""
        session = self._get_session()
        if session is not self._session:
            self._session = session
            self._commands = None if session is None else SessionCommands(session)
        return self._commands is not None

    def _receive(self) -> list[bytes]:
        """Return the packets that wait; after a while without one, none."""
        packets: list[bytes] = []
        try:
            packets.append(self._socket.recv(_MAX_BYTES))
            self._socket.setblocking(False)
            while len(packets) < _MAX_BATCH:
                packets.append(self._socket.recv(_MAX_BYTES))
        except OSError:  # none waits; on Windows also when a sender has gone
            pass
        self._socket.settimeout(_POLL_SECONDS)
        return packets

    def _parse(self, packet: bytes) -> Iterator[Command]:
        try:
            check_packet(packet)
            messages: list[OscMessage] = [
                timed.message for timed in self._osc.OscPacket(packet).messages
            ]
        except Exception as exc:  # whatever anybody sends: the parser has no error for all of it
            self._complain("", f"a packet is no OSC: {exc}")
            return
        for message in messages:
            if not message.address.startswith(PREFIX):
                self._complain(message.address, "such addresses begin with " + PREFIX)
                continue
            values = message.params
            yield message.address.removeprefix(PREFIX), values[0] if values else True

    def _compact(self, commands: Iterator[Command]) -> list[Command]:
        """Return commands without the settings that a later one overrides."""
        assert self._commands is not None
        kept: dict[object, Command] = {}
        for number, command in enumerate(commands):
            key = command[0] if self._commands.is_setting(command[0]) else number
            kept.pop(key, None)
            kept[key] = command
        return list(kept.values())

    def _do(self, name: str, value: Any) -> None:
        assert self._commands is not None
        if not isinstance(value, str | int | float):
            self._complain(PREFIX + name, "its first argument is no number and no text")
            return
        try:
            self._commands.run(name, value)
        except LiveNstError as exc:
            self._complain(PREFIX + name, exc.message)
        except (ValueError, OverflowError) as exc:  # a number that is none: NaN, infinity
            self._complain(PREFIX + name, str(exc))

    def _complain(self, address: str, reason: str) -> None:
        """Tell of a message that cannot be used, once for each address."""
        if address not in self._complaints and len(self._complaints) < _MAX_COMPLAINTS:
            self._complaints.add(address)
            self._notify(f"OSC {_printable(address)}: {_printable(reason)}".replace(" :", ":"))


def check_packet(packet: bytes, depth: int = 0) -> None:
    """Raise unless a packet is a message, or a bundle whose elements lie in it one after the other.

    python-osc follows the sizes in a bundle without a look at them: one below zero leads it back,
    and so around for ever. Source: OSC 1.0, https://opensoundcontrol.stanford.edu/spec-1_0.html.

    Args:
        packet: What arrived.
        depth: How many bundles it lies in.

    Raises:
        ValueError: It is neither.
    """
    if packet.startswith(b"/"):
        return
    if not packet.startswith(_BUNDLE) or depth > _MAX_DEPTH:
        raise ValueError("it is no message and no bundle of messages")
    index = len(_BUNDLE) + _TIME_BYTES
    while index < len(packet):
        start = index + _SIZE_BYTES
        size = int.from_bytes(packet[index:start], "big", signed=True)
        index = start + size
        if size <= 0 or index > len(packet):
            raise ValueError("a bundle has an element of a wrong size")
        check_packet(packet[start:index], depth + 1)


def _printable(text: str) -> str:
    """Return text from outside, short and without control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:160]

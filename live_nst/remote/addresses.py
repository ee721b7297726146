"""The addresses that `--osc`, `--metrics` and `--control` listen at."""

import errno
import ipaddress
from dataclasses import dataclass

from live_nst.errors import UsageError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A host and a port to listen at.

    Attributes:
        host: An IP address or a name.
        port: A port; 0 for any that is free.
    """

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this computer can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, default_port: int, option: str) -> ListenAddress:
    """Parse `PORT` or `HOST:PORT`; the host is this computer alone if none is given.

    Args:
        text: The text; empty for the default port.
        default_port: The port if none is given.
        option: What messages call it.

    Raises:
        UsageError: It has another form.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or LOOPBACK
    if not text:
        return ListenAddress(LOOPBACK, default_port)
    if not port.isascii() or not port.isdecimal() or int(port) > 65535 or " " in host:
        raise UsageError(
            f"Invalid address {text!r} of {option}", f"write a port such as {default_port}"
        )
    return ListenAddress(host, int(port))


def parse_port(text: str, default_port: int, option: str) -> ListenAddress:
    """Parse `PORT`, on this computer alone.

    Raises:
        UsageError: It has another form, or names a host.
    """
    if ":" in text:
        raise UsageError(
            f"{option} {text} would be open to others: it listens on this computer only",
            "give a port without a host",
        )
    return parse_address(text, default_port, option)


def listen_error(address: ListenAddress, option: str, exc: OSError) -> UsageError:
    """Return the error that says why an address cannot be listened at."""
    if exc.errno == errno.EADDRINUSE:
        return UsageError(
            f"{option}: another program uses port {address.port}",
            f"choose another one, such as {option} {_other_port(address.port)}",
        )
    if exc.errno == errno.EACCES:
        return UsageError(
            f"{option}: no permission for port {address.port}", "use one from 1024 up"
        )
    reason = (exc.strerror or str(exc)).lower()
    return UsageError(
        f"{option} cannot listen at {address}: {reason}",
        "use the address of a network of this computer, or only a port",
    )


def _other_port(port: int) -> int:
    return port + 1 if port < 65535 else port - 1

"""Addresses of Dask's schedulers, and what is safe: whoever reaches a scheduler runs code there."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import UsageError

DEFAULT_PORT = 8786
"""The port of `dask scheduler`."""

_FORM = re.compile(r"(?:(?P<protocol>[a-z]+)://)?(?P<host>\[[^]]+\]|[^:/\[\]]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True)
class Certificates:
    """The files of TLS, in PEM format. Dask's configuration gives those that are None.

    Attributes:
        authority: The certificate of the authority that signed all others.
        certificate: The certificate of this process.
        key: Its private key.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def check(self) -> None:
        """Raise if a file is missing.

        Raises:
            UsageError: It is.
        """
        for path in (self.authority, self.certificate, self.key):
            if path is not None and not path.is_file():
                raise UsageError(f"There is no file {path}", "check the --tls options")

    @property
    def given(self) -> bool:
        """Whether any file is given."""
        return any((self.authority, self.certificate, self.key))


def scheduler_address(text: str, *, insecure: bool = False) -> str:
    """Return a complete address: "tcp://127.0.0.1:8786" for "127.0.0.1".

    Args:
        text: What the user gave.
        insecure: Accept an address beyond this machine without TLS.

    Raises:
        UsageError: It is no address, or not a safe one.
    """
    match = _FORM.fullmatch(text.strip())
    protocol = (match["protocol"] or "tcp") if match else ""
    port = int(match["port"] or DEFAULT_PORT) if match else 0
    if match is None or protocol not in ("tcp", "tls") or not 0 < port < 65536:
        raise UsageError(f"Invalid address {text!r}", f"write it as tls://10.0.0.1:{DEFAULT_PORT}")
    host = match["host"]
    if protocol != "tls" and not is_loopback(host) and not insecure:
        raise UsageError(
            f"The address {text} is not encrypted: whoever reaches it can run code on all machines",
            "use a tls:// address; in a network where you trust everyone, add --insecure",
        )
    return f"{protocol}://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class ClusterRequest:
    """Which workers paint.

    Attributes:
        address: The address of a scheduler; None to start workers on this machine.
        workers: How many of them.
        certificates: The files of TLS.
    """

    address: str | None
    workers: int
    certificates: Certificates

"""What the studio is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.live.options import LiveOptions
from live_nst.studio.security import SHORTEST_TOKEN, host_name, is_loopback, is_usable_token


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioOptions:
    """What the studio is asked to do.

    Attributes:
        live: The first session; `folder` is where recordings and snapshots land. The studio opens
            no window; `window` is what its presets say to `live-nst --preset`.
        host: The address to listen on.
        port: The port; 0 for a free one.
        token: What every request must show; empty for a random one where one is needed.
        allow_hosts: Further names by which the studio is reached, as behind a proxy.
        tls: Serve https with a certificate that the studio makes itself.
        tls_cert: Serve https with this certificate, a PEM file; `tls_key` is its key.
        tls_key: See `tls_cert`.
        start: Start a session at once.
    """

    live: LiveOptions = field(default_factory=LiveOptions)
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    allow_hosts: tuple[str, ...] = ()
    tls: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    start: bool = True

    @property
    def is_public(self) -> bool:
        """Whether others than this machine can reach it."""
        return not is_loopback(self.host)

    @property
    def uses_tls(self) -> bool:
        """Whether it serves https."""
        return self.tls or self.tls_cert is not None

    def check(self) -> None:
        """Check the values before anything is opened.

        Raises:
            UsageError: A value is invalid.
        """
        if not 0 <= self.port <= 65535:
            raise UsageError(f"Invalid port {self.port}.", "use 1 to 65535, or 0 for a free one")
        if self.token and not is_usable_token(self.token):
            raise UsageError(
                "This token cannot be used.",
                f"use at least {SHORTEST_TOKEN} letters, digits, - or _; or leave it out where the "
                "studio is to make one",
            )
        for name in self.allow_hosts:
            if host_name(name) != name.lower():
                raise UsageError(
                    f"Invalid name {name!r} of the studio.",
                    "give the name alone, without https:// and port, such as studio.example",
                )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError(
                "A certificate needs its key.", "give both --tls-cert and --tls-key, or --tls alone"
            )
        if not self.live.folder.is_dir():
            raise UsageError(
                f"There is no folder {self.live.folder} for recordings.", "create it first"
            )

"""Open what a session's options ask for: OSC, metrics and control."""

from collections.abc import Callable
from contextlib import ExitStack

from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession
from live_nst.remote import metrics_server, osc
from live_nst.remote.addresses import parse_address, parse_port
from live_nst.types import Closeable, Notify


class CurrentSession:
    """The session that runs, for servers that were opened before it.

    Attributes:
        session: The session; None while there is none.
    """

    def __init__(self) -> None:
        self.session: LiveSession | None = None

    def get(self) -> LiveSession | None:
        """Return the session; None while there is none."""
        return self.session

    def attach(self, session: LiveSession) -> Closeable:
        """Set the session until the result is closed; this is an `Attach`."""
        self.session = session
        return _Detach(self)


class _Detach(Closeable):
    def __init__(self, current: CurrentSession) -> None:
        self._current = current

    def close(self) -> None:
        self._current.session = None


def open_remotes(
    options: LiveOptions,
    notify: Notify,
    stack: ExitStack,
    get_session: Callable[[], LiveSession | None],
) -> None:
    """Open OSC and metrics if the options ask for them, before a model takes its seconds.

    Args:
        options: The options of the session.
        notify: Called with one sentence at a time, from any thread.
        stack: Closes what is opened.
        get_session: Returns the session that runs; None while there is none.

    Raises:
        LiveNstError: A port is used, or a package is missing.
    """
    if options.metrics is not None:
        address = parse_port(options.metrics, metrics_server.DEFAULT_PORT, "--metrics")
        metrics = stack.enter_context(metrics_server.MetricsServer(address, get_session))
        notify(f"Figures for Prometheus at {metrics.url}")
    if options.osc is not None:
        address = parse_address(options.osc, osc.DEFAULT_PORT, "--osc")
        server = stack.enter_context(osc.OscServer(address, get_session, notify))
        notify(server.describe())

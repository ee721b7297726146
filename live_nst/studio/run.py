"""Run the studio: the server at once, the session beside it, until a signal asks for the end."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from live_nst.live.options import check_streams
from live_nst.remote.addresses import ListenAddress
from live_nst.remote.attach import open_remotes
from live_nst.remote.endpoints import Endpoint, find_endpoints, remove_endpoint, write_endpoint
from live_nst.runtime.signals import handle_stop_signals
from live_nst.studio.app import create_app
from live_nst.studio.assemble import studio_parts
from live_nst.studio.figures import figure_routes
from live_nst.studio.options import StudioOptions
from live_nst.studio.security import LOOPBACK_NAMES, Access, own_names
from live_nst.studio.server import Server, listen
from live_nst.studio.sources import choose_source
from live_nst.studio.styles import StyleShelf
from live_nst.studio.tls import Certificate, given_certificate, own_certificate
from live_nst.styles.spec import as_spec
from live_nst.types import DownloadProgress, Notify

_POLL_SECONDS = 0.1  # how late a signal may be noticed
_EVERYWHERE = ("0.0.0.0", "::", "")


def run_studio(
    options: StudioOptions,
    notify: Notify,
    show_link: Callable[[str], None],
    progress: DownloadProgress = lambda done, total: None,
) -> None:
    """Serve the studio until a signal asks for the end; recordings are finished then.

    Args:
        options: What to do.
        notify: Called with one sentence at a time, from any thread.
        show_link: Called with the address of the page, with the token if there is one.
        progress: Called while a model is downloaded.

    Raises:
        LiveNstError: A value is invalid, or the server cannot be started.
    """
    options.check()
    live = replace(options.live, source=choose_source(options.live.source))
    live.check()
    check_streams(live)  # the page starts some
    certificate = _certificate(options)
    with ExitStack() as stack:
        stop = stack.enter_context(handle_stop_signals())
        find_endpoints()  # removes what crashed sessions left
        listening = listen(options.host, options.port)
        stack.callback(listening.close)
        port = int(listening.getsockname()[1])
        access = _access(options, port)
        shelf = stack.enter_context(StyleShelf([as_spec(style) for style in live.stylizer.styles]))
        host, parts = studio_parts(live, shelf, access, notify, progress)
        stack.callback(host.close)
        open_remotes(live, notify, stack, lambda: host.session)
        if live.metrics is not None:
            parts.routers = (figure_routes(lambda: host.session),)
        server = stack.enter_context(Server(create_app(parts), [listening], certificate))
        stack.callback(parts.hubs.end)
        write_endpoint(_endpoint(options, access, port, certificate))
        stack.callback(remove_endpoint, os.getpid())
        _announce(options, access, port, certificate, notify, show_link)
        if live.source != options.live.source:
            notify(_describe_choice(live.source))
        if options.start:
            host.begin()
        while not stop.is_set() and not server.ended:
            time.sleep(_POLL_SECONDS)
        notify("The studio ends.")


def _access(options: StudioOptions, port: int) -> Access:
    """Return who may ask. An address that others reach always needs a token."""
    token = options.token or (secrets.token_urlsafe(24) if options.is_public else "")
    return Access(
        own_names(options.host, options.allow_hosts),
        any_address=options.is_public,
        token=token,
        cookie=f"live-nst-{port}",  # browsers do not tell the ports of a machine apart
        tls=options.uses_tls,
    )


def _certificate(options: StudioOptions) -> Certificate | None:
    if options.tls_cert is not None and options.tls_key is not None:
        return given_certificate(options.tls_cert, options.tls_key)
    if not options.tls:
        return None
    names = own_names(options.host, options.allow_hosts)
    return own_certificate(name for name in names if name not in _EVERYWHERE)


def _announce(
    options: StudioOptions,
    access: Access,
    port: int,
    certificate: Certificate | None,
    notify: Notify,
    show_link: Callable[[str], None],
) -> None:
    """Say where the page is, and who can see it."""
    if options.is_public:
        notify("Everybody with this link sees the camera, from any machine that reaches this one.")
        if certificate is None:
            notify(
                "Without --tls others in the network can read along, and browsers send no camera."
            )
    if options.tls and certificate is not None:
        notify(f"The browser asks about the certificate; its SHA-256 is {certificate.fingerprint}.")
    show_link(page_address(options, access, port))


def page_address(options: StudioOptions, access: Access, port: int) -> str:
    """Return the address of the page, with the token if there is one."""
    host = options.host
    if host in _EVERYWHERE:
        host = next(iter(sorted(set(access.hosts) - {*LOOPBACK_NAMES, *_EVERYWHERE})), "127.0.0.1")
    if ":" in host:
        host = f"[{host}]"
    query = f"?token={access.token}" if access.token else ""
    return f"{'https' if options.uses_tls else 'http'}://{host}:{port}/{query}"


def _endpoint(
    options: StudioOptions, access: Access, port: int, certificate: Certificate | None
) -> Endpoint:
    """Return how `live-nst ctl` reaches this studio."""
    host = "127.0.0.1" if options.host in ("0.0.0.0", "") else options.host
    host = "::1" if host == "::" else host
    address = ListenAddress(host, port)
    return Endpoint(
        pid=os.getpid(),
        kind="studio",
        url=f"{'https' if options.uses_tls else 'http'}://{address}",
        token=access.token,
        fingerprint="" if certificate is None else certificate.fingerprint,
    )


def _describe_choice(source: str) -> str:
    if source == "demo":
        return "No camera was found, so the demo is shown; the page can send its own camera."
    return f"The first camera is shown: {source}."

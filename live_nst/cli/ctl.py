"""`live-nst ctl`: control a running session from scripts, desks and Stream Decks."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst.cli.console import show_result
from live_nst.cli.ctl_words import SETTINGS, describe, find_style, to_switch, to_value
from live_nst.errors import UsageError

if TYPE_CHECKING:
    from live_nst.remote.client import SessionClient

ctl = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Control a running session: one started with --control, or the studio.",
)


@dataclass
class _Choice:
    """Which session is meant."""

    pid: int | None = None
    url: str = ""
    token: str = ""


@ctl.callback()
def choose(
    context: typer.Context,
    session: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="The session, if several run.")
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="The studio on another computer, such as http://127.0.0.1:8000."
        ),
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            metavar="TOKEN",
            envvar="LIVE_NST_TOKEN",
            help="The token of the studio at that URL.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Control a running session: one started with --control, or the studio."""
    from live_nst.runtime.process_list import hide_in_process_list

    hide_in_process_list(token)
    hide_in_process_list(url.partition("?")[2])  # the token, in a link that was copied
    context.obj = _Choice(session, url, token)


def _client(context: typer.Context) -> "SessionClient":
    from live_nst.remote.client import SessionClient, choose_endpoint, read_link

    choice = context.find_object(_Choice) or _Choice()
    if choice.url:
        return SessionClient(read_link(choice.url, choice.token))
    return SessionClient(choose_endpoint(choice.pid))


def _add_setting(name: str, metavar: str, help: str) -> None:
    def change(
        context: typer.Context, value: Annotated[str, typer.Argument(metavar=metavar)]
    ) -> None:
        body = {name.replace("-", "_"): to_value(name, value)}
        _client(context).ask("PATCH", "/api/settings", body)

    change.__doc__ = help
    ctl.command(name)(change)


for _name, (_metavar, _help) in SETTINGS.items():
    _add_setting(_name, _metavar, _help)

OnOff = Annotated[str, typer.Argument(metavar="on|off")]


@ctl.command()
def style(context: typer.Context, style: Annotated[str, typer.Argument(metavar="STYLE")]) -> None:
    """Change the style: its name as `ctl styles` lists it, or a mix such as wave:0.7+ink:0.3."""
    client = _client(context)
    known = client.ask("GET", "/api/styles")
    client.ask("PATCH", "/api/settings", {"style": find_style(style, known)})


@ctl.command()
def styles(context: typer.Context) -> None:
    """List the styles to choose from."""
    for entry in _client(context).ask("GET", "/api/styles"):
        label = "" if entry["label"] == entry["id"] else entry["label"]
        show_result("  ".join(filter(None, (entry["id"], label, entry["description"]))))


@ctl.command()
def key(context: typer.Context, key: Annotated[str, typer.Argument(metavar="KEY")]) -> None:
    """Press a key of the window, such as n for the next style."""
    _client(context).ask("POST", "/api/keys", {"key": key})


@ctl.command()
def snapshot(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE.png]", help="Save it here; else in the session's folder."),
    ] = None,
) -> None:
    """Save the picture that is shown."""
    if file is None:
        _client(context).read("POST", "/api/snapshot?save=1")
        return
    from live_nst.files.atomic import write_bytes
    from live_nst.files.output import check_output, write_errors

    check_output(file, kind="a picture", suffixes=[".png"])
    picture = _client(context).read("POST", "/api/snapshot")
    with write_errors(file):
        write_bytes(file, picture)


@ctl.command()
def record(context: typer.Context, switch: OnOff) -> None:
    """Start or end a recording; print the name of its file."""
    client = _client(context)
    before = client.ask("GET", "/api/state")["recording"]["file"]
    after = client.ask("PUT", "/api/recording", {"on": to_switch(switch)})["recording"]["file"]
    if after or before:
        show_result(after or before)


@ctl.command("virtual-camera")
def virtual_camera(
    context: typer.Context,
    switch: OnOff,
    device: Annotated[
        str | None, typer.Argument(metavar="[DEVICE]", help="The first one found if left out.")
    ] = None,
) -> None:
    """Feed a virtual camera, or stop it."""
    body = {"on": to_switch(switch), "device": device}
    _client(context).ask("PUT", "/api/virtual-camera", body)


@ctl.command()
def source(
    context: typer.Context, source: Annotated[str, typer.Argument(metavar="SOURCE")]
) -> None:
    """Change the source to one of those that `ctl sources` lists, by its id or its name."""
    from live_nst.runtime.process_list import hide_in_process_list

    hide_in_process_list(source.partition("://")[2])
    client = _client(context)
    ids = {entry["label"]: entry["id"] for entry in client.ask("GET", "/api/sources")}
    client.ask("PUT", "/api/session", {"source": ids.get(source, source)})


@ctl.command()
def sources(context: typer.Context) -> None:
    """List the sources to choose from."""
    for entry in _client(context).ask("GET", "/api/sources"):
        show_result(f"{entry['id']}  {entry['label']}")


@ctl.command()
def stream(
    context: typer.Context, url: Annotated[str, typer.Argument(metavar="URL|@FILE")]
) -> None:
    """Start a stream to a server; @FILE holds the address, which has a key."""
    from live_nst.runtime.process_list import hide_in_process_list
    from live_nst.sinks.stream_address import read_stream_address

    if "://" in url:
        hide_in_process_list(url.partition("://")[2])
    _client(context).ask("POST", "/api/streams", {"url": read_stream_address(url)})


@ctl.command()
def unstream(
    context: typer.Context, number: Annotated[int, typer.Argument(metavar="NUMBER")]
) -> None:
    """End a stream, by its number in `ctl status`."""
    _client(context).ask("DELETE", f"/api/streams/{number}")


@ctl.command()
def preset(
    context: typer.Context,
    action: Annotated[str, typer.Argument(metavar="load|save|list")],
    name: Annotated[str, typer.Argument(metavar="[NAME]")] = "",
) -> None:
    """Load or save a preset, or list them."""
    from urllib.parse import quote

    if action not in ("load", "save", "list") or bool(name) == (action == "list"):
        raise UsageError("This names no preset", "use load NAME, save NAME or list")
    client = _client(context)
    if action == "load":
        client.ask("PUT", f"/api/presets/{quote(name, safe='')}/load")
    elif action == "save":
        client.ask("POST", "/api/presets", {"name": name})
    else:
        for each in client.ask("GET", "/api/presets"):
            show_result(each)


@ctl.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what the session does."""
    state = _client(context).ask("GET", "/api/state")
    if as_json:
        show_result(json.dumps(state, indent=2, ensure_ascii=False))
        return
    for line in describe(state):
        show_result(line)


@ctl.command()
def stop(context: typer.Context) -> None:
    """End the session. The studio itself goes on."""
    _client(context).ask("DELETE", "/api/session")

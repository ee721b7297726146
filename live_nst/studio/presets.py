"""Save and load presets from a page: names in the folder of settings, nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession
from live_nst.live.settings import SettingsChange
from live_nst.presets.files import (
    apply_preset,
    list_presets,
    load_defaults,
    named_preset,
    save_preset,
)
from live_nst.presets.show import current_options
from live_nst.sinks.stream_address import parse_stream_address
from live_nst.studio.attached import AttachedSession
from live_nst.studio.models import RequestModel, State
from live_nst.studio.requests import RequestError
from live_nst.studio.routes import PROBLEMS, state_for
from live_nst.studio.studio import Studio
from live_nst.styles.spec import StyleSpec, as_spec, format_style

PresetName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class PresetRequest(RequestModel):
    """The name of a preset to save."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def preset_routes(studio: Studio) -> APIRouter:
    """Return the requests about presets."""
    router = APIRouter(prefix="/api/presets", responses=PROBLEMS)

    @router.get("")
    def read_presets() -> list[str]:
        """Return the names of all presets."""
        return list_presets()

    @router.post("", status_code=201)
    def write_preset(wanted: PresetRequest) -> list[str]:
        """Save what is set now, in place of a preset with the same name."""
        save(studio, wanted.name)
        return list_presets()

    @router.put("/{name}/load")
    def use_preset(name: PresetName, request: Request) -> State:
        """Set everything as a preset says; the session starts again only if it must."""
        load(studio, name)
        return state_for(studio, request)

    return router


def save(studio: Studio, name: str) -> None:
    """Save what is set now as a preset with a name.

    Raises:
        LiveNstError: It cannot be written.
    """
    session = studio.host.session
    options = studio.host.options if session is None else current_options(session)
    save_preset(name, options)


def load(studio: Studio, name: str) -> None:
    """Set everything as a preset says.

    A session that someone else runs keeps what cannot be changed while it runs.

    Raises:
        LiveNstError: There is no such preset, or it cannot be used.
    """
    path = named_preset(name)
    if not path.is_file():
        raise RequestError(404, f"There is no preset {name!r}.", "see the list of presets")
    session, defaults = studio.host.session, load_defaults()
    if session is not None:  # what it does not say of the source stays: no camera is opened for it
        defaults = replace(defaults, source=session.source, request=session.options.request)
    preset = apply_preset(defaults, path)
    for address in preset.streams:
        parse_stream_address(address)  # before anything is changed
    options = _for_this_studio(studio, preset)
    options.check()
    studio.shelf.add_given(_pictures(options))
    studio.sources.add(options.source)
    attached = isinstance(studio.host, AttachedSession)
    if session is None or not (attached or _runs_alike(session.options, options)):
        studio.host.start(options)
        session = studio.session()
    _change(session, options)
    try:
        _switch_virtual_camera(session, options.virtual_camera)
    finally:  # also without the camera
        _start_streams(session, preset.streams)


def _for_this_studio(studio: Studio, options: LiveOptions) -> LiveOptions:
    """Return the options of a preset with what belongs to this run in place of its own."""
    now = studio.host.options
    return replace(
        options,
        window=now.window,
        fullscreen=now.fullscreen,
        folder=now.folder,
        record=None,
        frames=None,
        duration=None,
        osc=now.osc,
        metrics=now.metrics,
        control=now.control,
        streams=now.streams,
        bitrate=now.bitrate,
        encoder=now.encoder,
    )


def _styles(options: LiveOptions) -> list[object]:
    return [*options.stylizer.styles, *options.keys]


def _pictures(options: LiveOptions) -> list[StyleSpec]:
    """Return every picture that the styles of some options are made of, as a style of its own."""
    parts = (part for style in _styles(options) for part in as_spec(style).parts)
    return [as_spec(format_style(StyleSpec("", (part,)))) for part in parts]


def _runs_alike(one: LiveOptions, other: LiveOptions) -> bool:
    """Return whether a session need not start again to go from one to the other."""

    def fixed(options: LiveOptions) -> object:
        stylizer = options.stylizer
        return (
            *(stylizer.model, stylizer.engine, stylizer.device, stylizer.precision),
            *(stylizer.stabilize, options.request),
        )

    return fixed(one) == fixed(other)


def _change(session: LiveSession, options: LiveOptions) -> None:
    """Change a session that runs to what a preset says."""
    if options.source != session.source:
        session.change_source(options.source)  # first: if it fails, nothing is changed
    stylizer, look = options.stylizer, options.stylizer.look
    session.control.change(
        SettingsChange(
            style=as_spec(stylizer.styles[0]),
            stroke=stylizer.stroke,
            strength=look.strength,
            blend=look.blend,
            keep_colors=look.keep_colors,
            detail=look.detail,
            only=look.only,
            size=stylizer.size or "auto",
            mirror=options.mirror,
        )
    )
    if len(_styles(options)) > 1:
        order = options.keys or stylizer.styles
        session.control.set_styles([as_spec(style) for style in order])


def _switch_virtual_camera(session: LiveSession, device: str | None) -> None:
    """Feed the virtual camera of a preset, or none; the one that is fed already goes on."""
    if device is None:
        session.stop_virtual_camera()
    elif session.virtual_camera is None:
        session.start_virtual_camera(device or None)


def _start_streams(session: LiveSession, addresses: Sequence[str]) -> None:
    """Start the streams of a preset that do not run yet."""
    running = {stream.address for stream in session.streams.statuses()}
    for address in addresses:
        if parse_stream_address(address).shown not in running:
            session.streams.start(address)

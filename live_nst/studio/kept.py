"""What outlives a session of the studio: settings and view always, outputs if it is restarted."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from live_nst.errors import LiveNstError
from live_nst.live.options import LiveOptions, ViewState
from live_nst.live.session import LiveSession
from live_nst.live.settings import SettingsChange
from live_nst.stylizer.look import Look
from live_nst.types import Notify


@dataclass(frozen=True, slots=True)
class KeptOutputs:
    """The outputs of a session that the next one goes on with.

    Attributes:
        virtual_camera: Device of the virtual camera that is fed; None for none.
        streams: The addresses of the streams. They hold keys: never show them.
        recording: Name of the file that is recorded, which ends with its session; "" for none.
    """

    virtual_camera: str | None = None
    streams: tuple[str, ...] = field(default=(), repr=False)
    recording: str = ""


def keep_settings(options: LiveOptions, session: LiveSession) -> LiveOptions:
    """Return options with the settings that a session has now."""
    now = session.control.settings
    stylizer = replace(
        options.stylizer,
        styles=(now.style,),
        size=None if now.automatic_size else now.size,
        look=Look(
            strength=now.strength,
            keep_colors=now.keep_colors,
            detail=now.detail,
            only=now.only,
            blend=now.blend,
        ),
        stroke=now.stroke,
    )
    return replace(options, stylizer=stylizer, mirror=now.mirror)


def keep_view(session: LiveSession) -> ViewState:
    """Return how the next session shows its frames. None is frozen: its frame would be missing."""
    now = session.control.settings
    return ViewState(split=now.split, split_at=now.split_at)


def keep_outputs(session: LiveSession) -> KeptOutputs:
    """Return the outputs that a session has now."""
    camera, recorder = session.virtual_camera, session.control.recorder
    return KeptOutputs(
        None if camera is None else camera.removeprefix("virtual camera "),
        session.streams.addresses,
        recorder.path.name if recorder is not None else "",
    )


def without_outputs(options: LiveOptions) -> LiveOptions:
    """Return the options of the next session after one that has opened the outputs of these.

    A session on demand keeps its virtual camera, without which it makes no sense.
    """
    camera = options.virtual_camera if options.on_demand else None
    return replace(options, record=None, virtual_camera=camera, streams=())


def restore(session: LiveSession, view: ViewState, outputs: KeptOutputs, notify: Notify) -> None:
    """Let a session that was just opened show its frames as another one did, and go on.

    Args:
        session: The session.
        view: How frames are shown.
        outputs: The outputs that were open. One that cannot be opened again stays off.
        notify: Gets a sentence about each output that is off now.
    """
    session.control.change(SettingsChange(split=view.split, split_at=view.split_at))
    steps: list[Callable[[], object]] = []
    if outputs.virtual_camera is not None:
        steps.append(partial(session.start_virtual_camera, outputs.virtual_camera))
    steps += [partial(session.streams.start, address) for address in outputs.streams]
    for step in steps:
        try:
            step()
        except LiveNstError as exc:
            notify(f"An output is off now: {str(exc).rstrip('.')}.")
    if outputs.recording:
        notify(f"The recording {outputs.recording} has ended with the session.")

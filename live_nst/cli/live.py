"""`live-nst`: stylize a camera, a stream or a file live."""

import json
import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst import __version__
from live_nst.cli.console import DownloadProgressBar, notify, show_result
from live_nst.cli.given import check_effect, given_options, make_options
from live_nst.cli.live_options import (
    AudioOption,
    BitrateOption,
    CameraRequestOption,
    ControlOption,
    EncoderOption,
    FpsOption,
    LiveSizeOption,
    MetricsOption,
    MirrorOption,
    OscOption,
    PresetOption,
)
from live_nst.cli.options import (
    Blend,
    BlendOption,
    DetailOption,
    DeviceOption,
    Engine,
    EngineOption,
    KeepColorsOption,
    ModelOption,
    OnlyOption,
    PrecisionChoice,
    PrecisionOption,
    StabilizeMode,
    StabilizeOption,
    StrengthOption,
    StrokeOption,
    StyleOption,
    require_studio,
)
from live_nst.errors import UsageError
from live_nst.files.output import check_output, write_errors

if TYPE_CHECKING:
    from live_nst.live.options import LiveOptions
    from live_nst.live.run import Attach
    from live_nst.live.stats import LiveReport
    from live_nst.studio.control import ControlServer


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"live-nst {__version__}")
        raise typer.Exit


def live(
    context: typer.Context,
    style: StyleOption = None,
    source: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="A camera's number, path or name, the address of a stream, a video file, screen "
            "(screen:2, screen:1:0,0,1280,720), or demo.",
        ),
    ] = "0",
    model: ModelOption = "auto",
    device: DeviceOption = "auto",
    engine: EngineOption = Engine.auto,
    precision: PrecisionOption = PrecisionChoice.auto,
    size: LiveSizeOption = None,
    stabilize: StabilizeOption = StabilizeMode.fast,
    strength: StrengthOption = 1.0,
    blend: BlendOption = Blend.pictures,
    keep_colors: KeepColorsOption = 0.0,
    detail: DetailOption = 0.0,
    stroke: StrokeOption = 1.0,
    only: OnlyOption = "",
    mirror: MirrorOption = False,
    camera_size: CameraRequestOption = "1280x720",
    fps: FpsOption = 30.0,
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="Show the result in a window.")
    ] = True,
    fullscreen: Annotated[
        bool,
        typer.Option("--fullscreen/--no-fullscreen", help="Let the window fill the screen."),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="OUT.mp4", help="Record what is shown.")
    ] = None,
    virtual_camera: Annotated[
        str | None,
        typer.Option(
            metavar="[DEVICE]",
            help="Send the result to a virtual camera that other programs can read: a device such "
            "as /dev/video10, or the first one found.",
        ),
    ] = None,
    on_demand: Annotated[
        bool,
        typer.Option(
            "--on-demand/--no-on-demand",
            help="While no program reads the virtual camera, release the real one and stylize "
            "nothing. Linux only.",
        ),
    ] = False,
    stream: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Stream to a server: rtmp://, rtmps://, rtsp://, rtsps://, srt://, udp://, a "
            "name.m3u8 for HLS, or @FILE that holds the address. Give several to stream to all.",
            show_default=False,
        ),
    ] = None,
    bitrate: BitrateOption = None,
    encoder: EncoderOption = "libx264",
    audio: AudioOption = None,
    osc: OscOption = None,
    metrics: MetricsOption = None,
    control: ControlOption = None,
    frames: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after this number of frames.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Stop after this time.")
    ] = None,
    stats: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write the figures of the session.")
    ] = None,
    preset: PresetOption = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Stylize your webcam in the style of any picture, live.

    In the window, press h for a list of the keys.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from live_nst.sources.camera import configure_opencv

    configure_opencv()  # before anything imports cv2
    given = given_options(context)
    options = make_options(given, preset)
    check_effect(given, options)
    run(options, stats)


def run(options: "LiveOptions", stats: Path | None) -> None:
    """Run a session and show its figures; write them to `stats`, too."""
    from live_nst.live.run import run_live
    from live_nst.presets.files import write_session
    from live_nst.remote.attach import CurrentSession, open_remotes

    if stats is not None:
        _check_stats(stats, options.record)
    with ExitStack() as stack:
        bar = stack.enter_context(closing(DownloadProgressBar()))
        current = CurrentSession()
        attach: list[Attach] = [current.attach]
        open_remotes(options, notify, stack, current.get)
        if options.control is not None:
            server = stack.enter_context(_open_control(options.control))
            notify(server.describe())
            attach.append(server.attach)
        report = run_live(options, notify, bar, attach, save_preset=write_session)
    show_live_report(report)
    if stats is not None:
        with write_errors(stats):
            stats.write_text(json.dumps(report.as_dict(), indent=2) + "\n", "utf-8")


def _check_stats(stats: Path, record: Path | None) -> None:
    """Raise unless the figures can be written, without loss of the recording or another file."""
    if record is not None and stats.resolve() == record.resolve():
        raise UsageError(f"{stats} is the recording as well", "choose another name for --stats")
    foreign = False
    if os.path.isfile(stats):  # unlike that of `Path`, it takes any text
        with write_errors(stats, error=UsageError), stats.open("rb") as file:
            foreign = file.read(1) not in (b"", b"{")
    hint = "choose another name, or remove it"
    check_output(
        stats, exists=UsageError(f"{stats} exists and holds no figures", hint) if foreign else None
    )


def _open_control(text: str) -> "ControlServer":
    """Open the server of `--control`, whose value is empty or a port."""
    require_studio("--control")
    from live_nst.remote.addresses import parse_port
    from live_nst.studio.control import ControlServer

    address = parse_port(text, 8100, "--control") if text else None
    return ControlServer(address, notify)


def show_live_report(report: "LiveReport") -> None:
    """Print the figures of a session."""
    latency = report.latency_ms
    unit = "frame" if report.frames == 1 else "frames"
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in report.stage_ms.items())
    show_result(
        f"{report.frames} {unit} at {report.fps:.1f} fps, {report.dropped} dropped; "
        f"started in {report.startup_seconds:.1f} s"
    )
    show_result(
        f"latency {latency['p50']:.0f} ms (p95 {latency['p95']:.0f}, p99 {latency['p99']:.0f}); "
        f"stages in ms: {stages}"
    )
    show_result(
        f"model {report.model}, {report.engine} on {report.device}, size {report.size}, "
        f"style {report.style}; style computations: {report.style_computations}; "
        f"peak memory {report.peak_rss_mb:.0f} MB"
    )


def _refuse_options(context: typer.Context) -> None:
    """Raise if options of the live session come before a command, which would ignore them."""
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name)
        if given is not None and given.name == "COMMANDLINE":
            denied = context.params[name] is False and parameter.secondary_opts
            option = (parameter.secondary_opts if denied else parameter.opts)[0]
            raise typer.BadParameter(
                f"{option} stands before {context.invoked_subcommand}, which has no such option."
            )
